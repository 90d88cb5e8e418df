package call

import "time"

// An Effect is what the shell owes a call for an event. The list is closed.
type Effect interface{ effect() }

// Respond asks for an answer to the caller's INVITE.
type Respond struct {
	Status  int
	Reason  string // empty means the usual phrase
	Headers []Field
}

// Run asks for a run of the plan on any worker but Avoid. The shell answers with
// Placed or Unplaced at once.
type Run struct {
	Attempt int    // 1 or 2
	Avoid   string // the worker that was lost, empty at first
}

// Stop asks the worker to end the run.
type Stop struct{ Reason string }

// Wake asks for a Tick at the given time, in place of any asked for before; the
// zero time asks for none.
type Wake struct{ At time.Time }

// Over says that the call has ended and its record is complete.
type Over struct{}

func (Respond) effect() {}
func (Run) effect()     {}
func (Stop) effect()    {}
func (Wake) effect()    {}
func (Over) effect()    {}

// A Field is a header field to be sent.
type Field struct{ Name, Value string }
