package call

import "time"

func (c *Call) stepNew(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Begin:
		c.Attempts = 1
		c.state = Placing
		c.run()
	case Refused:
		c.finish(now, ev.Outcome)
	}
}

func (c *Call) stepPlacing(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Placed:
		c.state, c.running, c.stopped = Running, true, false
		c.Worker = ev.Worker
		c.times = times{wall: now.Add(c.policy.Wall + c.policy.Overstay), asked: c.times.asked}
		if c.policy.Total > 0 {
			c.times.total = now.Add(c.policy.Total)
		}
	case Unplaced:
		if c.tries >= c.policy.Tries {
			outcome := NotAble
			if ev.Apart { // this is not the whole front
				outcome = Quarantined
			}
			c.finish(now, outcome)
			return
		}
		c.times.try = now.Add(c.policy.pause(c.tries))
	case Barred:
		c.finish(now, Quarantined)
	case Cancelled:
		c.finish(now, CallerGaveUp)
	}
}

func (c *Call) stepRunning(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Ring:
		c.noticed = true
		c.respond(Respond{Status: ev.Code})
	case SetHeader:
		c.setHeader(ev.Field)
	case Tag:
		c.tag(ev)
	case Acted:
		c.noticed = true
	case Reject:
		c.decide(now, Respond{Status: ev.Code, Reason: ev.Reason, Headers: ev.Headers})
	case Redirect:
		c.decide(now, Respond{Status: ev.Code, Headers: contacts(ev.Targets)})
	case Dial:
		c.startDial(now, ev)
	case Done:
		c.done(ev)
		c.conclude(now, ev.Outcome)
	case Lost:
		c.lost(now)
	case Cancelled:
		c.giveUp(now)
	}
}

// stepLast takes the last words of a script whose call is decided.
func (c *Call) stepLast(ev Event) {
	if !c.running {
		return
	}
	switch ev := ev.(type) {
	case Tag:
		c.tag(ev)
	case Done:
		c.done(ev)
	case Lost:
		c.released()
	}
}

// run asks for a placement.
func (c *Call) run() {
	c.tries++
	c.emit(Run{Attempt: c.Attempts, Avoid: c.avoid})
}

// decide carries out the script's final word.
func (c *Call) decide(now time.Time, r Respond) {
	c.Status, c.Outcome, c.EndedBy, c.End = r.Status, Decided, "plan", now
	c.respond(r)
	c.close(now)
}

// conclude answers for a script that has ended without a final word. If its last
// dial failed, the caller hears why.
func (c *Call) conclude(now time.Time, o Outcome) {
	if o == Undecided && c.dial.best.Code != 0 {
		c.Status, c.Outcome, c.EndedBy, c.End = forCaller(c.dial.best.Code), Unanswered, "callee", now
		if n := c.dial.best.Leg; n == 0 || c.Legs[n-1].unsent {
			c.EndedBy = "system" // nobody was called
		}
		c.respond(Respond{Status: c.Status, Headers: c.dial.best.refusal(c.Status)})
		c.close(now)
		return
	}
	c.finish(now, o)
}

// lost repeats the run once elsewhere, if nobody can have noticed it yet.
func (c *Call) lost(now time.Time) {
	if c.noticed || c.Attempts >= 2 {
		c.released()
		c.fallBack(now, WorkerLost)
		return
	}
	c.Attempts++
	c.state, c.running, c.tries, c.avoid = Placing, false, 0, c.Worker
	c.headers, c.Tags = nil, nil
	c.times = times{asked: c.times.asked}
	c.run()
}

// limit ends a script that has had its time, or what goes on in its place.
func (c *Call) limit(now time.Time) {
	outcome := WorkerLost
	if c.running {
		outcome = ScriptLimited
	}
	c.stop("limit")
	c.answer(now, outcome)
	c.quitLegs(now, -1, "")
	c.close(now)
}

// giveUp is for a caller who does not wait any longer.
func (c *Call) giveUp(now time.Time) {
	c.stop("caller gave up")
	c.answer(now, CallerGaveUp)
	c.quitLegs(now, -1, "")
	c.close(now)
}

// done takes what the end of the run tells. A worker that breaks the protocol has
// not ended it; and that a run was stopped for a caller who gave up is no mistake
// of its author's.
func (c *Call) done(ev Done) {
	if ev.Outcome == BadWorker {
		c.stop("broken protocol")
	}
	if ev.Error != nil && c.Outcome != CallerGaveUp {
		c.Error = ev.Error
	}
	c.released()
}

// stop tells the worker to end the run, if it has one, and once.
func (c *Call) stop(reason string) {
	if c.running && !c.stopped {
		c.stopped = true
		c.emit(Stop{Reason: reason})
	}
}

// released closes the books on the run.
func (c *Call) released() {
	if c.running {
		c.running = false
		c.times.grace, c.times.wall, c.times.total = time.Time{}, time.Time{}, time.Time{}
		c.emit(Release{})
	}
}
