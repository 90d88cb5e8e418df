package call

import "time"

// An Event is something that happened to a call. The list is closed.
type Event interface{ event() }

// Begin says that the call is routed to a plan and may run.
type Begin struct{}

// Refused says that the call may not run at all, and why.
type Refused struct{ Outcome Outcome }

// Placed says that the run was delivered to a worker.
type Placed struct{ Worker string }

// Unplaced says that no worker had room for the run; apart, none of those for suspects.
type Unplaced struct{ Apart bool }

// Barred says that no worker takes the run, as its plan version kills workers.
type Barred struct{}

// Reject is the script's final refusal. Code is 400 to 699.
type Reject struct {
	Code    int
	Reason  string // empty means the usual phrase
	Headers []Field
}

// Redirect is the script's final word that the caller should try elsewhere.
// Code is 300 to 399; Targets are URIs without brackets.
type Redirect struct {
	Code    int
	Targets []string
}

// Ring is a provisional answer, 180 to 183.
type Ring struct{ Code int }

// SetHeader adds a header to all later answers; an empty value removes it.
type SetHeader struct{ Field Field }

// Tag puts a name and value into the record.
type Tag struct{ Name, Value string }

// Acted says that the script did something that others can notice, beside the call.
type Acted struct{}

// Dial asks to call others: the groups one after the other, the targets of one
// group together. The script waits for Tell.
type Dial struct {
	Seq    uint32 // of the instruction, for Tell
	Groups [][]Target
	Within time.Duration // for all of it; 0 = no limit of its own
}

// Done is the end of the run.
type Done struct {
	Outcome Outcome // Undecided when the script came to its end
	Error   *ScriptError
}

// Lost says that the worker died or hangs with the run in it.
type Lost struct{}

// Sent says where a leg's INVITE went.
type Sent struct {
	Leg             int
	CallID, Address string
}

// Progress is a provisional answer of a leg, 180 to 199.
type Progress struct {
	Leg, Code int
	Reason    string
	Headers   []Field
	Body      string
}

// Answered is a leg's 2xx.
type Answered struct {
	Leg, Code int
	Reason    string
	Headers   []Field
	Body      string
}

// Failed is a leg's final refusal, or 408 if it never answered, or what the shell
// has found to be wrong with its target.
type Failed struct {
	Leg, Code int
	Reason    string
	Headers   []Field
	Contacts  []string // of a 3xx, as URIs
	Unsent    bool     // no INVITE ever left: the code is this front's
}

// Cancelled says that the caller gave up.
type Cancelled struct{}

// Asked is a request of one party within an answered call. ID names it in Pass,
// Replied, Return and Refuse.
type Asked struct {
	ID     uint32
	From   Side
	Method string
	Offer  bool   // it offers or awaits a session description
	Refer  Target // whom a REFER points to
}

// Replied is the other party's answer to a request that was passed to it; 408 if
// there was none.
type Replied struct {
	ID   uint32
	Code int
}

// Swapped is what the party that stays in a transfer said to the new one's session.
type Swapped struct{ Leg, Code int }

// Bye says that one party has hung up.
type Bye struct {
	From    Side
	Headers []Field // to pass on
}

// Unheard says that a party never acknowledged its 2xx.
type Unheard struct{ From Side }

// Abandon ends the call from outside: the front stops, or has failed at it. A caller
// who still waits hears the outcome's answer.
type Abandon struct{ Outcome Outcome }

// Tick says that the time asked for by Wake has come.
type Tick struct{}

func (Begin) event()     {}
func (Refused) event()   {}
func (Placed) event()    {}
func (Unplaced) event()  {}
func (Barred) event()    {}
func (Reject) event()    {}
func (Redirect) event()  {}
func (Ring) event()      {}
func (SetHeader) event() {}
func (Tag) event()       {}
func (Acted) event()     {}
func (Dial) event()      {}
func (Done) event()      {}
func (Lost) event()      {}
func (Sent) event()      {}
func (Progress) event()  {}
func (Answered) event()  {}
func (Failed) event()    {}
func (Cancelled) event() {}
func (Asked) event()     {}
func (Replied) event()   {}
func (Swapped) event()   {}
func (Bye) event()       {}
func (Unheard) event()   {}
func (Abandon) event()   {}
func (Tick) event()      {}
