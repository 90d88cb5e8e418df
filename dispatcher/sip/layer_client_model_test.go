package sip

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLayerClientModel sends requests through a Layer and lets a bad network answer:
// in any order, twice, late, for nobody, or not at all. The model foretells each
// piece of news and each datagram. In the end everybody has heard exactly one final
// answer, or silence, and nothing is left 64·T1 after the last wish.
func TestLayerClientModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &clientModel{now: dawn}
		m.layer = NewLayer(&m.queue, [32]byte{}, 'a')
		t.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"send":   m.send,
			"answer": m.answer,
			"ack":    m.ack,
			"cancel": m.cancel,
			"abort":  m.abort,
			"break":  m.broken,
			"pass":   m.pass,
		})
		m.finish(t)
	})
}

type clientModel struct {
	layer *Layer
	queue Queue
	now   time.Time
	sent  []*sentRequest // oldest first, those that are over included
}

// sentRequest is a request as an onlooker on the wire understands it.
type sentRequest struct {
	client  *Client // nil of a CANCEL, which the layer sends by itself
	method  string
	branch  string
	callID  string
	peer    Peer
	text    string    // octets as sent, and as repeated
	state   State     // Calling also stands for Trying
	ends    time.Time // Timer B, C, D, F, K or M
	gaveUp  bool      // the CANCEL is out: no answer prolongs any more
	quit    bool      // the CANCEL is wanted
	aborted bool
	heard   int    // final answers and silences
	tag     string // of the 2xx
	ack     string // octets that each repetition of the final answer brings
}

func (r *sentRequest) over() bool { return r.state == Terminated }

func (m *clientModel) send(t *rapid.T) {
	method := rapid.SampledFrom([]string{"INVITE", "INVITE", "INVITE", "OPTIONS"}).Draw(t, "method")
	peer := peers[rapid.SampledFrom([]string{"udp", "tcp"}).Draw(t, "peer")]
	r := &sentRequest{method: method, callID: fmt.Sprintf("l%d", len(m.sent)+1), peer: peer, state: Calling, ends: m.now.Add(giveUp)}
	request := legRequest(method, r.callID)
	if method == "INVITE" && rapid.IntRange(0, 4).Draw(t, "of an earlier process") == 0 {
		r.branch = "z9hG4bK-" + r.callID
		r.client = m.layer.Rejoin(m.now, request, peer, r, r.branch)
		r.state, r.ends = Proceeding, m.now.Add(timerC)
		r.text = string(request.encode(peer.Transport, peer.Self, r.branch))
	} else {
		r.client = m.layer.Send(m.now, request, peer, r)
		r.branch = r.client.Branch()
		r.text = m.only(t, peer)
		m.isRequest(t, r.text, method, r.branch, r.callID)
	}
	m.sent = append(m.sent, r)
	m.quiet(t)
}

// isRequest holds a datagram against what it must be.
func (m *clientModel) isRequest(t *rapid.T, text, method, branch, callID string) *Message {
	t.Helper()
	sent := scanned(t, text)
	if sent.Method != method || sent.Branch != branch && branch != "" || sent.Get(CallID) != callID {
		t.Fatalf("not the %s of %s on %s:\n%s", method, callID, branch, text)
	}
	return sent
}

// pick draws one of the requests that fit.
func (m *clientModel) pick(t *rapid.T, fits func(*sentRequest) bool) *sentRequest {
	var found []*sentRequest
	for _, r := range m.sent {
		if fits(r) {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		t.Skip("there is none")
	}
	return rapid.SampledFrom(found).Draw(t, "which")
}

func (m *clientModel) answer(t *rapid.T) {
	r := m.pick(t, func(*sentRequest) bool { return true })
	status := rapid.SampledFrom([]int{100, 180, 180, 200, 200, 302, 486, 603}).Draw(t, "status")
	tag := rapid.SampledFrom([]string{"a", "a", "b"}).Draw(t, "tag")
	for range rapid.SampledFrom([]int{1, 1, 2}).Draw(t, "times") {
		text := answerText(status, r.method, r.branch, r.callID, tag)
		message := scanned(t, text)
		n := m.layer.Receive(m.now, Packet{Message: message, Peer: r.peer})
		if n.News != None && (n.Message != message || n.Peer != r.peer) {
			t.Fatalf("the answer is not handed on as it came")
		}
		m.answered(t, r, status, tag, n)
		m.quiet(t)
	}
}

// answered foretells what an answer does.
func (m *clientModel) answered(t *rapid.T, r *sentRequest, status int, tag string, n Notice) {
	t.Helper()
	success := status/100 == 2
	switch {
	case r.state == Calling || r.state == Proceeding:
		m.first(t, r, status, tag, n)
	case success && r.method == "INVITE" && (r.over() || r.state == Completed || r.state == Accepted && tag != r.tag):
		m.tells(t, n, Stray, nil)
	case r.state == Completed && status >= 300 && r.method == "INVITE", r.state == Accepted && success:
		m.tells(t, n, None, nil)
		if r.ack != "" && m.only(t, r.peer) != r.ack {
			t.Fatalf("a repeated %d is not acknowledged as before", status)
		}
	case r.method == "INVITE" && status >= 300 && r.over():
		m.tells(t, n, None, nil)
		if _, own := OwnerOfBranch(r.branch); own {
			m.isRequest(t, m.only(t, r.peer), "ACK", r.branch, r.callID)
		}
	default:
		m.tells(t, n, None, nil)
	}
}

// first foretells what an answer does that is waited for.
func (m *clientModel) first(t *rapid.T, r *sentRequest, status int, tag string, n Notice) {
	t.Helper()
	want, about := Answer, r.client
	if r.aborted || r.client == nil {
		want, about = None, nil
	}
	switch {
	case status < 200:
		r.state = Proceeding
		if r.method == "INVITE" && !r.gaveUp {
			r.ends = m.now.Add(timerC)
		}
		if r.quit && !r.gaveUp {
			m.cancelSent(t, r, m.only(t, r.peer))
		}
	case r.method != "INVITE":
		m.settle(r, T4)
	case status < 300:
		if r.state, r.tag, r.ends = Accepted, tag, m.now.Add(giveUp); r.aborted {
			want, about = Stray, r.client
		}
	default:
		r.ack = m.only(t, r.peer)
		if ack := m.isRequest(t, r.ack, "ACK", r.branch, r.callID); ack.ToTag() != tag {
			t.Fatalf("a refusal by %s is acknowledged to %s", tag, ack.ToTag())
		}
		m.settle(r, timerD)
	}
	if status >= 200 && want == Answer {
		r.heard++
	}
	m.tells(t, n, want, about)
}

// settle ends a request but for stragglers.
func (m *clientModel) settle(r *sentRequest, d time.Duration) {
	if r.state, r.ends = Completed, m.now.Add(d); r.peer.Reliable() {
		r.state = Terminated
	}
}

func (m *clientModel) tells(t *rapid.T, n Notice, want News, about *Client) {
	t.Helper()
	if n.News != want || n.Client != about || want == Answer && n.Client.User == nil {
		t.Fatalf("the news is %s, want %s", n.News, want)
	}
}

// cancelSent: the CANCEL of an INVITE that rings is on its way.
func (m *clientModel) cancelSent(t *rapid.T, r *sentRequest, text string) {
	t.Helper()
	if cancel := m.isRequest(t, text, "CANCEL", r.branch, r.callID); cancel.ToTag() != "" || r.state != Proceeding || r.gaveUp {
		t.Fatalf("in %s a CANCEL goes out:\n%s", r.state, text)
	}
	r.gaveUp, r.ends = true, m.now.Add(giveUp)
	m.sent = append(m.sent, &sentRequest{
		method: "CANCEL", branch: r.branch, callID: r.callID, peer: r.peer, text: text, state: Calling, ends: m.now.Add(giveUp),
	})
}
