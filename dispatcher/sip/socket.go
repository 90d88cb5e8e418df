package sip

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Socket is an open socket on its way from one edge to another, most likely in
// another process. Whoever has it owns its descriptor.
type Socket struct {
	Address string // as it was asked for, or as it is: "udp://127.0.0.1:5060"
	FD      int

	// Of a connection, whose Address is empty.
	Rest []byte // read from it already, of a message that has not come whole
	Made bool   // from the front's side
}

// OpenSocket opens one address as Bind does, without reading from it.
func OpenSocket(address string) (Socket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Socket{}, err
	}
	var conn interface {
		syscall.Conn
		Close() error
	}
	switch u.Scheme {
	case "udp":
		conn, err = openUDP(u.Host)
	case "tcp":
		conn, err = openTCP(u.Host)
	default:
		err = fmt.Errorf("transport is not udp or tcp")
	}
	if err != nil {
		return Socket{}, fmt.Errorf("listen on %s: %w", address, err)
	}
	defer conn.Close()
	fd, err := DupSocket(conn)
	return Socket{Address: address, FD: fd}, err
}

// DupSocket is another descriptor for the same socket, not to be inherited by programs
// that this one starts. Unlike that of a File method it leaves the socket non-blocking.
func DupSocket(conn syscall.Conn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd = -1
	controlled := raw.Control(func(own uintptr) { fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
	if controlled != nil {
		err = controlled
	}
	return fd, err
}

// CloseSockets closes the descriptors of sockets that nobody takes.
func CloseSockets(list []Socket) {
	for _, s := range list {
		unix.Close(s.FD)
	}
}

// Sockets are those that the edge listens on, once more: both of the edge's own and
// these can be used until they are closed.
func (e *Edge) Sockets() (list []Socket, err error) {
	for _, d := range e.doors {
		fd, err := DupSocket(d.conn)
		if err != nil {
			CloseSockets(list)
			return nil, err
		}
		list = append(list, Socket{Address: d.address, FD: fd})
	}
	return list, nil
}

// releaseTime is how long a peer may take to read what is queued for it before its
// connection changes hands.
const releaseTime = 200 * time.Millisecond

// Release gives the connections of a paused edge away, when what is queued for their
// peers has been sent. One whose peer does not read is closed.
func (e *Edge) Release() (list []Socket) {
	deadline := time.After(releaseTime)
	e.mu.Lock()
	var streams []*stream
	for _, s := range e.byPeer {
		streams = append(streams, s)
	}
	e.mu.Unlock()
	for _, s := range streams {
		if socket, ok := s.release(deadline); ok {
			list = append(list, socket)
		}
	}
	return list
}

// release has the writer send what is queued and close its own descriptor.
func (s *stream) release(deadline <-chan time.Time) (Socket, bool) {
	s.mu.Lock()
	conn, ok := s.conn.(syscall.Conn)
	s.mu.Unlock()
	if !ok { // not connected yet
		return Socket{}, false
	}
	fd, err := DupSocket(conn)
	if err != nil {
		return Socket{}, false
	}
	select {
	case s.out <- nil:
		select {
		case <-s.done:
			return Socket{FD: fd, Rest: s.rest, Made: s.made}, true
		case <-deadline:
		}
	case <-s.done:
	case <-deadline:
	}
	unix.Close(fd)
	return Socket{}, false
}

// Adopt takes over the connections of another edge, before Read.
func (e *Edge) Adopt(list []Socket) {
	for _, s := range list {
		conn, err := fileOf(s, net.FileConn)
		if err != nil || e.streams.Add(1) > maxStreams {
			e.Stats.Failed.Add(1)
			if err == nil {
				conn.Close()
				e.streams.Add(-1)
			}
			continue
		}
		e.serve(conn, s)
	}
}

// inheritedUDP takes the inherited socket for an address; nil if there is none.
func (e *Edge) inheritedUDP(address string) (*net.UDPConn, error) {
	s, ok := e.takeInherited(address)
	if !ok {
		return nil, nil
	}
	conn, err := fileOf(s, net.FilePacketConn)
	if err != nil {
		return nil, err
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("the inherited socket is not one for UDP")
	}
	return udp, nil
}

// inheritedTCP does the same for a listener.
func (e *Edge) inheritedTCP(address string) (*net.TCPListener, error) {
	s, ok := e.takeInherited(address)
	if !ok {
		return nil, nil
	}
	l, err := fileOf(s, net.FileListener)
	if err != nil {
		return nil, err
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		l.Close()
		return nil, fmt.Errorf("the inherited socket does not listen for TCP")
	}
	return tcp, nil
}

func (e *Edge) takeInherited(address string) (Socket, bool) {
	for i, s := range e.Inherited {
		if sameAddress(s.Address, address) {
			e.Inherited = append(e.Inherited[:i:i], e.Inherited[i+1:]...)
			return s, true
		}
	}
	return Socket{}, false
}

// Find returns the socket in list that is for an address.
func Find(list []Socket, address string) (Socket, bool) {
	for _, s := range list {
		if sameAddress(s.Address, address) {
			return s, true
		}
	}
	return Socket{}, false
}

// sameAddress compares addresses as they are written, and ":5060" with "[::]:5060" and
// "0.0.0.0:5060": one socket for every address of the machine.
func sameAddress(a, b string) bool { return a == b || plainAddress(a) == plainAddress(b) }

func plainAddress(text string) string {
	transport, host, ok := strings.Cut(text, "://")
	if !ok {
		return text
	}
	if strings.HasPrefix(host, ":") {
		host = "[::]" + host
	}
	at, err := netip.ParseAddrPort(host)
	if err != nil {
		return text
	}
	addr := at.Addr().Unmap()
	if addr == netip.IPv4Unspecified() {
		addr = netip.IPv6Unspecified()
	}
	return transport + "://" + netip.AddrPortFrom(addr, at.Port()).String()
}

// fileOf makes Go's form of a socket and closes the descriptor: Go has one of its own.
func fileOf[T any](s Socket, make func(*os.File) (T, error)) (T, error) {
	f := os.NewFile(uintptr(s.FD), "socket")
	defer f.Close()
	return make(f)
}
