package call

import "time"

// An Effect is what the shell owes a call for an event. The list is closed.
type Effect interface{ effect() }

// Respond asks for an answer to the caller's INVITE.
type Respond struct {
	Status  int
	Reason  string // empty means the usual phrase
	Headers []Field
	Body    string
	// Face numbers the To tag: 0 for the usual one. Another is shown to the caller
	// when a second session description comes from another party (RFC 3261
	// §13.2.2.4: another early dialog).
	Face int
}

// Run asks for a run of the plan on any worker but Avoid. The shell answers with
// Placed, Unplaced or Barred at once.
type Run struct {
	Attempt int    // 1 or 2
	Avoid   string // the worker that was lost, empty at first
}

// Stop asks the worker to end the run.
type Stop struct{ Reason string }

// Release says that the call has done with its run: nothing the worker still says
// of it is wanted, and the account has its place back.
type Release struct{}

// Tell answers the script's Dial.
type Tell struct {
	Seq      uint32
	Status   DialStatus
	Code     int
	Reason   string
	Leg      int // counted from 1; 0 for none
	Elapsed  time.Duration
	Contacts []string
}

// Invite asks to call a leg. The shell owes Sent for each address it tries, and one
// of Answered and Failed in the end, whatever happens.
type Invite struct {
	Leg  int
	Bare bool // without an offer, and in the name of As: the new party of a transfer
	As   Side
}

// Cancel asks to give a leg up, as soon as it has answered provisionally (RFC 3261
// §9.1). Its end is still owed.
type Cancel struct {
	Leg    int
	Reason string // of the Reason header (RFC 3326), empty for none
}

// Connect makes a leg the other party of the caller.
type Connect struct{ Leg int }

// Drop asks to acknowledge a leg's 2xx that came too late and to hang it up.
type Drop struct{ Leg int }

// Save asks to keep the call where it outlives this process.
type Save struct{}

// Pass asks to send a party's request on to the other.
type Pass struct{ ID uint32 }

// Return asks to send the answer to a passed request back to who asked.
type Return struct{ ID uint32 }

// Refuse asks to answer a request that is not passed, or will not be answered.
type Refuse struct {
	ID   uint32
	Code int
}

// Accept asks to answer a REFER that the front carries out itself.
type Accept struct{ ID uint32 }

// Notify asks to tell a party what has become of its REFER (RFC 3515 §2.4.4): a status
// below 200 while that is open.
type Notify struct {
	Side Side
	Code int
}

// Swap asks to offer a leg's session, of which the leg's 2xx speaks, to the party that
// stays, and its answer to the leg. The shell owes Swapped.
type Swap struct {
	Leg   int
	Stays Side
}

// Replace asks to put a leg in the place of a party, and to hang that one up.
type Replace struct {
	Leg  int
	Side Side
}

// Leave asks to forget a party that has hung up while its transfer goes on.
type Leave struct{ Side Side }

// HangUp asks to send BYE to a party.
type HangUp struct {
	Side    Side
	Headers []Field
}

// Wake asks for a Tick at the given time, in place of any asked for before; the
// zero time asks for none.
type Wake struct{ At time.Time }

// Over says that the call has ended and its record is complete.
type Over struct{}

func (Respond) effect() {}
func (Run) effect()     {}
func (Stop) effect()    {}
func (Release) effect() {}
func (Tell) effect()    {}
func (Invite) effect()  {}
func (Cancel) effect()  {}
func (Connect) effect() {}
func (Drop) effect()    {}
func (Save) effect()    {}
func (Pass) effect()    {}
func (Return) effect()  {}
func (Refuse) effect()  {}
func (Accept) effect()  {}
func (Notify) effect()  {}
func (Swap) effect()    {}
func (Replace) effect() {}
func (Leave) effect()   {}
func (HangUp) effect()  {}
func (Wake) effect()    {}
func (Over) effect()    {}

// A Field is a header field to be sent.
type Field struct{ Name, Value string }

// A Side is one of the two parties of an answered call.
type Side uint8

// The parties.
const (
	Caller Side = iota
	Callee
)

// Other is the party that this one talks to.
func (s Side) Other() Side { return 1 - s }

func (s Side) String() string { return [...]string{"caller", "callee"}[s] }
