package gateway

import "time"

// State is what is to be seen of a gateway from outside. The counters only
// grow, and are not all of the same instant.
type State struct {
	Account, Name string
	URIs          []URIState
	Calls         int // under way

	Entered  uint64 // calls taken
	Answered uint64 // attempts that ended with 2xx
	Refused  uint64 // attempts that ended for the callee's, the number's or the caller's sake
	Failed   uint64 // attempts that ended so that the next was to be tried

	// Calls that passed the gateway over, by reason.
	Busy, TooFast, Down uint64
}

// URIState is one way to reach the gateway.
type URIState struct {
	URI   string
	Up    bool
	Doubt bool      // the last pings speak against Up
	Since time.Time // of the last change; zero if it was up ever since the start
	Ping  time.Time // when the last ping was settled; zero before the first
}

// Up reports whether any URI is.
func (s State) Up() bool {
	for _, u := range s.URIs {
		if u.Up {
			return true
		}
	}
	return false
}

// State is the gateway's present state.
func (g *Gateway) State() State {
	s := State{
		Account: g.config.Account, Name: g.config.Name,
		Calls:    int(g.limit.running.Load()),
		Entered:  g.entries[Entered].Load(),
		Answered: g.endings[answered].Load(),
		Refused:  g.endings[refused].Load(),
		Failed:   g.endings[failed].Load(),
		Busy:     g.entries[Busy].Load(),
		TooFast:  g.entries[TooFast].Load(),
		Down:     g.down.Load(),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, p := range g.pulses {
		s.URIs = append(s.URIs, URIState{
			URI: g.config.URIs[i].URI, Up: !p.down, Doubt: p.inDoubt(), Since: p.since, Ping: p.last,
		})
	}
	return s
}
