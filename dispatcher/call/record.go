package call

import (
	"fmt"
	"time"
)

// A Record is the call detail record. There is one for each call, whatever
// happened to it; it is complete when the call is Over.
type Record struct {
	ID      string    `json:"id,omitempty"` // unique, also over restarts
	CallID  string    `json:"call_id"`
	Account string    `json:"account,omitempty"`
	Plan    string    `json:"plan,omitempty"`
	Version uint32    `json:"version,omitempty"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Source  string    `json:"source"`
	Start   time.Time `json:"start"`
	Answer  time.Time `json:"answer,omitzero"`
	End     time.Time `json:"end"`

	Status  int     `json:"status"` // the final answer
	Outcome Outcome `json:"reason"`
	EndedBy string  `json:"ended_by"` // "caller", "callee", "plan" or "system"

	Attempts int               `json:"attempts"`
	Worker   string            `json:"worker,omitempty"` // the last that had the run
	Error    *ScriptError      `json:"script_error,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	Legs     []LegRecord       `json:"legs,omitempty"`
}

// Seconds is how long the call took, from its INVITE to the final answer or, if it
// was connected, to its hanging up.
func (r *Record) Seconds() float64 { return r.End.Sub(r.Start).Seconds() }

// Duration is how long the parties were connected, 0 if they were not.
func (r *Record) Duration() time.Duration {
	if r.Answer.IsZero() {
		return 0
	}
	return r.End.Sub(r.Answer)
}

// A ScriptError is what the plan's author is told.
type ScriptError struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"`
}

func (e *ScriptError) Error() string {
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
}
