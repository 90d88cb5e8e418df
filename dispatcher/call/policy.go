package call

import "time"

// Policy is how patient calls are and what they may do. One is shared by all calls
// of an account and must not change. Its zero value is not useful; see
// DefaultPolicy.
type Policy struct {
	Tries     int           // placements of a run that no worker has room for
	TryWithin time.Duration // all of them
	Grace     time.Duration // for the script after the final answer
	Overstay  time.Duration // beyond Wall before the caller is answered without the worker
	Wall      time.Duration // of a run, not counting what it waits in a dial; the worker enforces it too
	Total     time.Duration // of a run, all in all

	Legs     int           // of one call
	Ring     time.Duration // how long a leg may ring, if its target does not say less
	Duration time.Duration // of an answered call; 0 = no limit
	Fallback string        // called when a worker is lost after an effect; empty for none
	Transfer Transfer      // what an answered party's REFER may do
}

// DefaultPolicy is that of DESIGN §6.2 and §6.3: three tries in two seconds, ten
// seconds for a run outside its dials, twenty legs.
func DefaultPolicy() Policy {
	return Policy{
		Tries: 3, TryWithin: 2 * time.Second, Grace: time.Second, Overstay: 500 * time.Millisecond,
		Wall: 10 * time.Second, Total: 300 * time.Second, Legs: 20, Ring: 180 * time.Second,
	}
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

// Transfer is what becomes of a REFER within an answered call.
type Transfer uint8

// The ways of transfer. The zero value leaves it to the account.
const (
	TransferUnset Transfer = iota
	TransferNone           // refused
	TransferPass           // passed to the other party, which calls the new one itself
	TransferCall           // the front calls the new one itself
)
