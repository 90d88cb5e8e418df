package call

import "time"

// State is where a call stands; doc.go has the diagram.
type State uint8

// The states of a call.
const (
	New State = iota
	Placing
	Running
	Dialling
	Talking
	Closing
	Ended
)

func (s State) String() string {
	return [...]string{"New", "Placing", "Running", "Dialling", "Talking", "Closing", "Over"}[s]
}

// A Call is one caller's INVITE and all that follows from it. Step changes it and
// nothing else does. Not safe for concurrent use.
type Call struct {
	Record
	Legs []Leg // in the order they were first tried; Over copies them into the Record

	policy *Policy
	state  State
	times  times

	// The run.
	running bool // a worker has it, and its word still counts
	stopped bool // and was told to end it
	tries   int  // placements in this attempt
	noticed bool // the outside world has seen an effect of this run
	avoid   string
	headers []Field // set by the script, for every answer

	dial         dial
	transferring *transfer  // under way; nil for none
	stale        bool       // what is stored of the call says that it goes on
	exchanges    []exchange // requests within the call that wait for their answer
	effects      []Effect
}

// times are the deadlines of a call but for those of its legs; zero means none.
type times struct {
	try    time.Time     // Placing: the next placement
	wall   time.Time     // Running: the script has had its time
	left   time.Duration // of wall, while the script waits in a dial
	total  time.Time     // of the run, all in all
	grace  time.Time     // the script's last second is over
	dial   time.Time     // Dialling: the dial as a whole has lasted too long
	hangup time.Time     // Talking: the call has lasted too long
	asked  time.Time     // what the last Wake said
}

// NewCall begins a call. record holds what is known at the INVITE; policy is
// shared and must not change.
func NewCall(record Record, policy *Policy) *Call {
	return &Call{Record: record, policy: policy}
}

// State tells where the call stands.
func (c *Call) State() State { return c.state }

// Step takes one event and returns what is to be done for it, in order. The slice
// is valid until the next Step.
func (c *Call) Step(now time.Time, ev Event) []Effect {
	clear(c.effects)
	if c.effects = c.effects[:0]; c.state == Ended {
		return nil
	}
	switch ev := ev.(type) {
	case Sent:
		c.sent(now, ev)
	case Progress:
		c.progress(now, ev)
	case Answered:
		c.answered(now, ev)
	case Failed:
		c.failed(now, ev)
	case Tick:
		c.tick(now)
	case Abandon:
		c.abandon(now, ev.Outcome)
	default:
		c.byState(now, ev)
	}
	c.settle(now)
	return c.effects
}

// byState takes the events that mean different things in different states.
func (c *Call) byState(now time.Time, ev Event) {
	switch c.state {
	case New:
		c.stepNew(now, ev)
	case Placing:
		c.stepPlacing(now, ev)
	case Running:
		c.stepRunning(now, ev)
	case Dialling:
		c.stepDialling(now, ev)
	case Talking:
		c.stepTalking(now, ev)
	case Closing:
		c.stepLast(ev)
	}
}

// tick takes whatever has come due.
func (c *Call) tick(now time.Time) {
	t := &c.times
	if due(t.try, now) {
		t.try = time.Time{}
		c.run()
	}
	if due(t.wall, now) || due(t.total, now) {
		c.limit(now)
	}
	if due(t.grace, now) {
		c.stop("call over")
		c.released()
	}
	if due(t.hangup, now) {
		c.hangUp(now, "system", Caller, Callee)
	}
	switch {
	case c.state == Dialling:
		c.tickDial(now)
	case c.state == Talking && c.transferring != nil:
		c.tickTransfer(now)
	}
}

// settle ends a call that has nothing left to wait for, and else asks to be woken.
func (c *Call) settle(now time.Time) {
	if c.state == Closing && !c.running && !c.hasLegs() {
		c.over(now)
	}
	if c.stale && c.state == Closing {
		c.stale = false
		c.save()
	}
	if at := c.earliest(); !at.Equal(c.times.asked) || due(at, now) {
		c.times.asked = at
		c.emit(Wake{At: at})
	}
	if c.state == Ended {
		c.emit(Over{})
	}
}

// earliest is the first of all deadlines, zero if there is none.
func (c *Call) earliest() (first time.Time) {
	take := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if c.state == Ended {
		return first
	}
	t := &c.times
	for _, at := range [...]time.Time{t.try, t.wall, t.total, t.grace, t.dial, t.hangup} {
		take(at)
	}
	for i := range c.Legs {
		take(c.Legs[i].deadline)
	}
	return first
}

// due reports whether a deadline is set and has come.
func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// hasLegs reports whether any leg still has its end before it.
func (c *Call) hasLegs() bool {
	for i := range c.Legs {
		if c.Legs[i].state != LegEnded {
			return true
		}
	}
	return false
}

// abandon ends the call at once, whatever still hangs on it.
func (c *Call) abandon(now time.Time, o Outcome) {
	switch c.state {
	case Talking:
		c.hangUp(now, "system", Caller, Callee)
	case Closing:
	default:
		c.answer(now, o)
	}
	c.quitLegs(now, -1, "")
	c.stop(o.String())
	c.over(now)
}

// answer gives the final answer that the outcome table has for o.
func (c *Call) answer(now time.Time, o Outcome) {
	c.Status, c.Outcome, c.EndedBy, c.End = o.Status(), o, "system", now
	var headers []Field
	switch {
	case o == CallerGaveUp:
		c.EndedBy = "caller"
	case o == Undecided:
		c.EndedBy = "plan"
	case o.Warning() != "":
		headers = []Field{{Name: "Warning", Value: `399 dialyard "` + o.Warning() + `"`}}
	}
	c.respond(Respond{Status: c.Status, Headers: headers})
}

// close leaves the script its last second and the legs their end.
func (c *Call) close(now time.Time) {
	c.state = Closing
	grace := time.Time{}
	if c.running {
		grace = now.Add(c.policy.Grace)
	}
	c.times = times{grace: grace, asked: c.times.asked}
	c.stale = c.noticed
}

// finish answers from the outcome table; no run is left.
func (c *Call) finish(now time.Time, o Outcome) {
	c.answer(now, o)
	c.close(now)
}

// over completes the record.
func (c *Call) over(now time.Time) {
	c.released()
	c.state = Ended
	for i := range c.Legs {
		if l := &c.Legs[i]; l.state != LegEnded {
			l.end(now, 0, "")
		}
		c.Record.Legs = append(c.Record.Legs, c.Legs[i].LegRecord)
	}
}

// respond sends an answer with the headers the script set and those of this
// answer; of two with one name, this answer's counts.
func (c *Call) respond(r Respond) {
	own := r.Headers
	for _, f := range c.headers {
		if indexOf(own, f.Name) < 0 {
			r.Headers = append(r.Headers, f)
		}
	}
	c.emit(r)
}

func (c *Call) emit(e Effect) { c.effects = append(c.effects, e) }
