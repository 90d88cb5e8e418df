package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// streamDial is how long a connection may take to be made.
const streamDial = 5 * time.Second

// Outbound finds the way by which a request to addr leaves: a UDP socket of its
// family, or a connection, which is made if there is none. It does not block: what
// is sent waits until the connection stands. transport is "udp" or "tcp".
func (e *Edge) Outbound(transport string, addr netip.AddrPort) (Peer, error) {
	switch transport {
	case "udp":
		if s := e.socketFor(addr.Addr()); s != nil {
			return Peer{Transport: "udp", Addr: addr, Self: s.self(addr.Addr()), out: s}, nil
		}
	case "tcp":
		s, err := e.connect(addr)
		if err != nil {
			return Peer{}, err
		}
		return Peer{Transport: "tcp", Addr: addr, Self: e.selfTCP(addr.Addr()), out: s}, nil
	}
	return Peer{}, fmt.Errorf("no %s socket for %s", transport, addr)
}

// socketFor prefers a socket on the loopback for addresses there, and any other
// for the rest.
func (e *Edge) socketFor(addr netip.Addr) (found *udpSocket) {
	for _, s := range e.sockets {
		if s.local.Addr().Is4() != addr.Is4() && s.local.Addr() != netip.IPv6Unspecified() {
			continue
		}
		if found == nil || s.local.Addr().IsLoopback() == addr.IsLoopback() {
			found = s
		}
	}
	return found
}

// self is what the socket calls itself toward a peer.
func (s *udpSocket) self(peer netip.Addr) string {
	switch {
	case s.edge.Advertise != "":
		return s.edge.Advertise
	case s.name != "":
		return s.name
	}
	return s.edge.nameFor(s.local, peer)
}

// selfTCP is where a peer reached over TCP may connect to.
func (e *Edge) selfTCP(peer netip.Addr) string {
	switch {
	case e.Advertise != "":
		return e.Advertise
	case e.tcp.IsValid():
		return e.nameFor(e.tcp, peer)
	case len(e.sockets) > 0:
		return e.sockets[0].self(peer)
	}
	return peer.String()
}

// nameFor is the address of a socket as a peer may use it: one that is bound to
// every address is named by that from which the peer is reached.
func (e *Edge) nameFor(local netip.AddrPort, peer netip.Addr) string {
	if !local.Addr().IsUnspecified() {
		return local.String()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	way := netip.AddrPortFrom(peer, local.Port())
	name, known := e.names[way]
	if !known {
		if len(e.names) >= maxNames || e.names == nil {
			e.names = map[netip.AddrPort]string{}
		}
		name = nameToward(local, peer)
		e.names[way] = name
	}
	return name
}

// maxNames bounds the memory of how peers are reached.
const maxNames = 4096

func nameToward(local netip.AddrPort, peer netip.Addr) string {
	// Connecting a datagram socket sends nothing; it asks the routing table.
	conn, err := net.Dial("udp", netip.AddrPortFrom(peer, 9).String())
	if err != nil {
		return local.String()
	}
	defer conn.Close()
	return netip.AddrPortFrom(addrPort(conn.LocalAddr()).Addr().Unmap(), local.Port()).String()
}

// connect finds the stream to addr or begins to make one.
func (e *Edge) connect(addr netip.AddrPort) (*stream, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.closed:
		return nil, net.ErrClosed
	default:
	}
	if s := e.byPeer[addr]; s != nil && !s.closed() {
		return s, nil
	}
	if e.streams.Add(1) > maxStreams {
		e.streams.Add(-1)
		return nil, fmt.Errorf("too many connections")
	}
	s := &stream{edge: e, peer: addr, made: true, out: make(chan []byte, streamQueue), done: make(chan struct{})}
	e.enter(s)
	e.listeners.Go(s.dial)
	return s, nil
}

// enter makes a stream known by its peer. The caller holds the lock.
func (e *Edge) enter(s *stream) {
	if e.byPeer == nil {
		e.byPeer = map[netip.AddrPort]*stream{}
	}
	e.byPeer[s.peer] = s
}

// leave forgets a closed stream.
func (e *Edge) leave(s *stream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byPeer[s.peer] == s {
		delete(e.byPeer, s.peer)
	}
}

// dial makes the connection and then serves it like an accepted one.
func (s *stream) dial() {
	ctx, cancel := context.WithTimeout(context.Background(), streamDial)
	defer cancel()
	s.edge.listeners.Go(func() {
		select {
		case <-s.edge.closed:
			cancel()
		case <-ctx.Done():
		}
	})
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.peer.String())
	if err != nil {
		s.edge.Stats.Failed.Add(1)
		s.close()
		s.edge.lost(s.peer)
		return
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	if s.closed() {
		conn.Close()
		return
	}
	s.edge.listeners.Go(s.write)
	s.edge.listeners.Go(s.closeWithEdge)
	s.edge.mu.Lock()
	s.edge.startReading(s)
	s.edge.mu.Unlock()
}

// lost tells of a connection that was made here and is no more.
func (e *Edge) lost(peer netip.AddrPort) {
	select {
	case <-e.closed:
	default:
		if e.Unreachable != nil {
			e.Unreachable("tcp", peer)
		}
	}
}

// IsLocal reports whether the front itself listens at an address: what is sent
// there comes back.
func (e *Edge) IsLocal(addr netip.AddrPort) bool {
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	switch addr.Addr() { // what is sent to no address in particular stays here
	case netip.IPv4Unspecified():
		addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port())
	case netip.IPv6Unspecified():
		addr = netip.AddrPortFrom(netip.IPv6Loopback(), addr.Port())
	}
	for _, l := range e.bound {
		if l.Port() == addr.Port() && (l.Addr() == addr.Addr() || l.Addr().IsUnspecified() && e.isOwn(addr.Addr())) {
			return true
		}
	}
	host, port, err := net.SplitHostPort(e.Advertise)
	if err != nil {
		host, port = strings.Trim(e.Advertise, "[]"), "5060"
	}
	own, err := netip.ParseAddr(host)
	return err == nil && own == addr.Addr() && port == fmt.Sprint(addr.Port())
}

// ownAge is how long the list of this machine's addresses is believed.
const ownAge = 5 * time.Second

// isOwn reports whether an address is one of this machine's.
func (e *Edge) isOwn(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(e.ownAt) > ownAge {
		e.own, e.ownAt = ownAddresses(), time.Now()
	}
	return e.own[addr]
}

func ownAddresses() map[netip.Addr]bool {
	own := map[netip.Addr]bool{}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own[p.Addr().Unmap()] = true
		}
	}
	return own
}
