package dispatcher

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// A simRing is an INVITE that a callee has seen, and what becomes of it.
type simRing struct {
	phone    *simPhone
	call     *simCall
	asked    *simAsked
	tag      string
	talks    []*simTalk
	mute     bool // it never says a word
	stubborn bool // it answers although it was cancelled
}

func newSimCallee(w *simWorld, addr netip.AddrPort) *simPhone {
	p := newSimPhone(w, addr)
	p.invited = func(a *simAsked) { p.ring(a) }
	return p
}

// newTarget makes a phone for one target of a call and returns its URI.
func (c *simCall) newTarget() (uri, user string) {
	w := c.w
	k := len(w.phones)
	p := newSimCallee(w, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 19, byte(k >> 8), byte(k)}), 5060))
	user = c.newUser()
	return "sip:" + user + "@" + p.addr.String(), user
}

func (c *simCall) newUser() string {
	c.users++
	return fmt.Sprintf("t%dx%d", c.n, c.users)
}

// ring takes a new call.
func (p *simPhone) ring(a *simAsked) {
	w, m := p.w, a.request
	c := w.owners[m.Get(sip.CallID)]
	if c == nil {
		w.fault(nil, "an INVITE of nobody's call: %s", m.URI)
		return
	}
	if p.challenges && m.Find("Proxy-Authorization") == "" {
		a.answer(407, "c"+p.newBranch(), "Proxy-Authenticate: Digest realm=\"sim\", nonce=\"n\", algorithm=MD5\r\n", "")
		return
	}
	user := m.Target.User
	key := user + "@" + p.addr.String()
	allowed := c.dialled[user]
	if user == simFallback {
		allowed = 1
	}
	if c.invited[key]++; c.invited[key] > allowed {
		c.doubt("%s was invited %d times and dialled %d times", key, c.invited[key], allowed)
	}
	if offer := m.Body; (offer != "") != c.offers || offer != "" && !c.said[call.Caller][offer] {
		w.fault(c, "an INVITE with another offer than the caller's: %q", offer)
	}
	r := &simRing{phone: p, call: c, asked: a, tag: fmt.Sprintf("r%x-%s-%d", p.addr.Addr().AsSlice()[2:], p.newBranch()[8:], c.n), stubborn: w.chance(0.05)}
	c.rings = append(c.rings, r)
	w.tally["rings"]++
	a.onCancel = r.cancelled
	r.behave()
}

// behave draws what the callee does.
func (r *simRing) behave() {
	w := r.phone.w
	if w.chance(0.04) {
		r.mute, r.asked.deaf = true, true
		return
	}
	r.phone.after(w.upTo(4*time.Second), func() { // or the front would give up before it hears of it
		if r.asked.status == 0 {
			r.asked.answer(100, "", "", "")
		}
	})
	for range w.random.IntN(4) {
		r.phone.after(w.upTo(4*time.Second), r.progress)
	}
	if w.chance(0.3) {
		r.progress()
	}
	at := w.upTo(pick(w, 200*time.Millisecond, 3*time.Second, 20*time.Second))
	switch p := w.random.Float64(); {
	case p < 0.58:
		r.phone.after(at, r.answer)
	case p < 0.62:
		r.phone.after(at, func() { r.answer(); r.phone.after(w.upTo(time.Second), r.answerAgain) })
	case p < 0.90:
		r.phone.after(at, func() { r.refuse(pick(w, 486, 486, 486, 404, 408, 480, 500, 503, 600, 603)) })
	case p < 0.95:
		r.phone.after(at, r.redirect)
	case r.phone.mute == nil && p < 0.97:
		r.phone.after(at, r.vanish)
	default: // it rings for ever
		r.phone.after(at, r.progress)
		r.phone.after(400*time.Second, func() {
			if r.asked.status < 200 {
				r.call.doubt("%s rang for ever", r.asked.request.URI)
				r.refuse(480)
			}
		})
	}
}

func (r *simRing) vanish() {
	if r.call.phone.gone {
		return
	}
	r.phone.w.note(r.call, "%s vanishes", r.phone.addr)
	r.phone.gone, r.call.calleeOff = true, true
}

func (r *simRing) progress() {
	w := r.phone.w
	if r.asked.status >= 200 {
		return
	}
	status := pick(w, 100, 180, 180, 180, 181, 183, 183)
	body := ""
	if status == 183 || r.call.offers && status == 180 && w.chance(0.1) {
		if r.call.offers {
			body = r.call.say(call.Callee)
		}
	}
	r.asked.answer(status, r.tag, "Contact: "+r.phone.contact()+"\r\n", body)
}

func (r *simRing) refuse(status int) {
	if r.asked.status < 200 {
		r.asked.answer(status, r.tag, "", "")
	}
}

func (r *simRing) redirect() {
	if r.asked.status >= 200 {
		return
	}
	var contacts []string
	for range 1 + r.phone.w.random.IntN(3) {
		uri, user := r.call.newTarget()
		r.call.dialled[user]++
		contacts = append(contacts, "<"+uri+">")
	}
	r.asked.answer(302, r.tag, "Contact: "+strings.Join(contacts, ", ")+"\r\n", "")
}

// cancelled takes a CANCEL.
func (r *simRing) cancelled() {
	w := r.phone.w
	w.tally["cancelled legs"]++
	if at := r.call.decidedAt; len(r.call.asks) == 1 && at > r.asked.since && w.clock-at > 45*time.Second {
		r.call.doubt("%s rang on for %v after the caller had an answer", r.asked.request.URI, w.clock-at)
	}
	if r.stubborn {
		r.phone.after(w.upTo(time.Second), r.answer)
		return
	}
	r.refuse(487)
}

// answer takes the call.
func (r *simRing) answer() {
	if r.asked.status < 200 {
		r.accept(r.tag)
	}
}

// answerAgain is a second 2xx, of another party behind a proxy that forked.
func (r *simRing) answerAgain() {
	if len(r.talks) == 1 {
		r.phone.w.tally["forks"]++
		r.accept(r.tag + "f")
	}
}

func (r *simRing) accept(tag string) {
	m := r.asked.request
	target, err := sip.ContactOf(m)
	if err != nil {
		r.call.w.fault(r.call, "an INVITE with a bad Contact: %v", err)
		return
	}
	t := (&simTalk{
		phone: r.phone, call: r.call, side: call.Callee, tag: tag, callID: m.Get(sip.CallID),
		local: m.Get(sip.To) + ";tag=" + tag, remote: m.Get(sip.From), target: target, heardSeq: m.Seq,
	}).enter()
	r.talks = append(r.talks, t)
	body := t.say()
	if r.call.w.chance(0.03) {
		body = ""
	}
	t.accept(r.asked, body)
}

// over reports whether the INVITE has its end.
func (r *simRing) over() bool {
	a := r.asked
	return r.phone.gone || r.mute || a.status >= 300 && a.done || a.status >= 200 && a.status < 300
}
