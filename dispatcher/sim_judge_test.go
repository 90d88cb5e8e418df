package dispatcher

import (
	"strings"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// simTally counts what came about, so that a test can see that it did.
type simTally map[string]int

// judge holds the world against the rules when all is over.
func (w *simWorld) judge() {
	w.tally["restored"] += int(w.front.Stats.Restored.Load())
	w.tally["strays"] += int(w.front.Stats.Strays.Load())
	for _, c := range w.calls {
		w.judgeCall(c)
	}
	if text := w.front.leftovers(); text != "" {
		for l := range w.front.lives() {
			w.fault(w.owners[l.call.CallID], "the front still has the call: %s, legs %v", l.call.State(), l.call.Legs)
		}
		w.fault(nil, "the front still has:%s", text)
	}
	if n := len(w.store.rows) + len(w.store.waiting); n > 0 {
		w.fault(nil, "the store still has %d calls", n)
	}
	if n := w.front.Stats.RecordsLost.Load() + w.front.Stats.ReportsLost.Load(); n > 0 {
		w.fault(nil, "%d records or reports were dropped", n)
	}
}

func (w *simWorld) judgeCall(c *simCall) {
	w.tally["calls"]++
	w.tally["records"] += len(c.records)
	if len(c.excuses) > 0 {
		w.tally["excused"]++
	}
	if !c.settled() {
		c.doubt("the call is not over: %s", c.open())
	}
	finals := c.finals()
	switch n := len(c.records); {
	case n > len(c.asks):
		c.doubt("%d records of %d INVITEs", n, len(c.asks))
	case n > 1 && len(finals) < 2 && !c.phone.gone:
		c.doubt("%d records of a call", n)
	case n > 1 && c.beganAt < c.w.front.began:
		// While nobody listened, one copy fell behind the other's whole transaction.
	case n > 1:
		c.doubt("one INVITE that came by two ways became %d calls", n)
	case n == 0 && len(finals) > 0:
		c.doubt("no record, and the caller heard %d", finals[0].Status)
	}
	if len(c.records) == 1 && len(c.asks) == 1 && len(finals) == 1 {
		c.judgeRecord(c.records[0], finals[0])
	}
	if len(finals) == 0 && !c.phone.gone {
		c.doubt("no final answer")
	}
	c.judgeLegs()
}

// finals are the final answers that the caller heard, one of each INVITE.
func (c *simCall) finals() (finals []*sip.Message) {
	for _, a := range c.asks {
		if a.final != nil {
			finals = append(finals, a.final)
		}
	}
	return finals
}

// judgeRecord holds the record against what the caller saw.
func (c *simCall) judgeRecord(r *call.Record, final *sip.Message) {
	if r.Status != final.Status {
		c.doubt("the caller heard %d, the record says %d", final.Status, r.Status)
	}
	if answered := final.Status < 300; answered == r.Answer.IsZero() {
		c.doubt("the caller heard %d, the record's answer is at %v", final.Status, r.Answer)
	}
	if final.Status >= 300 {
		return
	}
	c.w.tally["answered"]++
	caller, callee := c.hungUp(call.Caller), c.hungUp(call.Callee)
	switch {
	case r.EndedBy == "caller" && callee && !caller && !c.someoneGone(),
		r.EndedBy == "callee" && caller && !callee && !c.someoneGone():
		c.doubt("the record says that the %s hung up", r.EndedBy)
	}
}

// hungUp reports whether a side said BYE. Callees that were given up for another may
// have, too.
func (c *simCall) hungUp(side call.Side) bool {
	for _, t := range c.talks {
		if t.side == side && t.iBye {
			return true
		}
	}
	return false
}

// judgeLegs holds the legs of the records against what callees saw.
func (c *simCall) judgeLegs() {
	if len(c.records) == 0 {
		return
	}
	recorded := map[string]int{}
	for _, r := range c.records {
		for _, l := range r.Legs {
			if l.CallID != "" {
				recorded[l.CallID]++
			}
			if l.End.IsZero() {
				c.doubt("the leg to %s has no end in the record", l.Called)
			}
		}
	}
	for _, r := range c.rings {
		if id := r.asked.request.Get(sip.CallID); recorded[id] != 1 {
			c.doubt("the leg %s of %s is %d times in the records", id, r.asked.request.URI, recorded[id])
		}
	}
}

// open tells what a call still has before it.
func (c *simCall) open() string {
	var list []string
	for _, a := range c.asks {
		if a.final == nil && !a.over && !c.phone.gone {
			list = append(list, "no final answer")
		}
	}
	for _, t := range c.talks {
		if !t.over && !t.phone.gone {
			list = append(list, "the "+t.side.String()+" "+t.phone.addr.String()+" is in the call")
		}
	}
	for _, r := range c.rings {
		if !r.over() {
			list = append(list, r.asked.request.URI+" rings")
		}
	}
	return strings.Join(list, ", ")
}

// killed notes what a killed front knew of a call. What the store did not have, or had
// in an older state, may be lost, and so may what was being said at that moment.
func (c *simCall) killed(f *simFront) {
	for _, a := range c.asks {
		if c.w.clock-a.sent <= simLate && c.began {
			c.excuse("killed while copies of its INVITE were on their way")
		}
	}
	if !c.began || c.settled() && len(c.records) == len(c.asks) {
		return
	}
	known := false
	for l := range f.lives() {
		if l.call.CallID == c.callID {
			if known = true; !f.w.store.newest(l.call.ID) || l.dirty || l.ringing {
				c.excuse("killed before it was saved")
			}
		}
	}
	if !known {
		c.excuse("killed before it began or after it was over")
	}
	for _, t := range c.talks {
		switch {
		case !t.quiet():
			c.excuse("killed in the middle of a request")
		case t.side == call.Callee && !t.over && !f.talksTo(t.tag):
			c.excuse("killed while it sent a callee away that answered too late")
		}
	}
}

// talksTo reports whether a call has the party with this tag.
func (f *simFront) talksTo(tag string) bool {
	for _, s := range f.shards {
		for _, p := range s.dialogs {
			if p.dialog.RemoteTag == tag {
				return true
			}
		}
	}
	return false
}

// quiet reports whether no request of a dialog is under way.
func (t *simTalk) quiet() bool {
	for _, a := range t.asks {
		if a.final == nil && !a.over {
			return false
		}
	}
	return len(t.unacked)+len(t.taken) == 0
}

// lives are all the calls of a front.
func (f *simFront) lives() map[*live]bool {
	all := map[*live]bool{}
	for _, s := range f.shards {
		for _, l := range s.calls {
			all[l] = true
		}
		for _, l := range s.runs {
			all[l] = true
		}
		for _, p := range s.dialogs {
			all[p.live] = true
		}
	}
	return all
}
