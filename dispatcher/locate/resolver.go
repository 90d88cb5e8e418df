package locate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Resolver finds the hops of targets. The zero value works, with this machine's
// name servers. It is safe for concurrent use; its fields must not change once it
// is used. It owns no goroutine and no socket between lookups, so there is nothing
// to close.
type Resolver struct {
	Servers    []string // name servers as ADDR or ADDR:PORT, in the order to ask; default those of /etc/resolv.conf
	Hosts      string   // a hosts file, read before a name server is asked; default /etc/hosts
	Transports []string // "udp", "tcp", "tls": those we speak, the preferred first; default udp, tcp
	IPv4Only   bool     // never ask for AAAA

	Timeout time.Duration // for one name server to answer one question; default 2 s
	Tries   int           // how often each name server is asked; default 2
	Total   time.Duration // for one Lookup, whatever it takes; default 10 s
	Asking  int           // questions open at once; beyond it a Lookup ends at once, as temporary; default 256

	CacheSize   int           // how many answers, and how many targets, are kept; default 4096
	MinTTL      time.Duration // bounds of a record's TTL; default 5 s
	MaxTTL      time.Duration // default 1 h
	NegativeTTL time.Duration // the longest that the absence of a name or record is kept; default 1 min

	mu      sync.Mutex // guards the next three; never held while anything is waited for
	answers cache[question, answer]
	plans   cache[Target, *plan]
	flights map[question]*flight

	filesMu sync.Mutex // held while the files are read; never by Cached
	local   *local

	asking atomic.Int32
	first  atomic.Uint32 // index of the name server to begin with
}

// defaultTransports is what a Resolver speaks that is told nothing.
var defaultTransports = []string{udp, tcp}

// Lookup finds the hops of a target in the order to try them, at least one and at
// most 16, or an error that wraps [ErrNoSuchHost], [ErrNoTransport] or
// [ErrTemporary]. One that ends with ctx is temporary and wraps ctx's error too.
func (r *Resolver) Lookup(ctx context.Context, t Target) ([]Hop, error) {
	t, err := t.canonical()
	if err != nil {
		return nil, err
	}
	if hop, ok, err := r.immediate(t); err != nil {
		return nil, err
	} else if ok {
		return []Hop{hop}, nil
	}
	p, ok := r.planned(t)
	if !ok {
		p = r.makePlan(ctx, t)
	}
	if p.err != nil {
		return nil, p.failure()
	}
	return p.hops(rand.Uint32N), nil
}

// Cached is Lookup where that needs neither the network nor the disk: for the
// call path. It never waits. No hops and true means that a Lookup would find none:
// it is known that there is nothing to send to, or no way we could.
func (r *Resolver) Cached(t Target) ([]Hop, bool) {
	t, err := t.canonical()
	if err != nil {
		return nil, true
	}
	if hop, ok, err := r.immediate(t); err != nil {
		return nil, true
	} else if ok {
		return []Hop{hop}, true
	}
	p, ok := r.planned(t)
	if !ok {
		return nil, false
	}
	return p.hops(rand.Uint32N), true
}

// immediate finds what needs no lookup: IP literals and localhost.
func (r *Resolver) immediate(t Target) (Hop, bool, error) {
	addr, ok := literal(t.Host)
	if !ok && isLocalhost(t.Host) {
		addr, ok = loopback, true
	}
	if transport := t.defaultTransport(); !r.speaks(transport) && (ok || t.Transport != "" || t.Secure) {
		return Hop{}, false, fmt.Errorf("%w: %s", ErrNoTransport, transport)
	}
	if !ok {
		return Hop{}, false, nil
	}
	return t.hop(addr), true, nil
}

func (r *Resolver) planned(t Target) (*plan, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plans.get(time.Now(), t)
}

// makePlan walks for a target, and keeps what it finds. A failure is not kept:
// the answers that failed are, which is enough to spare the name servers.
func (r *Resolver) makePlan(ctx context.Context, t Target) *plan {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Total, 10*time.Second))
	defer cancel()
	l := r.files(time.Now())
	w := walk{transports: r.transports(), ipv4Only: r.IPv4Only}
	w.ask = func(questions []question) []answer { return r.answersTo(ctx, l, questions) }
	p := w.locate(t)
	if p.isTemporary() {
		return &p
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plans.limit = r.cacheSize()
	r.plans.put(time.Now(), t, &p, p.expires)
	return &p
}

// failure is the error of a plan as a caller may branch on it.
func (p *plan) failure() error {
	if p.isTemporary() {
		return fmt.Errorf("locate %s: %w: %w", p.name, ErrTemporary, p.err)
	}
	return fmt.Errorf("locate %s: %w", p.name, p.err)
}

func (p *plan) isTemporary() bool {
	return p.err != nil && !errors.Is(p.err, ErrNoSuchHost) && !errors.Is(p.err, ErrNoTransport)
}

func (r *Resolver) speaks(transport string) bool { return slices.Contains(r.transports(), transport) }

func (r *Resolver) transports() []string {
	if len(r.Transports) == 0 {
		return defaultTransports
	}
	return r.Transports
}

func (r *Resolver) timeout() time.Duration { return cmp.Or(r.Timeout, 2*time.Second) }
func (r *Resolver) tries() int             { return cmp.Or(r.Tries, 2) }
func (r *Resolver) maxAsking() int         { return cmp.Or(r.Asking, 256) }
func (r *Resolver) cacheSize() int         { return cmp.Or(r.CacheSize, 4096) }

func (r *Resolver) lifetime() lifetime {
	return lifetime{
		least:    cmp.Or(r.MinTTL, 5*time.Second),
		most:     cmp.Or(r.MaxTTL, time.Hour),
		negative: cmp.Or(r.NegativeTTL, time.Minute),
	}
}
