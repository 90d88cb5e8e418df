package locate

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
)

func seeded(seed uint64) random { return rand.New(rand.NewPCG(seed, 2782)).Uint32N }

// planOf has one address for each weight, 192.0.2.0 and up, all of one rank.
func planOf(weights ...uint16) *plan {
	p := &plan{name: "a.test"}
	for i, weight := range weights {
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		p.choices = append(p.choices, choice{transport: udp, weight: weight, v4: []netip.AddrPort{netip.AddrPortFrom(addr, 5060)}})
	}
	return p
}

// TestWeights draws often and holds how often each came first against what
// RFC 2782 promises, within five standard deviations.
func TestWeights(t *testing.T) {
	const draws = 40_000
	for _, row := range []struct {
		weights []uint16
		want    []float64
	}{
		{[]uint16{10, 20, 70}, []float64{.1, .2, .7}},
		{[]uint16{0, 0, 0, 0}, []float64{.25, .25, .25, .25}},
		{[]uint16{0, 9, 0}, []float64{.05, .9, .05}},
		{[]uint16{65535, 65535}, []float64{.5, .5}},
		{[]uint16{7}, []float64{1}},
	} {
		p, rnd, first := planOf(row.weights...), seeded(1), make([]float64, len(row.weights))
		for range draws {
			hops := p.hops(rnd)
			if len(hops) != len(row.weights) {
				t.Fatalf("weights %v: %d hops", row.weights, len(hops))
			}
			first[hops[0].Addr.Addr().As4()[3]]++
		}
		for i, want := range row.want {
			if off := math.Abs(first[i]/draws - want); off > 5*math.Sqrt(want*(1-want)/draws) {
				t.Errorf("weights %v: %d came first in %.4f, want %.4f", row.weights, i, first[i]/draws, want)
			}
		}
	}
}

// TestSecondDraw: behind the first, the weights of the rest decide.
func TestSecondDraw(t *testing.T) {
	const draws = 40_000
	p, rnd := planOf(1000, 30, 10), seeded(2)
	behind, third := 0., 0.
	for range draws {
		hops := p.hops(rnd)
		if hops[0].Addr.Addr().As4()[3] == 0 {
			behind++
			if hops[1].Addr.Addr().As4()[3] == 1 {
				third++
			}
		}
	}
	if share := third / behind; math.Abs(share-.75) > .015 {
		t.Errorf("weight 30 beside 10 came second in %.4f", share)
	}
}

// TestRanks: no draw moves a choice past one of a lower rank.
func TestRanks(t *testing.T) {
	p := planOf(0, 65535, 1, 0, 65535, 5)
	for i := range p.choices {
		p.choices[i].rank = uint32(i / 2)
	}
	rnd := seeded(3)
	swapped := 0
	for range 2000 {
		for i, hop := range p.hops(rnd) {
			at := int(hop.Addr.Addr().As4()[3])
			if at/2 != i/2 {
				t.Fatalf("hop %d is choice %d", i, at)
			}
			if at != i {
				swapped++
			}
		}
	}
	if swapped == 0 {
		t.Error("nothing was ever shuffled")
	}
}

// TestHopsBound: at most 16, each once, and the plan is as it was.
func TestHopsBound(t *testing.T) {
	p := planOf(make([]uint16, maxTarget)...)
	for i := range p.choices {
		for n := range maxAddrs - 1 {
			addr := netip.AddrFrom4([4]byte{198, 51, byte(i / 2), byte(n)}) // each host is there twice
			p.choices[i].v4 = append(p.choices[i].v4, netip.AddrPortFrom(addr, 5060))
		}
	}
	was, rnd := p.choices[3].v4[5], seeded(4)
	for range 500 {
		hops := p.hops(rnd)
		seen := make(map[Hop]bool)
		for _, hop := range hops {
			seen[hop] = true
		}
		if len(hops) != maxHops || len(seen) != maxHops {
			t.Fatalf("%d hops, %d of them different", len(hops), len(seen))
		}
	}
	if p.choices[3].v4[5] != was {
		t.Error("a shared plan was reordered")
	}
}

// TestAddressesAreShuffled: the addresses of one host come first equally often,
// IPv4 before IPv6.
func TestAddressesAreShuffled(t *testing.T) {
	p := planOf(0)
	c := &p.choices[0]
	for i := range 3 {
		c.v4 = append(c.v4, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 5060))
		c.v6 = append(c.v6, netip.MustParseAddrPort("[2001:db8::1]:5060"))
	}
	first, rnd := [4]int{}, seeded(5)
	for range 4000 {
		hops := p.hops(rnd)
		if len(hops) != 5 || !hops[4].Addr.Addr().Is6() {
			t.Fatalf("hops %s", show(hops))
		}
		first[hops[0].Addr.Addr().As4()[3]]++
	}
	for i, n := range first {
		if n < 850 || n > 1150 {
			t.Errorf("address %d came first %d times of 4000", i, n)
		}
	}
}
