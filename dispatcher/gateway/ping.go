package gateway

import (
	"math/rand/v2"
	"time"
)

// soon is the longest time to a URI's first ping, and between two while it is
// in doubt, unless pings are closer together anyway.
const soon = 2 * time.Second

// Due hands out the ping whose time has come: uri is the index to send an
// OPTIONS to now, or -1 for none, and at is when to ask again; it is zero if
// this gateway is never pinged. Pings of one URI are Config.Ping apart, give or
// take a tenth, and begin at some moment of the first two seconds, so that many
// gateways are not pinged all at once.
//
// One pinger should ask. It owes [Gateway.Pinged] what comes of each ping, and
// asks again after that too: a URI in doubt is pinged sooner.
func (g *Gateway) Due(now time.Time, r *rand.Rand) (uri int, at time.Time) {
	every := g.config.Ping
	if every <= 0 || len(g.pulses) == 0 {
		return -1, time.Time{}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.pulses {
		if g.pulses[i].next.IsZero() {
			g.pulses[i].next = now.Add(time.Duration(r.Float64() * float64(min(every, soon))))
		}
	}
	uri = g.first()
	if g.pulses[uri].next.After(now) {
		return -1, g.pulses[uri].next
	}
	g.pulses[uri].next = now.Add(jittered(every, r))
	return uri, g.pulses[g.first()].next
}

// first is the URI whose ping is next; the mutex is held.
func (g *Gateway) first() int {
	first := 0
	for i := range g.pulses {
		if g.pulses[i].next.Before(g.pulses[first].next) {
			first = i
		}
	}
	return first
}

// jittered is d give or take a tenth.
func jittered(d time.Duration, r *rand.Rand) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*r.Float64()))
}

// Pinged takes what came of a ping to the URI of that index, for a final answer
// what [Alive] says of it, and reports whether the URI went up or down by it.
func (g *Gateway) Pinged(uri int, now time.Time, ok bool) (changed bool) {
	if g.config.Ping <= 0 {
		return false // nothing would ever bring it back
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := &g.pulses[uri]
	*p, changed = p.beat(now, ok, g.config.Fall, g.config.Rise)
	g.up[uri].Store(!p.down)
	if again := now.Add(min(g.config.Ping, soon)); p.inDoubt() && again.Before(p.next) {
		p.next = again
	}
	return changed
}
