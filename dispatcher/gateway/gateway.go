package gateway

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Gateway is one configured gateway while it is in use. It is safe for
// concurrent use and must not be copied.
type Gateway struct {
	config Config  // filled; never changes
	tiers  [][]int // indexes of URIs, those of one priority together, lowest first

	// What each call touches is atomic: shards do not wait for each other here.
	up      []atomic.Bool // of each URI
	limit   limit
	entries [entryKinds]atomic.Uint64
	endings [endingKinds]atomic.Uint64
	down    atomic.Uint64 // times that Order had nothing

	// The mutex is for the pinger, which comes by every few seconds, and those
	// who ask for the State; no call takes it.
	mu     sync.Mutex
	pulses []pulse // of each URI; up follows them
}

// New makes a gateway from its configuration. All its URIs count as up until
// pings say otherwise.
func New(c Config) *Gateway {
	c = c.Filled()
	g := &Gateway{
		config: c,
		tiers:  tiers(c.URIs),
		up:     make([]atomic.Bool, len(c.URIs)),
		pulses: make([]pulse, len(c.URIs)),
	}
	g.limit.bound(c.Calls, c.Rate)
	for i := range g.up {
		g.up[i].Store(true)
	}
	return g
}

// Config is what the gateway was made from, with what was left out filled in.
// Its slices are the gateway's own, not to be changed.
func (g *Gateway) Config() Config { return g.config }

// Enter takes one call. Only what was Entered has to Leave.
func (g *Gateway) Enter(now time.Time) Entry {
	entry := g.limit.enter(now)
	g.entries[entry].Add(1)
	return entry
}

// Leave gives the place of a call back, once for each that Entered.
func (g *Gateway) Leave() { g.limit.leave() }

// Order gives the indexes of the URIs that are up in the order to try them: by
// priority, and within one at random, where a URI of twice the weight comes
// first twice as often. It is empty when the gateway is down, which is counted
// as a call that passed it over.
func (g *Gateway) Order(r *rand.Rand) []int {
	order := make([]int, 0, len(g.up))
	for _, tier := range g.tiers {
		first := len(order)
		for _, i := range tier {
			if g.up[i].Load() {
				order = append(order, i)
			}
		}
		shuffle(order[first:], g.config.URIs, r)
	}
	if len(order) == 0 {
		g.down.Add(1)
	}
	return order
}

// shuffle draws one after the other from what is left, by weight.
func shuffle(order []int, uris []URI, r *rand.Rand) {
	total := 0
	for _, i := range order {
		total += uris[i].Weight
	}
	for ; len(order) > 1; order = order[1:] {
		drawn, chosen := r.IntN(total), 0
		for drawn >= uris[order[chosen]].Weight {
			drawn -= uris[order[chosen]].Weight
			chosen++
		}
		order[0], order[chosen] = order[chosen], order[0]
		total -= uris[order[0]].Weight
	}
}

// tiers groups the indexes of the URIs by their priority.
func tiers(uris []URI) [][]int {
	indexes := make([]int, len(uris))
	for i := range indexes {
		indexes[i] = i
	}
	slices.SortStableFunc(indexes, func(a, b int) int { return cmp.Compare(uris[a].Priority, uris[b].Priority) })
	var list [][]int
	for at, i := range indexes {
		if at == 0 || uris[i].Priority != uris[indexes[at-1]].Priority {
			list = append(list, nil)
		}
		list[len(list)-1] = append(list[len(list)-1], i)
	}
	return list
}
