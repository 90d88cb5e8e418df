package broker

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// A Policy is what the scripts of one account may reach, and how much of it. The
// zero value reaches no host and has the usual limits. It must not change once it is
// used; a changed account gets a new one.
type Policy struct {
	Hosts []Host // that HTTP requests may go to
	// Networks that are reached although they are not public: in-house services.
	// They widen what a Host may resolve to, not which hosts are allowed.
	Networks []netip.Prefix

	FetchTime  time.Duration // for one request with its redirects; default 2 s
	FetchBytes int           // of one response's body; default, and at most, 192 KiB

	// Asks of one run.
	Fetches int // default 20
	Lookups int // default 50
	Keeps   int // default 200
	Claims  int // default 50
}

// maxFetchBytes is what the wire carries of one body.
const maxFetchBytes = 192 << 10

// nothing is the Policy of an Asker who has none.
var nothing = &Policy{}

func (p *Policy) fetchTime() time.Duration { return cmp.Or(p.FetchTime, 2*time.Second) }

func (p *Policy) fetchBytes() int { return min(cmp.Or(p.FetchBytes, maxFetchBytes), maxFetchBytes) }

// most is how many Asks of a kind a run may make.
func (p *Policy) most(k Kind) int {
	switch k {
	case Fetching:
		return cmp.Or(p.Fetches, 20)
	case LookingUp:
		return cmp.Or(p.Lookups, 50)
	case Keeping:
		return cmp.Or(p.Keeps, 200)
	}
	return cmp.Or(p.Claims, 50)
}

// allowsHost tells whether a request may go to t, as far as its name says.
func (p *Policy) allowsHost(t *target) bool {
	return slices.ContainsFunc(p.Hosts, func(h Host) bool { return h.matches(t) })
}

// allowsAddr tells whether a connection may be made to an address. refused are
// never reached, whatever an account may.
func (p *Policy) allowsAddr(addr netip.Addr, refused []netip.Prefix) bool {
	addr = bare(addr)
	holds := func(network netip.Prefix) bool { return network.Contains(addr) }
	if slices.ContainsFunc(refused, holds) {
		return false
	}
	return isPublic(addr) || slices.ContainsFunc(p.Networks, holds)
}
