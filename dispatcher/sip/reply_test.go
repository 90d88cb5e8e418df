package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestReply holds a whole answer, octet for octet.
func TestReply(t *testing.T) {
	r := Reply{
		Status: 302, Headers: []Field{{"Contact", "<sip:200@gw.example.net>"}, {"X-Reason", "moved"}}, Body: "text",
	}
	got := string(r.Encode(scanned(t, inviteText), source, "t1"))
	want := "SIP/2.0 302 Moved Temporarily\r\n" +
		"Via: SIP/2.0/UDP a.example.net:5070;branch=z9hG4bK-c1;rport=5071;received=192.0.2.9\r\n" +
		"Via: SIP/2.0/TCP phone.example.org;branch=z9hG4bK-p1\r\n" +
		"From: \"Ann\" <sip:ann@example.org>;tag=from1\r\n" +
		"To: <sip:100@front.example.net>;tag=t1\r\n" +
		"Call-ID: c1@a.example.net\r\n" +
		"CSeq: 7 INVITE\r\n" +
		"Contact: <sip:200@gw.example.net>\r\n" +
		"X-Reason: moved\r\n" +
		"Content-Length: 4\r\n\r\n" +
		"text"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestToTag: an answer within a dialog keeps the tag there is, and a 100 gets none.
func TestToTag(t *testing.T) {
	outside := scanned(t, inviteText)
	within := scanned(t, altered(t, "front.example.net>\r\n", "front.example.net>;Tag=old\r\n"))
	for _, row := range []struct {
		request *Message
		status  int
		tag     string
		want    string
	}{
		{outside, 100, "t1", ""},
		{outside, 180, "t1", "t1"},
		{outside, 404, "t1", "t1"},
		{outside, 404, "", ""},
		{within, 100, "t1", "old"},
		{within, 481, "t1", "old"},
	} {
		r := Reply{Status: row.status}
		answer := scanned(t, string(r.Encode(row.request, source, row.tag)))
		if got := answer.ToTag(); got != row.want || strings.Count(strings.ToLower(answer.Get(To)), "tag=") > 1 {
			t.Errorf("answer %d with %q has To: %s", row.status, row.tag, answer.Get(To))
		}
	}
}

// breakouts try to begin a line, a header or a body of their own.
var breakouts = []string{
	"x\r\nVia: SIP/2.0/UDP evil;branch=z9hG4bK-e", "x\r\n\r\nSIP/2.0 200 OK", "x\nX-Evil: 1", "x\rX-Evil: 1",
	"x\r\n folded", "\r\n", "\n", "\x00", "x\x0bX-Evil: 1", "x\x7f", "x\x1b[2J",
}

// TestNothingBreaksOut puts each of them wherever a Reply takes text: what goes
// out has the lines it would have had without, and no control octet in them.
func TestNothingBreaksOut(t *testing.T) {
	request := scanned(t, inviteText)
	for _, text := range breakouts {
		for place, r := range map[string]Reply{
			"reason":            {Status: 404, Reason: text},
			"value":             {Status: 404, Headers: []Field{{"X-Note", text}}},
			"value of Contact":  {Status: 302, Headers: []Field{{"Contact", text}}},
			"warning":           {Status: 404, Headers: []Field{Warning(text)}},
			"name":              {Status: 404, Headers: []Field{{text, "v"}}},
			"name with a colon": {Status: 404, Headers: []Field{{"X: 1" + text, "v"}}},
			"unsupported value": {Status: 420, Headers: []Field{{"Unsupported", text}}},
		} {
			head, body, _ := strings.Cut(string(r.Encode(request, source, "t1")), "\r\n\r\n")
			lines := strings.Split(head, "\r\n")
			if want := 8 + len(r.Headers); strings.HasPrefix(place, "name") {
				if len(lines) != 8 {
					t.Errorf("%s %q makes a header:\n%s", place, text, head)
				}
			} else if len(lines) != want || body != "" {
				t.Errorf("%s %q makes %d lines of %d:\n%s", place, text, len(lines), want, head)
			}
			for _, line := range lines {
				if !clean(line) {
					t.Errorf("%s %q goes out as %q", place, text, line)
				}
			}
		}
	}
}

// TestReservedHeaders: what belongs to the edge cannot be set, however it is spelt.
func TestReservedHeaders(t *testing.T) {
	names := []string{
		"Via", "v", "FROM", "f", "To", "T", "call-id", "i", "CSeq", "Content-Length", "l", "Max-Forwards",
		"Route", "Record-Route", "", "two words", "colon:", "Via ",
	}
	r := Reply{Status: 404}
	for _, name := range names {
		r.Headers = append(r.Headers, Field{name, "evil"})
	}
	got := string(r.Encode(scanned(t, inviteText), source, "t1"))
	if strings.Contains(got, "evil") {
		t.Errorf("a reserved header is set:\n%s", got)
	}
	for _, name := range []string{"Contact", "Content-Type", "Retry-After", "X-Dialyard-State"} {
		if Reserved(name) {
			t.Errorf("%s is reserved", name)
		}
	}
}

// TestPhrase: every status has a phrase, the rare ones that of their class.
func TestPhrase(t *testing.T) {
	for status, want := range map[int]string{
		100: "Trying", 302: "Moved Temporarily", 487: "Request Terminated", 503: "Service Unavailable", 603: "Decline",
		199: "Progress", 299: "OK", 399: "Redirect", 420: "Bad Extension", 499: "Request Failure", 599: "Server Failure", 699: "Global Failure",
	} {
		if got := Phrase(status); got != want {
			t.Errorf("%d is %q, want %q", status, got, want)
		}
	}
}

// TestAnswersGoToTheSource: whatever address a packet names, its answers go where
// it came from.
func TestAnswersGoToTheSource(t *testing.T) {
	var queue Queue
	layer := NewLayer(&queue, [32]byte{}, 'a')
	peer := Peer{Transport: "udp", Addr: netip.MustParseAddrPort("198.51.100.7:999")}
	notice := layer.Receive(dawn, Packet{Message: scanned(t, inviteText), Peer: peer})
	layer.Respond(dawn, notice.Server, &Reply{Status: 404})
	out := layer.Outbox()
	if len(out) != 1 || out[0].Peer != peer {
		t.Fatalf("sent: %v", out)
	}
	if via := fmt.Sprintf("rport=%d;received=%s", 999, "198.51.100.7"); !strings.Contains(string(out[0].Data), via) {
		t.Errorf("no %s in\n%s", via, out[0].Data)
	}
}
