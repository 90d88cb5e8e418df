package sip

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
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
	edge    *Edge
	peer    netip.AddrPort
	mu      sync.Mutex // guards conn, which close needs while the connection is being made
	conn    net.Conn
	made    bool   // by this side
	reading bool   // has a reader; guarded by the lock of the edge
	rest    []byte // read already, of a message that has not come whole; the reader's
	out     chan []byte
	once    sync.Once
	done    chan struct{}
}

func (e *Edge) listenTCP(address, host string) error {
	l, err := e.inheritedTCP(address)
	if l == nil && err == nil {
		l, err = openTCP(host)
	}
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
	e.doors = append(e.doors, door{address, l, func() { e.accept(l) }, l.SetDeadline})
	return nil
}

func openTCP(host string) (*net.TCPListener, error) {
	local, err := net.ResolveTCPAddr("tcp", host)
	if err != nil {
		return nil, err
	}
	return net.ListenTCP("tcp", local)
}

func (e *Edge) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) || e.pausedBy(err) {
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
		e.serve(conn, Socket{})
	}
}

// serve makes a stream of a connection that was accepted, or inherited with what was
// read from it already.
func (e *Edge) serve(conn net.Conn, was Socket) {
	from := addrPort(conn.RemoteAddr())
	s := &stream{
		edge: e, conn: conn, peer: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), rest: was.Rest, made: was.Made,
		out: make(chan []byte, streamQueue), done: make(chan struct{}),
	}
	e.mu.Lock()
	e.enter(s)
	e.startReading(s)
	e.mu.Unlock()
	e.listeners.Go(s.write)
	e.listeners.Go(s.closeWithEdge)
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

// read goes on until the stream ends, or the edge is paused: then it keeps what it has
// read of a message for whoever reads on.
func (s *stream) read() {
	from := Peer{Transport: "tcp", Addr: s.peer, Self: s.edge.selfTCP(s.peer.Addr()), out: s}
	rest := bytes.NewReader(s.rest)
	in := bufio.NewReaderSize(io.MultiReader(rest, s.conn), 8<<10)
	for {
		data, whole, err := s.next(in)
		if s.edge.pausedBy(err) {
			left, _ := in.Peek(in.Buffered())
			after, _ := io.ReadAll(rest)
			s.rest = slices.Concat(data, left, after)
			return
		}
		if err != nil && !errors.Is(err, io.EOF) {
			s.edge.Stats.Failed.Add(1)
			s.end(false)
			return
		}
		// At its end the peer may still read what was answered; after a bad message
		// nobody knows where the next begins.
		if err != nil || !s.edge.take(data, from, whole) {
			s.end(true)
			return
		}
	}
}

// end closes a stream that is not read from any more, without keeping its reader: what
// is queued may be passed on before.
func (s *stream) end(drain bool) {
	s.edge.listeners.Go(func() {
		if drain {
			s.drain()
		}
		s.close()
		if s.made {
			s.edge.lost(s.peer)
		}
	})
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
// the message ends. With an error, data is what was read of it.
func (s *stream) next(in *bufio.Reader) (data []byte, whole bool, err error) {
	if err := s.waitFor(streamIdle); err != nil {
		return nil, false, err
	}
	if err := s.skipPings(in); err != nil {
		return nil, false, err
	}
	if err := s.waitFor(streamMessage); err != nil {
		return nil, false, err
	}
	var head []byte
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		line, err := in.ReadSlice('\n')
		head = append(head, line...)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return head, false, err
		}
		if len(head) > MaxMessage {
			return nil, false, errTorn
		}
	}
	length := contentLength(head)
	if length < 0 || len(head)+length > MaxMessage {
		return head, false, nil // the guard says what is wrong with it
	}
	message := append(head, make([]byte, length)...)
	n, err := io.ReadFull(in, message[len(head):])
	return message[:len(head)+n], true, err
}

// waitFor gives the peer so long for what is read next. Nothing more is read while the
// edge is paused, which sets a deadline of its own after it has said so.
func (s *stream) waitFor(d time.Duration) error {
	s.conn.SetReadDeadline(time.Now().Add(d))
	if s.edge.paused.Load() {
		return os.ErrDeadlineExceeded
	}
	return nil
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
