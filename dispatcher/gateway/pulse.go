package gateway

import "time"

// A pulse is what the pings to one URI have told. Its zero value is up.
//
//	     fall pings in a row without an answer
//	┌────┐ ──────────────────────────────────> ┌──────┐
//	│ up │                                     │ down │
//	└────┘ <────────────────────────────────── └──────┘
//	       rise pings in a row with an answer
//
// In between, when the last pings speak against what it is, it is in doubt.
type pulse struct {
	down    bool
	against int       // pings in a row that spoke against it, less than fall or rise
	since   time.Time // of the last change; zero before the first
	last    time.Time // when the last ping was settled; zero before the first
	next    time.Time // when the next is due; zero before it is known
}

// beat is the pulse after one more ping.
func (p pulse) beat(now time.Time, answered bool, fall, rise int) (after pulse, changed bool) {
	p.last = now
	if answered != p.down {
		p.against = 0
		return p, false
	}
	p.against++
	if needed := p.needs(fall, rise); p.against < needed {
		return p, false
	}
	p.down, p.against, p.since = !p.down, 0, now
	return p, true
}

func (p pulse) needs(fall, rise int) int {
	if p.down {
		return rise
	}
	return fall
}

func (p pulse) inDoubt() bool { return p.against > 0 }

func (p pulse) String() string {
	switch {
	case p.down && p.inDoubt():
		return "down, in doubt"
	case p.down:
		return "down"
	case p.inDoubt():
		return "up, in doubt"
	}
	return "up"
}
