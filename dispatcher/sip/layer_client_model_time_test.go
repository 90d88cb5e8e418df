package sip

import (
	"time"

	"pgregory.net/rapid"
)

// The wishes of the users of a clientModel, and time.

func (m *clientModel) ack(t *rapid.T) {
	r := m.pick(t, func(r *sentRequest) bool { return r.state == Accepted })
	m.layer.SendAck(legRequest("ACK", r.callID), r.peer, r.client)
	r.ack = m.only(t, r.peer)
	if ack := m.isRequest(t, r.ack, "ACK", "", r.callID); ack.Branch == r.branch {
		t.Fatalf("the ACK of a 2xx has the branch of the INVITE")
	}
	m.quiet(t)
}

func (m *clientModel) cancel(t *rapid.T) {
	m.cancelOne(t, m.pick(t, func(r *sentRequest) bool { return r.method == "INVITE" }))
}

func (m *clientModel) cancelOne(t *rapid.T, r *sentRequest) {
	m.layer.Cancel(m.now, r.client, "")
	if r.quit = true; r.state == Proceeding && !r.gaveUp {
		m.cancelSent(t, r, m.only(t, r.peer))
	}
	m.quiet(t)
}

func (m *clientModel) abort(t *rapid.T) {
	r := m.pick(t, func(r *sentRequest) bool { return r.client != nil && !r.over() })
	m.layer.Abort(r.client)
	r.aborted = true
	m.quiet(t)
}

// broken: the connection cannot be made. Each user hears once, whatever the order.
func (m *clientModel) broken(t *rapid.T) {
	silent := map[*Client]*sentRequest{}
	for _, r := range m.sent {
		if r.peer.Reliable() && (r.state == Calling || r.state == Proceeding) {
			if r.state = Terminated; r.client != nil && !r.aborted {
				silent[r.client] = r
			}
		}
	}
	for _, n := range m.layer.Break(m.now, peers["tcp"]) {
		if n.News != Silent || silent[n.Client] == nil {
			t.Fatalf("a broken connection makes the news %s", n.News)
		}
		silent[n.Client].heard++
		delete(silent, n.Client)
	}
	if len(silent) > 0 {
		t.Fatalf("%d do not hear that the connection broke", len(silent))
	}
	m.quiet(t)
}

// pass lets time go by in one leap, as for a shard that was held up.
func (m *clientModel) pass(t *rapid.T) {
	m.leap(t, time.Duration(rapid.SampledFrom([]int{1, 100, 600, 4000, 6000, 33_000, 182_000}).Draw(t, "ms"))*time.Millisecond)
}

func (m *clientModel) leap(t *rapid.T, d time.Duration) {
	m.now = m.now.Add(d)
	silent, cancels, repeats := map[*Client]bool{}, map[string]*sentRequest{}, map[string]bool{}
	for _, r := range m.sent {
		m.elapse(r, silent, cancels, repeats)
	}
	for timer := m.queue.Due(m.now); timer != nil; timer = m.queue.Due(m.now) {
		n := m.layer.ExpireClient(m.now, timer.Owner.(*Client))
		if n.News != None && (n.News != Silent || !silent[n.Client]) {
			t.Fatalf("time makes the news %s", n.News)
		}
		delete(silent, n.Client) // once each
	}
	if len(silent) > 0 {
		t.Fatalf("%d do not hear of silence", len(silent))
	}
	m.timely(t, cancels, repeats)
}

// elapse foretells what the time that is up does to a request.
func (m *clientModel) elapse(r *sentRequest, silent map[*Client]bool, cancels map[string]*sentRequest, repeats map[string]bool) {
	waits := r.state == Calling || r.state == Proceeding
	switch {
	case r.over():
	case r.ends.After(m.now):
		if !r.peer.Reliable() && (r.state == Calling || waits && r.method != "INVITE") {
			repeats[r.text] = true
		}
	case r.state == Proceeding && r.method == "INVITE" && !r.gaveUp: // Timer C
		cancels[r.branch] = r
	default:
		if r.state = Terminated; waits && r.client != nil && !r.aborted {
			silent[r.client] = true
			r.heard++
		}
	}
}

// timely: what time sends is a CANCEL by Timer C, or a repetition, each once.
func (m *clientModel) timely(t *rapid.T, cancels map[string]*sentRequest, repeats map[string]bool) {
	for _, d := range m.layer.Outbox() {
		text := string(d.Data)
		if repeats[text] {
			delete(repeats, text)
			continue
		}
		r := cancels[scanned(t, text).Branch]
		if r == nil || d.Peer != r.peer {
			t.Fatalf("time sends\n%s", text)
		}
		delete(cancels, r.branch)
		m.cancelSent(t, r, text)
	}
	if len(cancels) > 0 {
		t.Fatalf("Timer C is over for %d INVITEs that are not cancelled", len(cancels))
	}
}

// only is the one datagram that must be waiting.
func (m *clientModel) only(t *rapid.T, peer Peer) string {
	t.Helper()
	out := m.layer.Outbox()
	if len(out) != 1 || out[0].Peer != peer {
		t.Fatalf("%d datagrams are sent, want one to %v", len(out), peer)
	}
	return string(out[0].Data)
}

// quiet: nothing more is sent.
func (m *clientModel) quiet(t *rapid.T) {
	t.Helper()
	for _, d := range m.layer.Outbox() {
		t.Fatalf("nobody waits for this:\n%s", d.Data)
	}
}

func (m *clientModel) check(t *rapid.T) {
	open := 0
	for _, r := range m.sent {
		if !r.over() {
			open++
		}
		if r.heard > 1 {
			t.Fatalf("%s has heard %d final answers", r.callID, r.heard)
		}
	}
	if m.layer.Len() != open || m.queue.Len() != open {
		t.Fatalf("%d transactions and %d deadlines are open, want %d", m.layer.Len(), m.queue.Len(), open)
	}
}

// finish cancels all that rings and waits for nobody's answer.
func (m *clientModel) finish(t *rapid.T) {
	for _, r := range m.sent[:len(m.sent):len(m.sent)] {
		if r.method == "INVITE" {
			m.cancelOne(t, r)
		}
	}
	m.leap(t, giveUp)
	m.check(t)
	if m.layer.Len() != 0 {
		t.Fatalf("left over: %d transactions", m.layer.Len())
	}
	for _, r := range m.sent {
		if r.client != nil && !r.aborted && r.heard != 1 {
			t.Fatalf("%s has heard %d final answers", r.callID, r.heard)
		}
	}
}
