package dispatcher

import (
	"hash/fnv"
	"net/netip"
	"time"
)

// simLate is how long a datagram is on its way at the most.
const simLate = time.Second

// A simNetwork carries datagrams between the front and the phones, badly until it is
// calm. A fair one loses the same octets twice at the most, so that whoever repeats
// is heard before any timer of RFC 3261 gives up.
type simNetwork struct {
	loss, twice, late float64
	delay             time.Duration
	lost              map[uint64]int
	calm              bool
}

func newSimNetwork(w *simWorld) simNetwork {
	n := simNetwork{delay: w.between(time.Millisecond, 80*time.Millisecond), lost: map[uint64]int{}}
	if w.chance(0.75) {
		n.loss, n.twice, n.late = w.random.Float64()*0.2, w.random.Float64()*0.1, w.random.Float64()*0.1
	}
	return n
}

// send takes a datagram on its way.
func (w *simWorld) send(from, to netip.AddrPort, data []byte) {
	n := &w.net
	if n.calm {
		w.carry(from, to, data, n.delay)
		return
	}
	copies := 1
	if w.chance(n.twice) {
		copies = 2
	}
	for range copies {
		switch {
		case w.chance(n.loss) && n.lose(w.fair, from, data):
			w.tally["lost"]++
			w.noteMessage("lost", from, to, data)
		case w.chance(n.late):
			w.carry(from, to, data, w.upTo(simLate))
		default:
			w.carry(from, to, data, w.between(n.delay/2, n.delay))
		}
	}
}

// lose reports whether a datagram may be lost.
func (n *simNetwork) lose(fair bool, from netip.AddrPort, data []byte) bool {
	if !fair {
		return true
	}
	h := fnv.New64a()
	h.Write(data)
	key := h.Sum64() + uint64(from.Port())
	n.lost[key]++
	return n.lost[key] <= 2
}

// carry delivers a datagram after a while.
func (w *simWorld) carry(from, to netip.AddrPort, data []byte, d time.Duration) {
	w.after(d, func() {
		w.tally["packets"]++
		if to == simFrontAddr {
			w.front.receive(from, data)
			return
		}
		if p := w.phones[to]; p != nil && !p.gone {
			w.noteMessage("", from, to, data)
			p.receive(data)
		}
	})
}
