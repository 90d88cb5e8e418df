package sip

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// An Edge is the set of sockets the front listens on. Its reader goroutines scan
// packets and hand them on; they hold no SIP state.
type Edge struct {
	// Receive takes a packet that passed the guard and reports whether there
	// was room for it. It is called from many goroutines and must not block.
	Receive func(Packet) bool
	// Unreachable is told of a connection that could not be made, or that was made
	// here and has ended. It may be nil.
	Unreachable func(transport string, addr netip.AddrPort)
	// Advertise is the host[:port] of Via and Contact; empty for the socket's own.
	Advertise string
	// Inherited are open sockets that Bind takes where it is asked for their address,
	// in place of new ones. Those that are not asked for it closes.
	Inherited []Socket
	Log       *slog.Logger
	Stats     Stats

	sockets   []*udpSocket
	tcp       netip.AddrPort   // the first listener's
	bound     []netip.AddrPort // of all sockets
	mu        sync.Mutex       // guards what follows, which readers, shards and dialling streams share
	byPeer    map[netip.AddrPort]*stream
	names     map[netip.AddrPort]string // see nameFor
	own       map[netip.Addr]bool       // see isOwn
	ownAt     time.Time
	closers   []func() error
	doors     []door
	addrs     []string
	refusals  limiter
	streams   atomic.Int64
	paused    atomic.Bool    // nothing is read; set under mu
	reading   sync.WaitGroup // goroutines that read; none is added while paused
	listeners sync.WaitGroup // all others
	closed    chan struct{}
}

// Stats counts what the edge did since it was opened.
type Stats struct {
	Received atomic.Uint64 // messages, good or bad
	Sent     atomic.Uint64
	Refused  atomic.Uint64 // by the guard
	Dropped  atomic.Uint64 // no room in a mailbox
	Failed   atomic.Uint64 // transport errors
	Panics   atomic.Uint64 // recovered while reading a message
}

// refusalRate bounds the stateless answers to bad messages, so that the front is
// no amplifier for a forged source: per second, for all sources together.
const refusalRate = 500

// Listen opens every address, or none, and begins to read.
func (e *Edge) Listen(addresses []string) error {
	if err := e.Bind(addresses); err != nil {
		return err
	}
	e.Read()
	return nil
}

// Bind opens every address ("udp://host:port", "tcp://host:port") or none. It can be
// sent from there; what arrives waits for Read.
func (e *Edge) Bind(addresses []string) (err error) {
	e.closed = make(chan struct{})
	e.paused.Store(true)
	e.refusals.interval = time.Second / refusalRate
	defer func() {
		CloseSockets(e.Inherited)
		e.Inherited = nil
		if err != nil {
			e.Close()
		}
	}()
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", address, err)
		}
		switch u.Scheme {
		case "udp":
			err = e.listenUDP(address, u.Host)
		case "tcp":
			err = e.listenTCP(address, u.Host)
		default:
			err = errors.New("transport is not udp or tcp")
		}
		if err != nil {
			return fmt.Errorf("listen on %s: %w", address, err)
		}
	}
	return nil
}

// Addresses lists what is listened on, with real port numbers.
func (e *Edge) Addresses() []string { return e.addrs }

// Close shuts every socket and returns when all readers are gone.
func (e *Edge) Close() {
	if e.closed == nil {
		return
	}
	e.mu.Lock()
	select {
	case <-e.closed:
	default:
		close(e.closed)
	}
	e.mu.Unlock()
	for _, c := range e.closers {
		c()
	}
	e.reading.Wait()
	e.listeners.Wait()
}

// take scans one message and hands it on. It reports whether the bytes were a
// message at all; one whose end its stream does not tell is none.
func (e *Edge) take(data []byte, from Peer, whole bool) (ok bool) {
	defer e.survive(from, nil)
	e.Stats.Received.Add(1)
	m, refusal := Scan(data)
	if refusal == nil && !whole {
		refusal = m.refuse(400, "no Content-Length on a stream")
	}
	if refusal != nil {
		e.Stats.Refused.Add(1)
		e.Log.Debug("message refused", "source", from.String(), "status", refusal.Status, "reason", refusal.Why)
		e.answer(refusal, from)
		return false
	}
	e.deliver(m, from)
	return true
}

func (e *Edge) deliver(m *Message, from Peer) {
	defer e.survive(from, m)
	if !e.Receive(Packet{Message: m, Peer: from}) {
		e.Stats.Dropped.Add(1)
	}
}

// survive is deferred where a message is handled: a panic costs this message
// only, and its sender hears 500 if it was understood.
func (e *Edge) survive(from Peer, m *Message) {
	p := recover()
	if p == nil {
		return
	}
	e.Stats.Panics.Add(1)
	e.Log.Error("panic while reading a message", "source", from.String(), "panic", p)
	if m != nil {
		e.answer(m.refuse(500, ""), from)
	}
}

// answer sends a refusal, if it is one to answer and the ration lasts.
func (e *Edge) answer(r *Refusal, from Peer) {
	if data := r.Encode(from.Addr); data != nil && e.refusals.allow(time.Now()) {
		from.Send(data)
	}
}

// limiter is a token bucket of one second's worth, as a single instant (the
// generic cell rate algorithm of ITU-T I.371). Safe for concurrent use.
type limiter struct {
	interval time.Duration
	next     atomic.Int64 // when the bucket would be full again, ns since origin
}

// origin lies far back, so that a bucket which was never used is full; counting from it
// is by the clock that nobody sets.
var origin = time.Now().Add(-100 * 365 * 24 * time.Hour)

func (l *limiter) allow(now time.Time) bool {
	instant := int64(now.Sub(origin))
	for {
		next := l.next.Load()
		at := max(next, instant)
		if at-instant > int64(time.Second) {
			return false
		}
		if l.next.CompareAndSwap(next, at+int64(l.interval)) {
			return true
		}
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort()
	case *net.TCPAddr:
		return a.AddrPort()
	}
	return netip.AddrPort{}
}
