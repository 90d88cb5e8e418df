package call

import (
	"strings"
	"time"
)

func (c *Call) sent(now time.Time, ev Sent) {
	l := &c.Legs[ev.Leg]
	l.CallID, l.Address = ev.CallID, ev.Address
	if c.state == Dialling {
		c.save()
	}
}

// progress passes a leg's ringing on. Once the caller hears somebody's early media,
// nobody else's ringing disturbs it.
func (c *Call) progress(now time.Time, ev Progress) {
	l, n := &c.Legs[ev.Leg], ev.Leg+1
	if !l.trying() || c.state != Dialling && !c.transfers(ev.Leg) {
		return
	}
	if l.state = Ringing; l.Rang.IsZero() {
		l.Rang = now
	}
	if c.state == Talking {
		c.notify(ev.Code)
		return
	}
	d := &c.dial
	if d.media > 0 && d.media != n && c.Legs[d.media-1].trying() || ev.Body == "" && d.rang == ev.Code {
		return
	}
	if ev.Body != "" && d.media != n {
		if d.media > 0 {
			d.face++
		}
		d.media = n
	}
	d.rang = ev.Code
	c.respond(Respond{Status: ev.Code, Reason: ev.Reason, Headers: ev.Headers, Body: ev.Body, Face: d.face})
}

// answered connects the first leg that answers; one that comes too late is hung up.
func (c *Call) answered(now time.Time, ev Answered) {
	l := &c.Legs[ev.Leg]
	switch {
	case l.trying() && c.state == Dialling:
		c.connect(now, ev)
	case l.trying() && c.transfers(ev.Leg):
		c.transferAnswered(now, ev)
	case l.state == Quitting:
		if l.Answer = now; l.Status == 0 {
			l.Status, l.Reason = ev.Code, "too late"
		}
		c.emit(Drop{Leg: ev.Leg})
		l.end(now, ev.Code, "")
	}
}

func (c *Call) connect(now time.Time, ev Answered) {
	l, d := &c.Legs[ev.Leg], &c.dial
	l.state, l.deadline, l.Answer, l.Status, l.Reason = Up, time.Time{}, now, ev.Code, ev.Reason
	c.quitLegs(now, ev.Leg, `SIP;cause=200;text="Call completed elsewhere"`)
	if d.media > 0 && d.media != ev.Leg+1 {
		d.face++
	}
	c.state, c.Answer, c.Status, c.Outcome = Talking, now, ev.Code, Connected
	c.times = times{asked: c.times.asked}
	if most := shorter(l.Max, c.policy.Duration); most > 0 {
		c.times.hangup = now.Add(most)
	}
	c.emit(Connect{Leg: ev.Leg})
	c.respond(Respond{Status: ev.Code, Reason: ev.Reason, Headers: ev.Headers, Body: ev.Body, Face: d.face})
	c.save()
	if c.running {
		c.times.grace = now.Add(c.policy.Grace)
		c.tell(now, DialAnswered, result{Code: ev.Code, Reason: ev.Reason, Leg: ev.Leg + 1}, nil)
	}
	c.slim()
}

// slim lets go of what an answered call needs no more. Its strings are parts of whole
// packets; what it keeps of them is copied, so that those can go.
func (c *Call) slim() {
	r := &c.Record
	for _, s := range []*string{&r.CallID, &r.From, &r.To} {
		*s = strings.Clone(*s)
	}
	for i := range c.Legs {
		l := &c.Legs[i]
		l.Target = Target{Transfer: l.Transfer}
		l.Called, l.Reason = strings.Clone(l.Called), strings.Clone(l.Reason)
	}
	c.headers, c.dial = nil, dial{}
}

// shorter is the smaller of two limits, of which 0 is none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
