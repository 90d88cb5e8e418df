package sip

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of one stream connection.
const (
	maxStreams    = 4096
	streamQueue   = 256              // answers waiting to be written
	streamIdle    = 10 * time.Minute // between messages
	streamMessage = 10 * time.Second // from the first octet of a message to its last
	streamWrite   = 10 * time.Second // one write
)

var errTorn = errors.New("torn or oversized message")

// stream is one TCP connection, accepted or made: a reading and a writing goroutine,
// both gone when close returns from its connection.
type stream struct {
	edge *Edge
	peer netip.AddrPort
	mu   sync.Mutex // guards conn, which close needs while the connection is being made
	conn net.Conn
	out  chan []byte
	once sync.Once
	done chan struct{}
}

func (e *Edge) listenTCP(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	bound := addrPort(l.Addr())
	local := netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port())
	if !e.tcp.IsValid() {
		e.tcp = local
	}
	e.bound = append(e.bound, local)
	e.closers = append(e.closers, l.Close)
	e.addrs = append(e.addrs, "tcp://"+l.Addr().String())
	e.readers = append(e.readers, func() { e.accept(l) })
	return nil
}

func (e *Edge) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, most likely: let some close
			e.Stats.Failed.Add(1)
			select {
			case <-e.closed:
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		if e.streams.Add(1) > maxStreams {
			e.streams.Add(-1)
			e.Stats.Dropped.Add(1)
			conn.Close()
			continue
		}
		from := addrPort(conn.RemoteAddr())
		s := &stream{
			edge: e, conn: conn, peer: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()),
			out: make(chan []byte, streamQueue), done: make(chan struct{}),
		}
		e.mu.Lock()
		e.enter(s)
		e.mu.Unlock()
		e.listeners.Go(s.read)
		e.listeners.Go(s.write)
		e.listeners.Go(s.closeWithEdge)
	}
}

func (s *stream) close() {
	s.once.Do(func() {
		close(s.done)
		s.mu.Lock()
		if s.conn != nil {
			s.conn.Close()
		}
		s.mu.Unlock()
		s.edge.leave(s)
		s.edge.streams.Add(-1)
	})
}

func (s *stream) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// closeWithEdge ends the stream when the edge is closed.
func (s *stream) closeWithEdge() {
	select {
	case <-s.edge.closed:
		s.close()
	case <-s.done:
	}
}

func (s *stream) read() {
	defer s.close()
	from := Peer{Transport: "tcp", Addr: s.peer, Self: s.edge.selfTCP(s.peer.Addr()), out: s}
	in := bufio.NewReaderSize(s.conn, 8<<10)
	for {
		data, whole, err := s.next(in)
		if err != nil {
			if errors.Is(err, io.EOF) {
				s.drain() // it may still read what was answered
			} else {
				s.edge.Stats.Failed.Add(1)
			}
			return
		}
		if !s.edge.take(data, from, whole) {
			s.drain()
			return // after a bad message nobody knows where the next begins
		}
	}
}

// drain gives the writer a moment to pass on what is queued before the stream closes.
func (s *stream) drain() {
	select {
	case s.out <- nil:
		<-s.done // the writer has a deadline
	case <-s.done:
	}
}

// next cuts one message out of the stream (RFC 3261 §18.3): header up to the
// empty line, then as much body as Content-Length says. Pings between messages
// are answered (RFC 5626 §3.5.1). whole is false if the header does not say where
// the message ends.
func (s *stream) next(in *bufio.Reader) (data []byte, whole bool, err error) {
	s.conn.SetReadDeadline(time.Now().Add(streamIdle))
	if err := s.skipPings(in); err != nil {
		return nil, false, err
	}
	s.conn.SetReadDeadline(time.Now().Add(streamMessage))
	var head []byte
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, false, err
		}
		if head = append(head, line...); len(head) > MaxMessage {
			return nil, false, errTorn
		}
	}
	length := contentLength(head)
	if length < 0 || len(head)+length > MaxMessage {
		return head, false, nil // the guard says what is wrong with it
	}
	message := append(head, make([]byte, length)...)
	_, err = io.ReadFull(in, message[len(head):])
	return message, true, err
}

func (s *stream) skipPings(in *bufio.Reader) error {
	empty := 0
	for {
		c, err := in.ReadByte()
		if err != nil {
			return err
		}
		switch c {
		case '\r':
		case '\n':
			if empty++; empty == 2 {
				s.send([]byte("\r\n"), netip.AddrPort{})
				empty = 0
			}
		default:
			return in.UnreadByte()
		}
	}
}

// contentLength finds the body's length, -1 if the header does not say it in a
// way that leaves no doubt.
func contentLength(head []byte) int {
	text := string(head)
	if folded(text) {
		text = unfold(text)
	}
	found := -1
	for line := range strings.SplitSeq(text, "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok || lookup(strings.TrimRight(name, " \t")) != ContentLength {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
		if err != nil || found >= 0 {
			return -1
		}
		found = int(n)
	}
	return found
}

func (s *stream) write() {
	defer s.close()
	for {
		select {
		case data := <-s.out:
			if data == nil {
				return
			}
			s.conn.SetWriteDeadline(time.Now().Add(streamWrite))
			if _, err := s.conn.Write(data); err != nil {
				s.edge.Stats.Failed.Add(1)
				return
			}
		case <-s.done:
			return
		}
	}
}

// send queues one message. A peer that does not read is cut off.
func (s *stream) send(data []byte, _ netip.AddrPort) {
	select {
	case s.out <- data:
		s.edge.Stats.Sent.Add(1)
	case <-s.done:
	default:
		s.edge.Stats.Dropped.Add(1)
		s.close()
	}
}
