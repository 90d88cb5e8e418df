package call

import "time"

// dial is the dial under way, or the last one.
type dial struct {
	seq    uint32
	groups [][]Target // still to come
	began  time.Time
	first  int    // its first leg in Call.Legs
	group  int    // the first leg of the present group
	media  int    // the leg, counted from 1, whose session description the caller has; 0 for none
	face   int    // the To tag the caller knows that one by
	rang   int    // the last provisional answer the caller heard in this dial
	best   result // when it has failed
}

// result is a leg's failure as a script and a caller hear of it.
type result struct {
	Code    int
	Reason  string
	Headers []Field
	Leg     int // counted from 1; 0 for none
}

// DialStatus is how a dial ended.
type DialStatus uint8

// The ends of a dial.
const (
	DialAnswered DialStatus = iota + 1
	DialBusy
	DialNoAnswer
	DialFailed
	DialCancelled
	DialRedirected
)

func (s DialStatus) String() string {
	return [...]string{"", "answered", "busy", "no answer", "failed", "cancelled", "redirected"}[s]
}

func (c *Call) stepDialling(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Cancelled:
		c.giveUp(now)
	case Lost:
		total := c.times.total
		c.released() // the dial goes on without its script, no longer than that might have
		c.times.total = total
	case Done:
		if !c.running {
			return
		}
		if c.done(ev); ev.Outcome == Undecided {
			return // a script cannot end in its dial; if a worker says so, the dial goes on
		}
		c.quitLegs(now, -1, "")
		c.finish(now, ev.Outcome)
	}
}

// startDial begins with the first group. The script's clock stands while it waits.
func (c *Call) startDial(now time.Time, ev Dial) {
	c.noticed = true
	c.state = Dialling
	t := &c.times
	t.left, t.wall = t.wall.Sub(now), time.Time{}
	if ev.Within > 0 {
		t.dial = now.Add(ev.Within)
	}
	c.dial = dial{seq: ev.Seq, groups: ev.Groups, began: now, first: len(c.Legs), face: c.dial.face, media: c.dial.media}
	c.nextGroup(now)
}

// nextGroup calls the next group that has any leg to call; after the last the dial
// has failed.
func (c *Call) nextGroup(now time.Time) {
	for len(c.dial.groups) > 0 {
		group := c.dial.groups[0]
		c.dial.groups, c.dial.group = c.dial.groups[1:], len(c.Legs)
		for _, t := range group {
			c.addLeg(now, t, 0)
		}
		if len(c.Legs) > c.dial.group {
			c.save()
			return
		}
	}
	c.dialFailed(now)
}

// addLeg begins a leg, now or after its delay. Legs beyond the limit are left out.
func (c *Call) addLeg(now time.Time, t Target, depth int) {
	if len(c.Legs) >= c.policy.Legs {
		return
	}
	c.Legs = append(c.Legs, Leg{Target: t, LegRecord: LegRecord{Called: t.URI}, depth: depth})
	i := len(c.Legs) - 1
	if t.Delay > 0 {
		c.Legs[i].deadline = now.Add(t.Delay)
		return
	}
	c.invite(now, Invite{Leg: i})
}

func (c *Call) invite(now time.Time, e Invite) {
	l := &c.Legs[e.Leg]
	ring := c.policy.Ring
	if l.Ring > 0 {
		ring = min(ring, l.Ring)
	}
	l.state, l.Start, l.deadline = Calling, now, now.Add(ring)
	c.emit(e)
}

// tickDial lets delayed legs begin and gives up what has rung for too long.
func (c *Call) tickDial(now time.Time) {
	if due(c.times.dial, now) {
		c.noAnswer(now, func(l *Leg) bool { return l.trying() })
		c.dial.groups = nil
	}
	for i := range c.Legs {
		if l := &c.Legs[i]; l.state == Waiting && l.due(now) {
			c.invite(now, Invite{Leg: i})
			c.save()
		}
	}
	c.noAnswer(now, func(l *Leg) bool { return l.trying() && l.state != Waiting && l.due(now) })
	c.groupOver(now)
}

// noAnswer gives up the legs that have waited for long enough.
func (c *Call) noAnswer(now time.Time, which func(*Leg) bool) {
	for i := range c.Legs {
		if l := &c.Legs[i]; which(l) {
			if l.state != Waiting {
				l.Status, l.Reason = 408, "no answer"
			}
			c.quit(now, i, "")
		}
	}
}

// failed ends a leg, follows where it leads, and goes on when its group is done.
func (c *Call) failed(now time.Time, ev Failed) {
	l := &c.Legs[ev.Leg]
	if l.state == LegEnded || l.state == Up {
		return
	}
	trying := l.trying()
	target, depth := l.Target, l.depth
	l.end(now, ev.Code, ev.Reason)
	l.refusal, l.unsent = ev.Headers, ev.Unsent
	switch {
	case trying && c.transfers(ev.Leg):
		c.transferFailed(now, ev.Code)
		return
	case !trying || c.state != Dialling:
		return
	case ev.Code >= 600:
		c.quitLegs(now, -1, "")
	case ev.Code >= 300 && ev.Code < 400 && len(ev.Contacts) > 0 && target.Redirects == RedirectsReturn:
		c.dial.groups = nil
		c.quitLegs(now, -1, "")
		c.dialOver(now, DialRedirected, result{Code: ev.Code, Reason: ev.Reason, Leg: ev.Leg + 1}, ev.Contacts)
		return
	case ev.Code >= 300 && ev.Code < 400 && target.Redirects == RedirectsFollow && depth < maxDepth:
		target.Delay = 0
		before := len(c.Legs)
		for _, uri := range ev.Contacts {
			target.URI = uri
			c.addLeg(now, target, depth+1)
		}
		if len(c.Legs) > before {
			c.Legs[ev.Leg].followed = true
			c.save()
		}
	}
	c.groupOver(now)
}

// groupOver goes on to the next group when no leg of the present one may answer
// any more.
func (c *Call) groupOver(now time.Time) {
	if c.state != Dialling {
		return
	}
	for i := c.dial.group; i < len(c.Legs); i++ {
		if c.Legs[i].trying() {
			return
		}
	}
	c.nextGroup(now)
}

func (c *Call) dialFailed(now time.Time) {
	best := c.bestFailure()
	for i := range c.Legs {
		c.Legs[i].refusal = nil
	}
	status := statusOf(best.Code)
	if best.Leg == 0 {
		status = DialFailed // there was nobody to call
	}
	c.dialOver(now, status, best, nil)
}

// dialOver gives the word back to the script. If there is none any more, the call
// falls back.
func (c *Call) dialOver(now time.Time, status DialStatus, r result, contacts []string) {
	c.dial.best = r
	c.times.dial = time.Time{}
	if !c.running {
		c.fallBack(now, WorkerLost)
		return
	}
	c.state = Running
	c.times.wall = now.Add(c.times.left)
	c.save()
	c.tell(now, status, r, contacts)
}

func (c *Call) tell(now time.Time, status DialStatus, r result, contacts []string) {
	c.emit(Tell{
		Seq: c.dial.seq, Status: status, Code: r.Code, Reason: r.Reason, Leg: max(0, r.Leg-c.dial.first),
		Elapsed: now.Sub(c.dial.began), Contacts: contacts,
	})
}

// fallBack calls the account's fallback target for a call that has lost its script,
// once; without one, and when it fails too, the caller hears the outcome.
func (c *Call) fallBack(now time.Time, o Outcome) {
	target := c.policy.Fallback
	for i := range c.Legs {
		if c.Legs[i].URI == target {
			target = ""
		}
	}
	if target == "" || len(c.Legs) >= c.policy.Legs {
		c.finish(now, o)
		return
	}
	c.times = times{total: c.times.total, asked: c.times.asked}
	c.startDial(now, Dial{Groups: [][]Target{{{URI: target, Redirects: RedirectsFollow}}}})
}

// quitLegs gives up every leg that may still answer, but for one.
func (c *Call) quitLegs(now time.Time, but int, reason string) {
	for i := range c.Legs {
		if i != but && c.Legs[i].trying() {
			c.quit(now, i, reason)
		}
	}
}

func (c *Call) quit(now time.Time, i int, reason string) {
	l := &c.Legs[i]
	if l.state == Waiting {
		l.end(now, 0, "")
		return
	}
	l.state, l.deadline = Quitting, time.Time{}
	c.emit(Cancel{Leg: i, Reason: reason})
}

// save asks for the call to be kept; it is asked for once in a Step.
func (c *Call) save() {
	for _, e := range c.effects {
		if _, ok := e.(Save); ok {
			return
		}
	}
	c.emit(Save{})
}
