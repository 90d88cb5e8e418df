package call

// An Event is something that happened to a call. The list is closed.
type Event interface{ event() }

// Begin says that the call is routed to a plan and may run.
type Begin struct{}

// Refused says that the call may not run at all, and why.
type Refused struct{ Outcome Outcome }

// Placed says that the run was delivered to a worker.
type Placed struct{ Worker string }

// Unplaced says that no worker had room for the run.
type Unplaced struct{}

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

// Done is the end of the run.
type Done struct {
	Outcome Outcome // Undecided when the script came to its end
	Error   *ScriptError
}

// Lost says that the worker died or hangs with the run in it.
type Lost struct{}

// Cancelled says that the caller gave up.
type Cancelled struct{}

// Abandon ends the call from outside: the front stops, or has failed at it. A caller
// who still waits hears the outcome's answer.
type Abandon struct{ Outcome Outcome }

// Tick says that the time asked for by Wake has come.
type Tick struct{}

func (Begin) event()     {}
func (Refused) event()   {}
func (Placed) event()    {}
func (Unplaced) event()  {}
func (Reject) event()    {}
func (Redirect) event()  {}
func (Ring) event()      {}
func (SetHeader) event() {}
func (Tag) event()       {}
func (Done) event()      {}
func (Lost) event()      {}
func (Cancelled) event() {}
func (Abandon) event()   {}
func (Tick) event()      {}
