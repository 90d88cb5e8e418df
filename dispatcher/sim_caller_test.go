package dispatcher

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// A simCall is a call as all its ends see it, and what was planned for it.
type simCall struct {
	w      *simWorld
	n      int
	callID string
	phone  *simPhone // the caller's
	users  int       // that were made up for targets

	// What the caller will do.
	offers   bool
	hops     int
	cancelAt time.Duration // after its INVITE; at the latest when it runs out of patience
	rude     bool          // it cancels before it has heard anything
	acks     bool
	copyAt   time.Duration // its INVITE comes again by another way; 0 for not
	talkFor  time.Duration
	hangsUp  call.Side
	chatter  int // requests that each side makes within the call

	// What came of it.
	asks      []*simAsk // its INVITE, and the copy
	began     bool
	beganAt   time.Duration
	gaveUp    bool
	gaveUpAt  time.Duration
	decidedAt time.Duration // when the first final answer came
	refusedAt time.Duration // when the final refusal came
	talks     []*simTalk    // of both sides
	rings     []*simRing
	records   []*call.Record
	dialled   map[string]int // how often the script called a user, or a callee redirected to it
	invited   map[string]int // how often an address was invited for a user
	said      [2]map[string]bool
	calleeOff bool     // a callee has vanished
	excuses   []string // why it may have ended badly
	unheard   int      // copies of its INVITE that came to a dead front
}

func newSimCall(w *simWorld, n int) *simCall {
	c := &simCall{
		w: w, n: n, callID: fmt.Sprintf("call-%d", n), offers: w.chance(0.85), hops: 70, acks: !w.chance(0.04),
		talkFor: w.upTo(40 * time.Second), hangsUp: call.Side(w.random.IntN(2)), cancelAt: w.between(time.Minute, 260*time.Second),
		dialled: map[string]int{}, invited: map[string]int{}, said: [2]map[string]bool{{}, {}},
	}
	switch {
	case w.chance(0.3):
		c.cancelAt, c.rude = w.upTo(pick(w, 100*time.Millisecond, 2*time.Second, 30*time.Second)), w.chance(0.3)
	case w.chance(0.02):
		c.hops = w.random.IntN(2)
	}
	if w.chance(0.3) {
		c.talkFor = w.upTo(time.Second)
	}
	if w.chance(0.08) && *simCopies {
		c.copyAt = w.upTo(300 * time.Millisecond)
	}
	if w.chance(0.5) {
		c.chatter = w.random.IntN(4)
	}
	w.owners[c.callID] = c
	c.phone = newSimPhone(w, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)}), 5060))
	w.after(w.upTo(w.span), c.begin)
	return c
}

func (c *simCall) String() string {
	if c == nil {
		return "the world"
	}
	return fmt.Sprintf("call %d (cancel at %v, talk %v)", c.n, c.cancelAt, c.talkFor)
}

func (c *simCall) fromTag() string { return fmt.Sprintf("from-%d", c.n) }

// begin sends the INVITE.
func (c *simCall) begin() {
	w := c.w
	c.began, c.beganAt = true, w.clock
	body := ""
	if c.offers {
		body = c.say(call.Caller)
	}
	c.invite(body)
	if c.copyAt > 0 {
		c.phone.after(c.copyAt, func() { c.invite(body) })
	}
	c.phone.after(c.cancelAt, c.giveUp)
	if w.chance(0.03) {
		w.after(w.upTo(40*time.Second), c.vanish)
	}
}

// vanish is a caller's phone that loses its power. Never both: nobody would end the
// call but its greatest duration.
func (c *simCall) vanish() {
	if c.calleeOff {
		return
	}
	c.phone.gone = true
	c.w.note(c, "the caller vanishes")
}

func (c *simCall) invite(body string) {
	a := &simAsk{method: "INVITE", branch: c.phone.newBranch()}
	var b strings.Builder
	fmt.Fprintf(&b, "INVITE sip:plan@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: %d\r\n"+
		"From: <sip:c%d@example.net>;tag=%s\r\nTo: <sip:plan@192.0.2.1>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContact: %s\r\n",
		c.phone.addr, a.branch, c.hops, c.n, c.fromTag(), c.callID, c.phone.contact())
	writeSimBody(&b, body)
	a.data = []byte(b.String())
	a.onAnswer = func(m *sip.Message) { c.heard(a, m) }
	a.onSilent = func() {
		if c.unheard == 0 { // or a copy or two fewer can be lost than the network loses
			c.doubt("nobody answered the INVITE")
		}
	}
	c.asks = append(c.asks, a)
	c.phone.ask(a)
}

// heard takes an answer to the INVITE.
func (c *simCall) heard(a *simAsk, m *sip.Message) {
	c.hear(m.Body)
	if m.Status >= 200 && c.decidedAt == 0 {
		c.decidedAt = c.w.clock
	}
	switch {
	case m.Status < 200:
		if c.gaveUp && !c.cancelled(a) {
			c.cancel(a)
		}
	case m.Status < 300:
		c.answered(a, m)
	case c.refusedAt == 0:
		c.refusedAt = c.w.clock
	}
}

// answered takes a 2xx: the first makes a dialog.
func (c *simCall) answered(a *simAsk, m *sip.Message) {
	for _, t := range c.talks {
		if t.side != call.Caller {
			continue
		}
		if strings.HasSuffix(t.remote, m.Get(sip.To)) {
			if ack := t.acks[1]; ack != nil {
				c.phone.send(ack)
			}
			return
		}
		if len(c.asks) == 1 {
			c.doubt("the caller is answered by two dialogs, %s and %s", t.remote, m.Get(sip.To))
		}
	}
	target, err := sip.ContactOf(m)
	if err != nil {
		c.w.fault(c, "a 2xx with a bad Contact: %v", err)
		return
	}
	t := (&simTalk{
		phone: c.phone, call: c, side: call.Caller, tag: c.fromTag(), callID: c.callID, seq: 1,
		local: fmt.Sprintf("<sip:c%d@example.net>;tag=%s", c.n, c.fromTag()), remote: m.Get(sip.To), target: target,
	}).enter()
	if !c.acks {
		return
	}
	answer := ""
	if !c.offers && m.Body != "" {
		answer = t.say()
	}
	t.ack(1, answer)
	if c.gaveUp {
		t.hangUp()
		return
	}
	t.begin()
}

// giveUp cancels, if there is still something to cancel. Polite callers wait for the
// first answer (RFC 3261 §9.1).
func (c *simCall) giveUp() {
	for _, a := range c.asks {
		if a.final != nil {
			continue
		}
		c.gaveUp, c.gaveUpAt = true, c.w.clock
		if a.status > 0 || c.rude {
			c.cancel(a)
		}
	}
}

func (c *simCall) cancelled(a *simAsk) bool { return c.phone.asks[a.branch+"CANCEL"] != nil }

func (c *simCall) cancel(a *simAsk) {
	c.w.tally["cancels"]++
	blind := a.status == 0
	a.cancel(func(m *sip.Message) {
		switch {
		case m.Status == 481 && blind: // it was faster than its INVITE
			c.excuse("the CANCEL overtook the INVITE")
		case m.Status == 481 && a.final == nil:
			c.phone.after(40*time.Second, func() {
				if a.final == nil {
					c.doubt("the front knows nothing of an INVITE it never answered")
					a.over, c.refusedAt = true, c.w.clock
				}
			})
		}
	})
	c.phone.after(10*time.Minute, func() {
		if a.final == nil && !a.over {
			c.doubt("an INVITE that was cancelled has no final answer")
			a.over, c.refusedAt = true, c.w.clock
		}
	})
}

func (c *simCall) say(side call.Side) string {
	body := fmt.Sprintf("v=0 %d %s %d\r\n", c.n, side, len(c.said[side]))
	c.said[side][body] = true
	return body
}

// hear sees to it that the caller hears of callees' session descriptions only.
func (c *simCall) hear(body string) {
	if body != "" && !c.said[call.Callee][body] {
		c.w.fault(c, "the caller hears a session description that no callee sent: %q", body)
	}
}

// leftAt tells when a side left the call, if it has.
func (c *simCall) leftAt(side call.Side) (at time.Duration, left bool) {
	known := false
	for _, t := range c.talks {
		if t.side == side {
			known = true
			if !t.over || t.phone.gone { // of one that is gone, its BYE may be too
				return 0, false
			}
			at = max(at, t.overAt)
		}
	}
	if side == call.Caller && !known {
		return c.refusedAt, c.refusedAt > 0
	}
	return at, known
}

func (c *simCall) someoneGone() bool { return c.phone.gone || c.calleeOff }

func (c *simCall) excuse(why string) { c.excuses = append(c.excuses, why) }

// doubt is a fault of a call that nothing excuses.
func (c *simCall) doubt(format string, args ...any) {
	c.w.note(c, "doubt: "+format, args...)
	if c.w.fair && len(c.excuses) == 0 {
		c.w.fault(c, format, args...)
	}
}

// settled reports whether no end of the call has anything before it.
func (c *simCall) settled() bool {
	if !c.began {
		return false
	}
	for _, a := range c.asks {
		if a.final == nil && !a.over && !c.phone.gone {
			return false
		}
	}
	for _, t := range c.talks {
		if !t.over && !t.phone.gone {
			return false
		}
	}
	for _, r := range c.rings {
		if !r.over() {
			return false
		}
	}
	return true
}
