package locate

import (
	"net/netip"
	"slices"
	"time"
)

// random returns a number below n, n > 0, uniformly. The source must be safe for
// concurrent use where a Resolver is.
type random func(n uint32) uint32

// A plan is all that is known of where a target leads. Each use arranges it anew.
// Plans are shared: nobody changes one.
type plan struct {
	name    string
	choices []choice // by rank; at most maxTarget
	err     error
	expires time.Time // the earliest among the answers it is made from
}

// A choice is one host to try, at one port. Among those of one rank the weight
// decides how often it comes first.
type choice struct {
	transport string
	rank      uint32 // lower first
	weight    uint16
	v4, v6    []netip.AddrPort
}

// hops lists a plan's addresses in the order to try them. A host's addresses are
// shuffled too, as a name server would do for us were its answer not kept; IPv4
// goes first.
func (p *plan) hops(rnd random) []Hop {
	var scratch [maxTarget]choice
	choices := scratch[:copy(scratch[:], p.choices)]
	arrange(choices, rnd)
	n := 0
	for i := range choices {
		n += len(choices[i].v4) + len(choices[i].v6)
	}
	if n == 0 {
		return nil
	}
	hops := make([]Hop, 0, min(n, maxHops))
	for i := range choices {
		c := &choices[i]
		hops = p.appendShuffled(hops, c.transport, c.v4, rnd)
		hops = p.appendShuffled(hops, c.transport, c.v6, rnd)
	}
	return hops
}

// appendShuffled adds addresses up to the limit, each at most once.
func (p *plan) appendShuffled(hops []Hop, transport string, addrs []netip.AddrPort, rnd random) []Hop {
	var scratch [maxAddrs]netip.AddrPort
	addrs = scratch[:copy(scratch[:], addrs)]
	for i := range addrs {
		if left := uint32(len(addrs) - i); left > 1 {
			j := i + int(rnd(left))
			addrs[i], addrs[j] = addrs[j], addrs[i]
		}
		hop := Hop{Transport: transport, Addr: addrs[i], Name: p.name}
		if len(hops) < maxHops && !slices.Contains(hops, hop) {
			hops = append(hops, hop)
		}
	}
	return hops
}

// arrange orders the choices of each rank by a weighted draw without replacement.
// The ranks must be ascending already.
func arrange(choices []choice, rnd random) {
	for len(choices) > 1 {
		n := 1
		for n < len(choices) && choices[n].rank == choices[0].rank {
			n++
		}
		for i := range n - 1 {
			first := i + draw(choices[i:n], rnd)
			choices[i], choices[first] = choices[first], choices[i]
		}
		choices = choices[n:]
	}
}

// draw picks one of at least two choices by weight, as RFC 2782 has it: "choose a
// uniform random number between 0 and the sum computed (inclusive), and select
// the RR whose running sum value is the first in the selected order which is
// greater than or equal to the random number", with those of weight 0 first. The
// number 0 is theirs, all of them evenly, which is the very small chance that the
// RFC wants them to have. Where there are none it is drawn again: left to the
// first record it would favour one of equals.
func draw(choices []choice, rnd random) int {
	sum, zeros := uint32(0), uint32(0)
	for i := range choices {
		sum += uint32(choices[i].weight)
		if choices[i].weight == 0 {
			zeros++
		}
	}
	at := rnd(sum + 1)
	if at == 0 && zeros > 0 {
		return pickZero(choices, rnd(zeros))
	}
	if at == 0 {
		at = 1 + rnd(sum)
	}
	for i := range choices {
		weight := uint32(choices[i].weight)
		if at <= weight && weight > 0 {
			return i
		}
		at -= weight
	}
	return 0 // not reached: at is at most the sum
}

func pickZero(choices []choice, nth uint32) int {
	for i := range choices {
		if choices[i].weight != 0 {
			continue
		}
		if nth == 0 {
			return i
		}
		nth--
	}
	return 0 // not reached: nth is below their number
}
