package call

import "time"

// transfer is a REFER that the front carries out itself: it calls the new party with a
// leg of the call's own and then puts it in the place of the one that asked (RFC 5589,
// by the third party call control of RFC 3725 §4.1).
//
//	asked ─▶ invite, no offer ─▶ answered with an offer ─▶ swap: offer it to the party
//	 202 │          │ failed, too long                       │         that stays
//	     │          ▼                                        ▼
//	     └ notify ◀─┴───────────────── refused ◀─────────── swapped: replace, notify 200
//
// Until the new party is there the old conversation goes on, and if it never comes
// nothing has happened.
type transfer struct {
	by   Side // who asked, and will be replaced
	leg  int
	swap bool // the leg has answered; the party that stays is being asked
	gone bool // who asked has hung up
}

// startTransfer calls the new party.
func (c *Call) startTransfer(now time.Time, ev Asked) {
	switch {
	case c.transferring != nil:
		c.emit(Refuse{ID: ev.ID, Code: 491})
		return
	case len(c.Legs) >= c.policy.Legs:
		c.emit(Refuse{ID: ev.ID, Code: 500})
		return
	}
	c.emit(Accept{ID: ev.ID})
	c.emit(Notify{Side: ev.From, Code: 100})
	c.Legs = append(c.Legs, Leg{Target: ev.Refer, LegRecord: LegRecord{Called: ev.Refer.URI}})
	c.transferring = &transfer{by: ev.From, leg: len(c.Legs) - 1}
	c.invite(now, Invite{Leg: len(c.Legs) - 1, Bare: true, As: ev.From.Other()})
}

// transfers reports whether a leg is that of the transfer under way.
func (c *Call) transfers(leg int) bool {
	return c.state == Talking && c.transferring != nil && c.transferring.leg == leg
}

// tickTransfer gives the new party up when it has rung for too long.
func (c *Call) tickTransfer(now time.Time) {
	t := c.transferring
	if l := &c.Legs[t.leg]; l.trying() && l.due(now) {
		l.Status, l.Reason = 408, "no answer"
		c.quit(now, t.leg, "")
		c.transferFailed(now, 408)
	}
}

// transferFailed leaves everything as it was, unless nobody is left to talk to.
func (c *Call) transferFailed(now time.Time, code int) {
	t := c.transferring
	if c.transferring = nil; t.gone {
		c.hangUp(now, t.by.String(), t.by.Other())
		return
	}
	c.emit(Notify{Side: t.by, Code: code})
}

// leaves lets the party that asked for a transfer hang up before the new one is there.
func (c *Call) leaves(side Side) bool {
	t := c.transferring
	if t == nil || t.by != side || t.gone {
		return false
	}
	t.gone = true
	c.emit(Leave{Side: side})
	return true
}

// notify tells the party that asked, if it is still there.
func (c *Call) notify(code int) {
	if t := c.transferring; !t.gone {
		c.emit(Notify{Side: t.by, Code: code})
	}
}

// transferAnswered offers the new party's session to the one that stays. One change
// of the session at a time.
func (c *Call) transferAnswered(now time.Time, ev Answered) {
	t, l := c.transferring, &c.Legs[ev.Leg]
	for _, x := range c.exchanges {
		if x.offer {
			l.Answer = now
			c.emit(Drop{Leg: ev.Leg})
			l.end(now, ev.Code, "")
			c.transferFailed(now, 491)
			return
		}
	}
	l.state, l.deadline, l.Answer, l.Status, l.Reason = Up, time.Time{}, now, ev.Code, ev.Reason
	t.swap = true
	c.emit(Swap{Leg: ev.Leg, Stays: t.by.Other()})
}

// swapped takes what the party that stays says of the new session.
func (c *Call) swapped(now time.Time, ev Swapped) {
	t := c.transferring
	if t == nil || !t.swap || t.leg != ev.Leg {
		return
	}
	if ev.Code >= 300 {
		c.emit(Drop{Leg: ev.Leg})
		c.Legs[ev.Leg].end(now, 0, "")
		c.transferFailed(now, ev.Code)
		return
	}
	if t.by == Callee {
		for i := range c.Legs {
			if l := &c.Legs[i]; i != ev.Leg && l.state == Up {
				l.end(now, 0, "")
			}
		}
	}
	c.notify(200)
	c.emit(Replace{Leg: ev.Leg, Side: t.by})
	c.transferring = nil
	c.save()
}

// endTransfer gives the new party up because the old ones have hung up.
func (c *Call) endTransfer(now time.Time) {
	t := c.transferring
	if t == nil {
		return
	}
	if l := &c.Legs[t.leg]; l.trying() {
		c.quit(now, t.leg, "")
	} else if t.swap {
		c.emit(Drop{Leg: t.leg})
		l.end(now, 0, "")
	}
	c.transferring = nil
}
