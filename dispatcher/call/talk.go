package call

import "time"

// exchange is a request that one party of an answered call made of the other.
type exchange struct {
	id    uint32
	from  Side
	offer bool // an INVITE or UPDATE: it changes the session
	own   bool // a usage of its own in the dialog (RFC 5057 §5): its end is not the call's
}

// maxExchanges bounds the requests that wait for an answer at once.
const maxExchanges = 16

func (c *Call) stepTalking(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Asked:
		c.asked(now, ev)
	case Swapped:
		c.swapped(now, ev)
	case Replied:
		c.replied(now, ev)
	case Bye:
		if c.leaves(ev.From) {
			return
		}
		c.EndedBy = ev.From.String()
		c.parted(now)
		c.emit(HangUp{Side: ev.From.Other(), Headers: ev.Headers})
	case Unheard:
		c.hangUp(now, "system", Caller, Callee)
	default:
		c.stepLast(ev)
	}
}

// asked passes a request on to the other party, unless it may not be or comes at a
// bad moment: one change of the session at a time (RFC 3261 §14.2, RFC 3311 §5.2).
func (c *Call) asked(now time.Time, ev Asked) {
	code := 0
	switch {
	case len(c.exchanges) >= maxExchanges:
		code = 500
	case ev.Method == "PRACK": // 100rel was offered to nobody
		code = 481
	case ev.Method == "REFER" && c.transfer() == TransferCall:
		c.startTransfer(now, ev)
		return
	case ev.Method == "REFER" && c.transfer() != TransferPass:
		code = 603
	case c.transferring != nil && (c.transferring.gone || ev.Offer && c.transferring.swap):
		code = 491
	}
	for _, x := range c.exchanges {
		switch {
		case !ev.Offer || !x.offer:
		case x.from == ev.From:
			code = 500
		default:
			code = 491
		}
	}
	if code != 0 {
		c.emit(Refuse{ID: ev.ID, Code: code})
		return
	}
	own := ev.Method == "NOTIFY" || ev.Method == "SUBSCRIBE" || ev.Method == "REFER"
	c.exchanges = append(c.exchanges, exchange{ev.ID, ev.From, ev.Offer, own})
	c.emit(Pass{ID: ev.ID})
}

// transfer is what a REFER may do in this call: what the answering leg's dial said,
// within what the account allows.
func (c *Call) transfer() Transfer {
	for i := range c.Legs {
		if l := &c.Legs[i]; l.state == Up && l.Transfer != TransferUnset {
			if c.policy.Transfer <= TransferNone {
				return TransferNone
			}
			return l.Transfer
		}
	}
	return c.policy.Transfer
}

// replied passes an answer back. A party that knows nothing of the dialog any more,
// or that does not answer to a change of the session, has gone (RFC 3261 §12.2.1.2,
// RFC 5057 §5.1).
func (c *Call) replied(now time.Time, ev Replied) {
	for i, x := range c.exchanges {
		if x.id != ev.ID {
			continue
		}
		c.emit(Return{ID: ev.ID})
		if ev.Code < 200 {
			return
		}
		c.exchanges = append(c.exchanges[:i], c.exchanges[i+1:]...)
		if ev.Code == 481 && !x.own || ev.Code == 408 && x.offer {
			c.hangUp(now, x.from.Other().String(), Caller, Callee)
		}
		return
	}
}

// hangUp ends the conversation from within.
func (c *Call) hangUp(now time.Time, by string, sides ...Side) {
	c.EndedBy = by
	limited := due(c.times.hangup, now)
	c.parted(now)
	for _, s := range sides {
		var headers []Field
		if limited {
			headers = []Field{{Name: "Reason", Value: `Q.850;cause=102;text="call duration limit"`}}
		}
		c.emit(HangUp{Side: s, Headers: headers})
	}
}

// parted ends the conversation; what still waits for an answer hears that it is
// over (RFC 3261 §15.1.2).
func (c *Call) parted(now time.Time) {
	for _, x := range c.exchanges {
		c.emit(Refuse{ID: x.id, Code: 487})
	}
	c.exchanges = nil
	c.endTransfer(now)
	for i := range c.Legs {
		if l := &c.Legs[i]; l.state == Up {
			l.end(now, 0, "")
		}
	}
	c.End = now
	c.close(now)
}
