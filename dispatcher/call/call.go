package call

import "time"

// State is where a call stands; doc.go has the diagram.
type State uint8

// The states of a call.
const (
	New State = iota
	Placing
	Running
	Closing
	Ended
)

func (s State) String() string {
	return [...]string{"New", "Placing", "Running", "Closing", "Over"}[s]
}

// Policy is how patient calls are. Its zero value is not useful; see DefaultPolicy.
type Policy struct {
	Tries     int           // placements of a run that no worker has room for
	TryWithin time.Duration // all of them
	Grace     time.Duration // for the script after the final answer
	Overstay  time.Duration // beyond Wall before the caller is answered without the worker
	Wall      time.Duration // of a run; the worker enforces it too
}

// DefaultPolicy is that of DESIGN §6.2 and §6.3: three tries in two seconds, ten
// seconds for a run.
func DefaultPolicy() Policy {
	return Policy{Tries: 3, TryWithin: 2 * time.Second, Grace: time.Second, Overstay: 500 * time.Millisecond, Wall: 10 * time.Second}
}

// pause is how long to wait after the nth try failed: a short while at first, as
// a full worker has room soon and a crashed one is back soon, then the rest of
// TryWithin.
func (p *Policy) pause(n int) time.Duration {
	if n == 1 {
		return p.TryWithin / 10
	}
	return p.TryWithin * 9 / 10 / time.Duration(max(1, p.Tries-2))
}

// A Call is one caller's INVITE and all that follows from it. Step changes it and
// nothing else does. Not safe for concurrent use.
type Call struct {
	Record

	policy  *Policy
	state   State
	tries   int  // placements in this attempt
	noticed bool // the outside world has seen an effect of this run
	avoid   string
	headers []Field // set by the script, for every answer
	effects []Effect
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
	c.effects = c.effects[:0]
	if ev, ok := ev.(Abandon); ok {
		c.abandon(now, ev.Outcome)
		return c.effects
	}
	switch c.state {
	case New:
		c.stepNew(now, ev)
	case Placing:
		c.stepPlacing(now, ev)
	case Running:
		c.stepRunning(now, ev)
	case Closing:
		c.stepClosing(now, ev)
	}
	return c.effects
}

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
		c.state = Running
		c.Worker = ev.Worker
		c.emit(Wake{At: now.Add(c.policy.Wall + c.policy.Overstay)})
	case Unplaced:
		if c.tries >= c.policy.Tries {
			c.finish(now, NotAble)
			return
		}
		c.emit(Wake{At: now.Add(c.policy.pause(c.tries))})
	case Tick:
		c.run()
	case Cancelled:
		c.finish(now, CallerGaveUp)
	}
}

func (c *Call) stepRunning(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Ring:
		c.noticed = true
		c.respond(ev.Code, "", nil)
	case SetHeader:
		c.setHeader(ev.Field)
	case Tag:
		c.tag(ev)
	case Reject:
		c.decide(now, ev.Code, ev.Reason, ev.Headers)
	case Redirect:
		c.decide(now, ev.Code, "", contacts(ev.Targets))
	case Done:
		c.done(ev)
		c.finish(now, ev.Outcome)
	case Lost:
		c.lost(now)
	case Cancelled:
		c.emit(Stop{Reason: "caller gave up"})
		c.answer(CallerGaveUp)
		c.closing(now)
	case Tick:
		c.emit(Stop{Reason: "limit"})
		c.answer(ScriptLimited)
		c.closing(now)
	}
}

func (c *Call) stepClosing(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Tag:
		c.tag(ev)
	case Done:
		c.done(ev)
		c.over(now)
	case Lost:
		c.over(now)
	case Tick:
		c.emit(Stop{Reason: "call over"})
		c.over(now)
	}
}

func (c *Call) abandon(now time.Time, o Outcome) {
	if c.state == Ended {
		return
	}
	if c.state >= Running {
		c.emit(Stop{Reason: o.String()})
	}
	if c.state < Closing {
		c.answer(o)
	}
	c.over(now)
}

// run asks for a placement.
func (c *Call) run() {
	c.tries++
	c.emit(Run{Attempt: c.Attempts, Avoid: c.avoid})
}

// lost repeats the run once elsewhere, if nobody can have noticed it yet.
func (c *Call) lost(now time.Time) {
	if c.noticed || c.Attempts >= 2 {
		c.finish(now, WorkerLost)
		return
	}
	c.Attempts++
	c.state, c.tries, c.avoid = Placing, 0, c.Worker
	c.headers, c.Tags = nil, nil
	c.run()
}

// done takes what the end of the run tells. A worker that breaks the protocol has
// not ended it; and that a run was stopped for a caller who gave up is no mistake
// of its author's.
func (c *Call) done(ev Done) {
	if ev.Outcome == BadWorker {
		c.emit(Stop{Reason: "broken protocol"})
	}
	if ev.Error != nil && c.Outcome != CallerGaveUp {
		c.Error = ev.Error
	}
}

// decide carries out the script's final word.
func (c *Call) decide(now time.Time, status int, reason string, headers []Field) {
	c.Status, c.Outcome, c.EndedBy = status, Decided, "plan"
	c.respond(status, reason, headers)
	c.closing(now)
}

// closing leaves the script its last second.
func (c *Call) closing(now time.Time) {
	c.state = Closing
	c.emit(Wake{At: now.Add(c.policy.Grace)})
}

// finish answers from the outcome table and ends the call: no run is left.
func (c *Call) finish(now time.Time, o Outcome) {
	c.answer(o)
	c.over(now)
}

// answer gives the final answer that the outcome table has for o.
func (c *Call) answer(o Outcome) {
	c.Status, c.Outcome, c.EndedBy = o.Status(), o, "system"
	var headers []Field
	switch {
	case o == CallerGaveUp:
		c.EndedBy = "caller"
	case o == Undecided:
		c.EndedBy = "plan"
	case o.Warning() != "":
		headers = []Field{{Name: "Warning", Value: `399 dialyard "` + o.Warning() + `"`}}
	}
	c.respond(c.Status, "", headers)
}

func (c *Call) over(now time.Time) {
	c.state, c.End = Ended, now
	c.emit(Wake{})
	c.emit(Over{})
}

// respond sends an answer with the headers the script set and those of this
// answer; of two with one name, this answer's counts.
func (c *Call) respond(status int, reason string, own []Field) {
	headers := own
	for _, f := range c.headers {
		if indexOf(own, f.Name) < 0 {
			headers = append(headers, f)
		}
	}
	c.emit(Respond{Status: status, Reason: reason, Headers: headers})
}

func (c *Call) emit(e Effect) { c.effects = append(c.effects, e) }
