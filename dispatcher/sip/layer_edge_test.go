package sip

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// TestAnswerWithoutTag: a 2xx without a To tag, of a peer older than RFC 3261, is
// news once, and its repetitions hear the ACK like those of any other.
func TestAnswerWithoutTag(t *testing.T) {
	var queue Queue
	l := NewLayer(&queue, [32]byte{}, 'a')
	c := l.Send(dawn, legRequest("INVITE", "l1"), peers["udp"], "l1")
	l.Outbox()
	m := scanned(t, answerText(200, "INVITE", c.Branch(), "l1", ""))
	if n := l.Receive(dawn, Packet{Message: m, Peer: peers["udp"]}); n.News != Answer {
		t.Fatalf("the 200 is %s", n.News)
	}
	l.SendAck(legRequest("ACK", "l1"), peers["udp"], c)
	ack := string(l.Outbox()[0].Data)
	n := l.Receive(dawn, Packet{Message: m, Peer: peers["udp"]})
	if n.News != None {
		t.Errorf("the repeated 200 is %s", n.News)
	}
	if out := l.Outbox(); len(out) != 1 || string(out[0].Data) != ack {
		t.Errorf("the repeated 200 hears %d datagrams", len(out))
	}
}

// TestBreakIsPure: the same layer tells of a broken connection in the same order, or
// no day of traffic can be played again.
func TestBreakIsPure(t *testing.T) {
	const legs, times = 12, 5
	var first []any
	for range times {
		var queue Queue
		l := NewLayer(&queue, [32]byte{}, 'a')
		for i := range legs {
			l.Send(dawn, legRequest("INVITE", fmt.Sprint(i)), peers["tcp"], i)
		}
		var users []any
		for _, n := range l.Break(dawn, peers["tcp"]) {
			users = append(users, n.Client.User)
		}
		if len(users) != legs {
			t.Fatalf("%d of %d hear of it", len(users), legs)
		}
		if first == nil {
			first = users
		}
		if !slices.Equal(users, first) {
			t.Fatalf("once %v, then %v", first, users)
		}
	}
}

// TestBreakAfterRefusal: whoever has heard a final answer hears no silence after it.
func TestBreakAfterRefusal(t *testing.T) {
	var queue Queue
	l := NewLayer(&queue, [32]byte{}, 'a')
	c := l.Send(dawn, legRequest("INVITE", "l1"), peers["udp"], "l1")
	m := scanned(t, answerText(486, "INVITE", c.Branch(), "l1", "a"))
	if n := l.Receive(dawn, Packet{Message: m, Peer: peers["udp"]}); n.News != Answer {
		t.Fatalf("the 486 is %s", n.News)
	}
	for _, n := range l.Break(dawn, peers["udp"]) {
		t.Errorf("after its 486 it hears that it is %s", n.News)
	}
}

// TestBreakSparesOthers: another port of the peer, another transport to the same port
// and another peer are none of its business.
func TestBreakSparesOthers(t *testing.T) {
	broken := peers["tcp"]
	for name, other := range map[string]Peer{
		"transport": {Transport: "udp", Addr: broken.Addr},
		"port":      {Transport: "tcp", Addr: netip.AddrPortFrom(broken.Addr.Addr(), 5060)},
		"address":   {Transport: "tcp", Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.3"), broken.Addr.Port())},
	} {
		var queue Queue
		l := NewLayer(&queue, [32]byte{}, 'a')
		l.Send(dawn, legRequest("INVITE", "l1"), other, "l1")
		if notices := l.Break(dawn, broken); len(notices) > 0 || l.Len() != 1 {
			t.Errorf("another %s breaks too", name)
		}
	}
}

// TestAcknowledgedAnswerIsFreed: for the rest of Timer L nobody hears the 2xx again, and
// its octets are not held for that.
func TestAcknowledgedAnswerIsFreed(t *testing.T) {
	var queue Queue
	l := NewLayer(&queue, [32]byte{}, 'a')
	s := l.Receive(dawn, Packet{Message: scanned(t, inviteText), Peer: peers["udp"]}).Server
	l.Respond(dawn, s, &Reply{Status: 200, Body: "v=0\r\n"})
	if s.Request() != nil || s.last == nil {
		t.Errorf("waiting for the ACK it holds the request: %v, the answer: %v", s.Request() != nil, s.last != nil)
	}
	l.Ack(dawn, s)
	if s.last != nil || l.Len() != 1 {
		t.Errorf("acknowledged it holds %d octets, %d transactions are open", len(s.last), l.Len())
	}
}

// TestLateAckSparesTheNext: an ACK that the user hands on for a transaction that is
// over does not end another that has its branch.
func TestLateAckSparesTheNext(t *testing.T) {
	var queue Queue
	l := NewLayer(&queue, [32]byte{}, 'a')
	invite := Packet{Message: scanned(t, inviteText), Peer: peers["udp"]}
	first := l.Receive(dawn, invite).Server
	l.Respond(dawn, first, &Reply{Status: 200})
	later := dawn.Add(giveUp)
	if n := l.Expire(later, first); n.News != Unacked {
		t.Fatalf("the first is %s", n.News)
	}
	queue.Due(later)
	second := l.Receive(later, invite)
	if second.News != NewCall || second.Server == first {
		t.Fatalf("the second INVITE is %s", second.News)
	}
	l.Ack(later, first)
	if n := l.Receive(later, invite); n.News != None || l.Len() != 1 {
		t.Errorf("its repetition is %s, %d transactions are open", n.News, l.Len())
	}
}

// TestRecordRoutesComeBack: the proxies of the caller's side hear of themselves in
// what makes a dialog (RFC 3261 §12.1.1), and in nothing else.
func TestRecordRoutesComeBack(t *testing.T) {
	const routes = "Record-Route: <sip:p1.test;lr>, <sip:p2.test;lr>\r\nRecord-Route: <sip:p3.test;lr>\r\n"
	invite := inviteWith(t, routes)
	options := scanned(t, requestText("OPTIONS", "z9hG4bK-1", "a.test")[:len(requestText("OPTIONS", "z9hG4bK-1", "a.test"))-2]+routes+"\r\n")
	for _, row := range []struct {
		m      *Message
		status int
		want   []string
	}{
		{invite, 100, nil},
		{invite, 180, []string{"<sip:p1.test;lr>", "<sip:p2.test;lr>", "<sip:p3.test;lr>"}},
		{invite, 200, []string{"<sip:p1.test;lr>", "<sip:p2.test;lr>", "<sip:p3.test;lr>"}},
		{invite, 302, nil},
		{invite, 486, nil},
		{options, 200, nil},
	} {
		reply := Reply{Status: row.status, Headers: []Field{{"Record-Route", "<sip:evil>"}}}
		if got := scanned(t, string(reply.Encode(row.m, source, "t1"))).list(RecordRoute); !slices.Equal(got, row.want) {
			t.Errorf("%d to %s: %q", row.status, row.m.Method, got)
		}
	}
}

// TestTagOfItsOwn: a reply's own tag stands in place of the transaction's, but not in
// a 100, nor in place of one that the request brought, and it begins no line.
func TestTagOfItsOwn(t *testing.T) {
	within := altered(t, "front.example.net>\r\n", "front.example.net>;tag=theirs\r\n")
	for _, row := range []struct {
		text, tag string
		status    int
		want      string
	}{
		{inviteText, "leg2", 180, "leg2"}, {inviteText, "leg2", 100, ""}, {within, "leg2", 200, "theirs"},
		{inviteText, "x\r\nX-Evil: 1", 180, "x  X-Evil: 1"},
	} {
		var queue Queue
		l := NewLayer(&queue, [32]byte{}, 'a')
		s := l.Receive(dawn, Packet{Message: scanned(t, row.text), Peer: peers["udp"]}).Server
		l.Respond(dawn, s, &Reply{Status: row.status, Tag: row.tag})
		answer := scanned(t, string(l.Outbox()[0].Data))
		if got := answer.ToTag(); got != row.want || answer.Find("X-Evil") != "" || s.Tag() == row.tag {
			t.Errorf("%d with %q has the tag %q, X-Evil: %q", row.status, row.tag, got, answer.Find("X-Evil"))
		}
	}
}
