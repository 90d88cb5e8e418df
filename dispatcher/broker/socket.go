package broker

import (
	"net"
	"sync"
)

// sockets are the connections that are open, so that they can be counted, and closed
// with the broker whoever holds them.
type sockets struct {
	mu     sync.Mutex // guards open and closed; connections come and go on goroutines of net/http
	open   map[*socket]struct{}
	closed bool
	making sync.WaitGroup // connections that are being made
}

type socket struct {
	net.Conn
	among *sockets
}

// begin says that a connection is being made, and whether it may; end follows if so.
func (s *sockets) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.making.Add(1)
	}
	return !s.closed
}

func (s *sockets) end() { s.making.Done() }

// add takes a connection in. It closes it if the broker is closed.
func (s *sockets) add(conn net.Conn) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	if s.open == nil {
		s.open = make(map[*socket]struct{})
	}
	c := &socket{conn, s}
	s.open[c] = struct{}{}
	return c, nil
}

// Close closes the connection and forgets it.
func (c *socket) Close() error {
	c.among.mu.Lock()
	delete(c.among.open, c)
	c.among.mu.Unlock()
	return c.Conn.Close()
}

func (s *sockets) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// close closes all connections and returns when none is being made any more.
func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Conn.Close()
	}
	clear(s.open)
	s.mu.Unlock()
	s.making.Wait()
}
