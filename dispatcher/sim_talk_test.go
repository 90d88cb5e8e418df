package dispatcher

import (
	"fmt"
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// simOutlast is how much longer than planned a party stays in a call that its peer was
// to end. Whoever is still in it then was forgotten, if the peer has left long ago.
const simOutlast = 150 * time.Second

// A simTalk is a dialog as a phone knows it.
type simTalk struct {
	phone         *simPhone
	call          *simCall
	side          call.Side
	tag           string // its own
	callID        string
	local, remote string // From and To of what it sends
	target        string
	seq, heardSeq uint32

	acks    map[uint32][]byte // of the 2xx to its INVITEs, by their CSeq
	unacked map[uint32]bool   // its own 2xx
	changes int               // of the session, that it asked for and that are not settled
	asks    []*simAsk
	taken   []*simAsked // INVITEs it has not answered
	began   bool
	over    bool
	overAt  time.Duration
	heBye   bool // the other side hung up
	iBye    bool
}

func (t *simTalk) enter() *simTalk {
	t.acks, t.unacked = map[uint32][]byte{}, map[uint32]bool{}
	t.phone.talks[t.tag+" "+sip.Tag(t.remote)] = t
	t.call.talks = append(t.call.talks, t)
	return t
}

// request makes the octets of a request within the dialog.
func (t *simTalk) request(method string, seq uint32, branch, body string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: %s\r\n",
		method, t.target, t.phone.addr, branch, t.local, t.remote, t.callID, seq, method, t.phone.contact())
	writeSimBody(&b, body)
	return []byte(b.String())
}

// begin is for a dialog that is confirmed: it does what was planned.
func (t *simTalk) begin() {
	if t.began || t.over {
		return
	}
	t.began = true
	w, c := t.phone.w, t.call
	for range c.chatter {
		t.phone.after(w.upTo(c.talkFor), t.chat)
	}
	if t.side == c.hangsUp {
		t.phone.after(c.talkFor, t.hangUp)
		return
	}
	t.phone.after(c.talkFor+simOutlast, func() {
		if t.over {
			return
		}
		if at, left := c.leftAt(t.side.Other()); left && w.clock-at > time.Minute {
			c.doubt("the %s was left in the call for %v", t.side, w.clock-at)
		}
		t.hangUp()
	})
}

// chat makes some request of those that dialogs carry.
func (t *simTalk) chat() {
	w := t.phone.w
	if t.over || t.iBye {
		return
	}
	method := pick(w, "INVITE", "INVITE", "INVITE", "UPDATE", "INFO", "INFO", "MESSAGE", "OPTIONS", "NOTIFY", "REFER")
	offers := method == "INVITE" || method == "UPDATE"
	if offers && (t.changes > 0 || len(t.taken) > 0 || len(t.unacked) > 0) {
		return // RFC 3261 §14.1
	}
	body := ""
	if offers && (method == "UPDATE" || w.chance(0.7)) {
		body = t.say()
	}
	t.seq++
	a := &simAsk{method: method, branch: t.phone.newBranch(), since: w.clock}
	a.data = t.request(method, t.seq, a.branch, body)
	seq := t.seq
	if offers {
		t.changes++
	}
	a.onAnswer = func(m *sip.Message) { t.replied(a, seq, body, m) }
	a.onSilent = func() {
		if offers {
			t.changes--
		}
		// A request to one that never acknowledges waits for that until the call is over.
		if !t.over && !t.call.someoneGone() && t.call.acks {
			t.call.doubt("nobody answered the %s's %s", t.side, method)
		}
	}
	t.asks = append(t.asks, a)
	w.tally["chats"]++
	t.phone.ask(a)
	if method == "INVITE" && w.chance(0.05) {
		t.phone.after(w.upTo(2*time.Second), func() {
			if a.final == nil && a.status > 0 {
				a.cancel(nil)
			}
		})
	}
}

// replied takes an answer to a request within the dialog.
func (t *simTalk) replied(a *simAsk, seq uint32, offer string, m *sip.Message) {
	if m.Status < 200 {
		return
	}
	if ack := t.acks[seq]; ack != nil {
		t.phone.send(ack)
		return
	}
	if a.method == "INVITE" || a.method == "UPDATE" {
		t.changes--
		t.hear(m.Body)
		if m.Status < 300 {
			t.phone.w.tally["changed sessions"]++
		} else if m.Status == 491 {
			t.phone.w.tally["glares"]++
		}
	}
	if a.method == "INVITE" && m.Status < 300 {
		answer := ""
		if offer == "" && m.Body != "" {
			answer = t.say()
		}
		t.ack(seq, answer)
	}
	if m.Status == 491 {
		t.phone.after(t.phone.w.between(time.Second, 4*time.Second), t.chat)
	}
}

// ack acknowledges a 2xx.
func (t *simTalk) ack(seq uint32, body string) {
	t.acks[seq] = t.request("ACK", seq, t.phone.newBranch(), body)
	t.phone.send(t.acks[seq])
}

// say makes a session description that was not there before.
func (t *simTalk) say() string { return t.call.say(t.side) }

// hear sees to it that a session description is one of the other side's.
func (t *simTalk) hear(body string) {
	if body != "" && !t.call.said[t.side.Other()][body] {
		t.call.w.fault(t.call, "the %s hears a session description that the other side never sent: %q", t.side, body)
	}
}

// asked takes a request within the dialog.
func (t *simTalk) asked(a *simAsked) {
	w, m := t.phone.w, a.request
	switch {
	case t.over:
		a.answer(481, "", "", "")
	case m.Get(sip.CallID) != t.callID:
		w.fault(t.call, "the %s's tag with another Call-ID", t.side)
	case m.Seq <= t.heardSeq:
		a.answer(500, "", "", "")
	case m.Method == "BYE":
		t.heardSeq, t.heBye = m.Seq, true
		a.answer(200, "", "", "")
		for _, open := range t.taken {
			open.answer(487, "", "", "")
		}
		t.taken = nil
		t.end()
	case m.Method == "INVITE":
		t.heardSeq = m.Seq
		t.reinvited(a)
	case m.Method == "UPDATE":
		t.heardSeq = m.Seq
		t.hear(m.Body)
		if t.changes > 0 {
			a.answer(491, "", "", "")
			return
		}
		a.answer(200, "", "Contact: "+t.phone.contact()+"\r\n", t.say())
	default:
		t.heardSeq = m.Seq
		t.phone.after(w.upTo(2*time.Second), func() { a.answer(pick(w, 200, 200, 200, 202, 405), "", "", "") })
	}
}

// reinvited takes a re-INVITE.
func (t *simTalk) reinvited(a *simAsked) {
	w := t.phone.w
	t.hear(a.request.Body)
	switch {
	case t.changes > 0:
		a.answer(491, "", "", "")
		return
	case len(t.taken) > 0 || len(t.unacked) > 0:
		a.answer(500, "", "Retry-After: 3\r\n", "")
		return
	}
	t.taken = append(t.taken, a)
	settle := func(status int) bool {
		for i := range t.taken {
			if t.taken[i] == a {
				t.taken = append(t.taken[:i], t.taken[i+1:]...)
				if status >= 300 {
					a.answer(status, "", "", "")
				}
				return true
			}
		}
		return false
	}
	a.onCancel = func() { settle(487) }
	if w.chance(0.3) {
		a.answer(pick(w, 100, 180), "", "Contact: "+t.phone.contact()+"\r\n", "")
	}
	t.phone.after(w.upTo(3*time.Second), func() {
		if w.chance(0.1) {
			settle(488)
		} else if settle(200) {
			t.accept(a, t.say())
		}
	})
}

// accept sends a 2xx and repeats it until it is acknowledged (RFC 3261 §13.3.1.4).
func (t *simTalk) accept(a *simAsked, body string) {
	seq, since := a.request.Seq, t.phone.w.clock
	offered := body != "" && a.request.Body == ""
	t.unacked[seq] = offered
	data := a.answer(200, t.tag, "Contact: "+t.phone.contact()+"\r\n", body)
	var repeat func(time.Duration)
	repeat = func(wait time.Duration) {
		if _, open := t.unacked[seq]; !open {
			return
		}
		if t.phone.w.clock-since >= 64*sip.T1 {
			delete(t.unacked, seq)
			if !t.over {
				if a.request.Body != "" || t.call.acks && !t.call.phone.gone { // else it waits for the ACK of the caller
					t.call.doubt("the 2xx of the %s with CSeq %d was never acknowledged", t.side, seq)
				}
				t.hangUp()
			}
			return
		}
		if t.phone.w.clock > since {
			t.phone.send(data)
		}
		t.phone.after(wait, func() { repeat(min(2*wait, sip.T2)) })
	}
	repeat(sip.T1)
}

func (t *simTalk) acked(m *sip.Message) {
	offered, open := t.unacked[m.Seq]
	if !open {
		return
	}
	delete(t.unacked, m.Seq)
	t.hear(m.Body)
	if offered && m.Body == "" {
		// Only a call that is ending may go without the answer.
		t.phone.after(time.Minute, func() {
			if !t.over {
				t.call.doubt("the %s offered and never had an answer", t.side)
			}
		})
	}
	t.begin()
}

// hangUp says BYE, after the ACK of its own 2xx (RFC 3261 §15).
func (t *simTalk) hangUp() {
	if t.over {
		return
	}
	if len(t.unacked) > 0 {
		t.phone.after(sip.T1, t.hangUp)
		return
	}
	t.iBye = true
	t.seq++
	a := &simAsk{method: "BYE", branch: t.phone.newBranch()}
	a.data = t.request("BYE", t.seq, a.branch, "")
	a.onSilent = func() { t.call.doubt("nobody answered the %s's BYE", t.side) }
	t.phone.ask(a)
	for _, open := range t.taken {
		open.answer(487, "", "", "")
	}
	t.taken = nil
	t.end()
}

func (t *simTalk) end() {
	t.over, t.overAt = true, t.phone.w.clock
}
