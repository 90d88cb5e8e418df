package broker

import "sync/atomic"

// Stats are counters since the start. All are safe to read at any time.
type Stats struct {
	Nothing   atomic.Uint64 // Asks that asked nothing
	Panics    atomic.Uint64
	Redirects atomic.Uint64 // that were followed
	Dials     atomic.Uint64 // addresses that a connection was tried to
	Questions atomic.Uint64 // that name servers were asked, each try
	Recalled  atomic.Uint64 // questions whose answer was at hand

	asks [Kinds][Outcomes]atomic.Uint64
}

// Count is how many Asks of a kind came to an outcome.
func (s *Stats) Count(k Kind, o Outcome) uint64 { return s.asks[k][o].Load() }

// Each calls f for every kind and outcome, by their names.
func (s *Stats) Each(f func(kind, outcome string, asks uint64)) {
	for k := range s.asks {
		for o := range s.asks[k] {
			f(Kind(k).String(), Outcome(o).String(), s.asks[k][o].Load())
		}
	}
}

// UnderWay is how many Asks of a kind hold a place now.
func (b *Broker) UnderWay(k Kind) int { return b.crowds[k].len() }

// Connections is how many are open now, in use or kept.
func (b *Broker) Connections() int { return b.sockets.len() }
