package sip

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLayerModel throws packets at a Layer in any order and number, answers what
// it asks for or does not, and lets time pass in leaps. The model knows when a
// transaction is over and nothing of how.
func TestLayerModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &layerModel{now: dawn, open: map[string]*openRequest{}}
		m.layer = NewLayer(&m.queue, [32]byte{}, 'a')
		t.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"packet": m.packet,
			"answer": m.answer,
			"pass":   m.pass,
		})
		m.finish(t)
	})
}

type layerModel struct {
	layer *Layer
	queue Queue
	now   time.Time
	open  map[string]*openRequest // by transport, method and branch
	order []string                // keys of open, oldest first
}

// openRequest is a transaction as an onlooker on the wire understands it.
type openRequest struct {
	server  *Server // nil if the layer answered it alone
	peer    Peer
	method  string
	final   bool
	success bool      // an INVITE that had a 2xx
	last    string    // the octets a repeat hears; empty for silence
	timed   string    // the octets that time repeats; empty for silence
	tag     string    // of every answer but 100
	ends    time.Time // zero while it waits for an answer
}

func (m *layerModel) packet(t *rapid.T) {
	peer := peers[rapid.SampledFrom([]string{"udp", "tcp"}).Draw(t, "peer")]
	method := rapid.SampledFrom([]string{"INVITE", "INVITE", "ACK", "CANCEL", "OPTIONS"}).Draw(t, "method")
	branch := fmt.Sprintf("z9hG4bK-%s-%d", peer.Transport, rapid.IntRange(1, 3).Draw(t, "branch"))
	text := requestText(method, branch, "a.test")
	message, refusal := Scan([]byte(text))
	if refusal != nil {
		t.Fatal(refusal)
	}
	before := m.open[method+branch]
	notice := m.layer.Receive(m.now, Packet{Message: message, Peer: peer})
	news, server := notice.News, notice.Server
	sent := m.sent(t, peer)
	switch {
	case method == "ACK":
		if news == Acked && (notice.Message != message || notice.Peer != peer) {
			t.Fatalf("an ACK is not handed on as it came")
		}
		m.ack(t, m.open["INVITE"+branch], news, sent)
	case before != nil:
		if news != None || sent != before.last {
			t.Fatalf("a repeated %s is %s and hears %q, want %q", method, news, sent, before.last)
		}
	case method == "CANCEL":
		m.cancel(t, branch, peer, news, server, sent)
	default:
		want := map[string]News{"INVITE": NewCall, "OPTIONS": NewOther}[method]
		if news != want || sent != "" {
			t.Fatalf("a first %s is %s and hears %q", method, news, sent)
		}
		m.begin(method+branch, &openRequest{server: server, peer: peer, method: method})
	}
}

func (m *layerModel) begin(key string, r *openRequest) {
	m.open[key] = r
	m.order = append(m.order, key)
}

// ack: one that belongs to no refusal is the user's, who may know a dialog it ends
// the waiting of.
func (m *layerModel) ack(t *rapid.T, invite *openRequest, news News, sent string) {
	want := None
	if invite == nil || invite.success {
		want = Acked
	}
	if news != want || sent != "" {
		t.Fatalf("an ACK is %s and hears %q, want %s", news, sent, want)
	}
	switch {
	case invite == nil:
	case invite.success && rapid.Bool().Draw(t, "known"):
		m.layer.Ack(m.now, invite.server)
		if sent := m.sent(t, invite.peer); sent != "" {
			t.Fatalf("an ACK of a 2xx hears %q", sent)
		}
		invite.timed = ""
	case !invite.success && invite.final && invite.last != "":
		invite.last, invite.timed = "", "" // from here on repeats are absorbed
		invite.ends = m.now.Add(linger(invite.peer.Reliable(), T4))
	}
}

func (m *layerModel) cancel(t *rapid.T, branch string, peer Peer, news News, server *Server, sent string) {
	answer := scanned(t, sent)
	invite := m.open["INVITE"+branch]
	waiting := invite != nil && !invite.final
	switch {
	case invite == nil && answer.Status != 481, invite != nil && answer.Status != 200:
		t.Fatalf("a CANCEL is answered %d", answer.Status)
	case waiting != (news == Cancelled), waiting && server != invite.server:
		t.Fatalf("a CANCEL is %s", news)
	case invite != nil && invite.tag != "" && answer.ToTag() != invite.tag:
		t.Fatalf("CANCEL has the tag %s, its INVITE %s", answer.ToTag(), invite.tag)
	case invite != nil:
		invite.tag = answer.ToTag()
	}
	m.begin("CANCEL"+branch, &openRequest{
		peer: peer, method: "CANCEL", final: true, last: sent, ends: m.now.Add(linger(peer.Reliable(), giveUp)),
	})
}

func (m *layerModel) answer(t *rapid.T) {
	var waiting []*openRequest
	for _, key := range m.order {
		if r := m.open[key]; r != nil && r.server != nil && !r.final {
			waiting = append(waiting, r)
		}
	}
	if len(waiting) == 0 {
		t.Skip("nobody waits for an answer")
	}
	m.respond(t, rapid.SampledFrom(waiting).Draw(t, "whom"), rapid.SampledFrom([]int{100, 180, 200, 302, 487}).Draw(t, "status"))
}

func (m *layerModel) respond(t *rapid.T, r *openRequest, status int) {
	m.layer.Respond(m.now, r.server, &Reply{Status: status})
	r.last = m.sent(t, r.peer)
	answer := scanned(t, r.last)
	if answer.Status != status || answer.Method != r.method {
		t.Fatalf("answer %d to %s goes out as %d to %s", status, r.method, answer.Status, answer.Method)
	}
	if tag := answer.ToTag(); status > 100 {
		if tag == "" || r.tag != "" && tag != r.tag {
			t.Fatalf("answer %d has the tag %q, the first had %q", status, tag, r.tag)
		}
		r.tag = tag
	}
	if status < 200 {
		return
	}
	r.final = true
	switch {
	case r.method != "INVITE":
		r.ends = m.now.Add(linger(r.peer.Reliable(), giveUp))
	case status < 300:
		r.success, r.timed, r.last = true, r.last, "" // time repeats it, on streams too
		r.ends = m.now.Add(giveUp)
	default:
		if !r.peer.Reliable() {
			r.timed = r.last
		}
		r.ends = m.now.Add(giveUp)
	}
}

// pass lets time go by in one leap.
func (m *layerModel) pass(t *rapid.T) {
	m.leap(t, time.Duration(rapid.SampledFrom([]int{1, 100, 600, 4000, 6000, 33_000}).Draw(t, "ms"))*time.Millisecond)
}

// leap sees that what the expired send again is what an unacknowledged INVITE was
// answered, and that the user hears of each 2xx that remains without its ACK.
func (m *layerModel) leap(t *rapid.T, d time.Duration) {
	m.now = m.now.Add(d)
	repeats, unacked := map[string]bool{}, map[*Server]bool{}
	for _, r := range m.open {
		if r.timed == "" {
			continue
		}
		if r.ends.After(m.now) {
			repeats[r.timed] = true
		} else if r.success {
			unacked[r.server] = true
		}
	}
	for timer := m.queue.Due(m.now); timer != nil; timer = m.queue.Due(m.now) {
		n := m.layer.Expire(m.now, timer.Owner.(*Server))
		if n.News != None && (n.News != Unacked || !unacked[n.Server]) {
			t.Fatalf("time makes the news %s", n.News)
		}
		if n.News == Unacked {
			delete(unacked, n.Server) // once each
		}
	}
	if len(unacked) > 0 {
		t.Fatalf("%d 2xx without ACK are no news", len(unacked))
	}
	for _, d := range m.layer.Outbox() {
		if !repeats[string(d.Data)] {
			t.Fatalf("time sends %q", d.Data)
		}
		delete(repeats, string(d.Data)) // once each
	}
}

// sent is the one datagram that may be waiting, "" if none is; it goes to peer.
func (m *layerModel) sent(t *rapid.T, peer Peer) string {
	out := m.layer.Outbox()
	if len(out) == 0 {
		return ""
	}
	if len(out) > 1 || out[0].Peer != peer {
		t.Fatalf("%d datagrams are sent, the first to %v", len(out), out[0].Peer)
	}
	return string(out[0].Data)
}

// check forgets what is over and counts.
func (m *layerModel) check(t *rapid.T) {
	var order []string
	for _, key := range m.order {
		if r := m.open[key]; !r.ends.IsZero() && !r.ends.After(m.now) {
			delete(m.open, key)
			continue
		}
		order = append(order, key)
	}
	m.order = order
	if m.layer.Len() != len(m.open) {
		t.Fatalf("%d transactions are open, want %d", m.layer.Len(), len(m.open))
	}
}

// finish answers everybody and waits.
func (m *layerModel) finish(t *rapid.T) {
	m.check(t)
	for _, key := range m.order {
		if r := m.open[key]; r.server != nil && !r.final {
			m.respond(t, r, 480)
		}
	}
	m.leap(t, giveUp)
	m.check(t)
	if m.layer.Len() != 0 || m.queue.Len() != 0 {
		t.Fatalf("left over: %d transactions, %d deadlines", m.layer.Len(), m.queue.Len())
	}
}
