package call

import "fmt"

// An Outcome is why a call was answered as it was.
type Outcome uint8

// The outcomes, all of them.
const (
	Undecided     Outcome = iota // the script ended without deciding
	Decided                      // the script rejected or redirected
	NoRoute                      // no route takes this request
	ScriptFailed                 // the script raised an error
	ScriptLimited                // the script passed a limit
	WorkerLost                   // and the run could not be repeated
	BadWorker                    // the worker broke the protocol
	OverLimit                    // the account has too many runs, or too many calls a second
	CallerGaveUp                 // CANCEL
	NotAble                      // no worker, draining, overload: the whole front
	Flaw                         // a panic in the front, survived
	Connected                    // a leg answered
	Unanswered                   // no leg did, and the script said nothing else
	Quarantined                  // the version kills workers and is not run
)

// row is one line of the table of what the caller hears.
type row struct {
	status  int
	name    string // in records, logs and metrics
	warning string // text of Warning: 399, revealing nothing; empty for none
}

// table maps outcomes to statuses. 503 is for the whole front only: the next hop
// blacklists the server on it (RFC 3261 §21.5.4).
var table = [...]row{
	Undecided:     {480, "undecided", ""},
	Decided:       {0, "decided", ""},
	NoRoute:       {404, "no route", ""},
	ScriptFailed:  {500, "script error", "the dialplan failed"},
	ScriptLimited: {500, "script limit", "the dialplan exceeded a limit"},
	WorkerLost:    {500, "worker lost", "the dialplan was interrupted"},
	BadWorker:     {500, "bad worker", "the dialplan was interrupted"},
	OverLimit:     {480, "over limit", ""},
	CallerGaveUp:  {487, "caller gave up", ""},
	NotAble:       {503, "not able", ""},
	Flaw:          {500, "internal error", "internal error"},
	Connected:     {200, "answered", ""},
	Unanswered:    {0, "not answered", ""},
	Quarantined:   {500, "quarantined", "the dialplan is suspended"},
}

// Outcomes is how many there are, for counters indexed by Outcome.
const Outcomes = len(table)

// Status is what the caller hears, 0 for Decided, where the script says it, and
// for Unanswered, where the legs do.
func (o Outcome) Status() int { return table[o].status }

func (o Outcome) String() string { return table[o].name }

// MarshalText makes records and logs say the name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the name.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i := range table {
		if table[i].name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("no outcome is called %.40q", text)
}

// Warning is the text of the Warning header, empty for none.
func (o Outcome) Warning() string { return table[o].warning }
