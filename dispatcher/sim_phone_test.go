package dispatcher

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"dialyard/dispatcher/sip"
)

// A simPhone is a SIP user agent at one address, written without the front's own
// transactions, so that an error of theirs is not made twice. All its requests go to
// the front.
type simPhone struct {
	w        *simWorld
	addr     netip.AddrPort
	gone     bool // it hears and says nothing any more
	branches int
	asks     map[string]*simAsk   // requests it made, by branch and method
	asked    map[string]*simAsked // requests it got, likewise
	talks    map[string]*simTalk  // dialogs, by both tags, its own first

	invited    func(*simAsked) // takes a new call
	challenges bool            // it wants credentials for one
	mute       func() bool     // it does not answer pings at present
}

func newSimPhone(w *simWorld, addr netip.AddrPort) *simPhone {
	p := &simPhone{w: w, addr: addr, asks: map[string]*simAsk{}, asked: map[string]*simAsked{}, talks: map[string]*simTalk{}}
	w.phones[addr] = p
	return p
}

// after lets the phone do something, if it is still there then.
func (p *simPhone) after(d time.Duration, do func()) {
	p.w.after(d, func() {
		if !p.gone {
			do()
		}
	})
}

func (p *simPhone) send(data []byte) { p.w.send(p.addr, simFrontAddr, data) }

func (p *simPhone) newBranch() string {
	p.branches++
	return fmt.Sprintf("z9hG4bK-%d-%d", p.addr.Port(), p.branches)
}

func (p *simPhone) contact() string { return "<sip:" + p.addr.String() + ">" }

// receive takes a datagram.
func (p *simPhone) receive(data []byte) {
	m, refusal := sip.Scan(data)
	switch {
	case refusal != nil:
		p.w.fault(nil, "the guard would refuse what the front sent: %v: %q", refusal, data)
	case !m.IsRequest():
		if a := p.asks[m.Branch+m.Method]; a != nil {
			a.answered(m)
		}
	case m.Method == "ACK":
		p.acked(m)
	default:
		p.request(m)
	}
}

// acked takes an ACK: of a refusal by its branch, of a 2xx by its dialog.
func (p *simPhone) acked(m *sip.Message) {
	if a := p.asked[m.Branch+"INVITE"]; a != nil && a.status >= 300 {
		a.done = true
		return
	}
	if t := p.talkOf(m); t != nil {
		t.acked(m)
	}
}

// talkOf is the dialog of a request, nil if there is none.
func (p *simPhone) talkOf(m *sip.Message) *simTalk {
	return p.talks[m.ToTag()+" "+sip.Tag(m.Get(sip.From))]
}

func (p *simPhone) request(m *sip.Message) {
	key := m.Branch + m.Method
	if a := p.asked[key]; a != nil {
		if a.last != nil {
			p.send(a.last)
		}
		return
	}
	a := &simAsked{phone: p, request: m, since: p.w.clock}
	p.asked[key] = a
	if m.Method == "CANCEL" {
		p.cancelled(a)
		return
	}
	t := p.talkOf(m)
	switch {
	case t != nil:
		t.asked(a)
	case m.ToTag() == "" && m.Method == "INVITE" && p.invited != nil:
		p.invited(a)
	case m.Method == "OPTIONS" && p.mute != nil && p.mute():
	case m.Method == "OPTIONS":
		a.answer(200, "", "", "")
	default:
		a.answer(481, "", "", "")
	}
}

func (p *simPhone) cancelled(c *simAsked) {
	a := p.asked[c.request.Branch+"INVITE"]
	if a == nil {
		c.answer(481, "", "", "")
		return
	}
	if a.deaf {
		return
	}
	c.answer(200, "", "", "")
	if a.cancelled = true; a.status < 200 && a.onCancel != nil {
		a.onCancel()
	}
}

// A simAsk is a request that a phone made: the client's side of a transaction.
type simAsk struct {
	phone    *simPhone
	method   string
	branch   string
	data     []byte
	ack      []byte // of a refused INVITE
	status   int    // the last heard; 0 for none
	final    *sip.Message
	over     bool
	since    time.Duration
	sent     time.Duration      // for the last time
	onAnswer func(*sip.Message) // 1xx and finals, each as it comes, again too if it is a 2xx
	onSilent func()
}

// ask sends a request and repeats it (RFC 3261 §17.1).
func (p *simPhone) ask(a *simAsk) *simAsk {
	a.phone, a.since = p, p.w.clock
	p.asks[a.branch+a.method] = a
	a.repeat(sip.T1)
	return a
}

func (a *simAsk) repeat(wait time.Duration) {
	p := a.phone
	switch {
	case a.over || a.method == "INVITE" && a.status > 0:
		return
	case p.w.clock-a.since >= 64*sip.T1:
		a.over = true
		if a.onSilent != nil {
			a.onSilent()
		}
		return
	}
	p.send(a.data)
	a.sent = p.w.clock
	next := 2 * wait
	if a.method != "INVITE" {
		next = min(next, sip.T2)
	}
	p.after(min(wait, a.since+64*sip.T1-p.w.clock), func() { a.repeat(next) })
}

func (a *simAsk) answered(m *sip.Message) {
	if a.final != nil && m.Status >= 200 {
		if m.Status != a.final.Status && a.method == "INVITE" {
			a.phone.w.owners[m.Get(sip.CallID)].doubt("an INVITE had the final answer %d and now %d", a.final.Status, m.Status)
		}
		if a.ack != nil {
			a.phone.send(a.ack)
		} else if a.method == "INVITE" {
			a.onAnswer(m)
		}
		return
	}
	if a.final != nil || a.over && a.method != "INVITE" {
		return
	}
	a.status = m.Status
	if m.Status >= 200 {
		a.final, a.over = m, true
		if a.method == "INVITE" && m.Status >= 300 {
			a.ack = a.hopByHop("ACK", m.Get(sip.To))
			a.phone.send(a.ack)
		}
	}
	if a.onAnswer != nil {
		a.onAnswer(m)
	}
}

// hopByHop makes the ACK of a refusal, or a CANCEL.
func (a *simAsk) hopByHop(method, to string) []byte {
	head, _, _ := strings.Cut(string(a.data), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	_, rest, _ := strings.Cut(lines[0], " ")
	kept := []string{method + " " + rest}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ": ")
		switch name {
		case "To":
			if to == "" {
				to = value
			}
			kept = append(kept, "To: "+to)
		case "CSeq":
			number, _, _ := strings.Cut(value, " ")
			kept = append(kept, "CSeq: "+number+" "+method)
		case "Via", "From", "Call-ID", "Max-Forwards", "Route":
			kept = append(kept, l)
		}
	}
	return []byte(strings.Join(kept, "\r\n") + "\r\nContent-Length: 0\r\n\r\n")
}

// cancel gives an INVITE up.
func (a *simAsk) cancel(onAnswer func(*sip.Message)) {
	a.phone.ask(&simAsk{method: "CANCEL", branch: a.branch, data: a.hopByHop("CANCEL", ""), onAnswer: onAnswer})
}

// A simAsked is a request that a phone got: the server's side of a transaction.
type simAsked struct {
	phone     *simPhone
	request   *sip.Message
	since     time.Duration
	last      []byte // what a repeat hears
	status    int    // the last sent
	done      bool   // a refused INVITE: acknowledged
	cancelled bool
	orphan    bool // the front that made the request was killed when it had been refused
	deaf      bool // it hears no CANCEL
	onCancel  func()
}

// answer sends a response; a refusal of an INVITE is repeated until it is
// acknowledged, a 2xx is its dialog's to repeat.
func (a *simAsked) answer(status int, tag, headers, body string) []byte {
	m := a.request
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", status, sip.Phrase(status))
	for _, v := range m.All("Via") {
		b.WriteString("Via: " + v + "\r\n")
	}
	to := m.Get(sip.To)
	if m.ToTag() == "" && status > 100 && tag != "" {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s", m.Get(sip.From), to, m.Get(sip.CallID), m.Get(sip.CSeq), headers)
	writeSimBody(&b, body)
	a.last, a.status = []byte(b.String()), status
	if m.Method == "INVITE" && status >= 300 {
		a.refuse(sip.T1)
	} else {
		a.phone.send(a.last)
	}
	return a.last
}

func (a *simAsked) refuse(wait time.Duration) {
	if p := a.phone; !a.done && p.w.clock-a.since < 10*time.Minute {
		p.send(a.last)
		p.after(wait, func() { a.refuse(min(2*wait, sip.T2)) })
		if wait == sip.T1 {
			p.after(64*sip.T1, func() { p.unacked(a) })
		}
	}
}

// unacked is 64·T1 after a refusal.
func (p *simPhone) unacked(a *simAsked) {
	if c := p.w.owners[a.request.Get(sip.CallID)]; !a.done && !a.orphan && c != nil {
		c.doubt("the answer %d was never acknowledged", a.status)
	}
	a.done = true
}

func writeSimBody(b *strings.Builder, body string) {
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s", len(body), body)
}
