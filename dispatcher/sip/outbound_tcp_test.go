package sip

import (
	"bufio"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// peerListener is a TCP peer: each connection made to it comes out of the channel.
func peerListener(t *testing.T) (netip.AddrPort, <-chan net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns, gone := make(chan net.Conn, 16), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(patience))
			conns <- conn
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-gone
		for len(conns) > 0 {
			(<-conns).Close()
		}
	})
	return addrPort(l.Addr()), conns
}

func outbound(t *testing.T, e *Edge, to netip.AddrPort) Peer {
	t.Helper()
	p, err := e.Outbound("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ask sends a request to a peer; its branch is made from its name.
func ask(p Peer, name string) {
	p.Send(legRequest("OPTIONS", name).encode(p.Transport, p.Self, "z9hG4bK-"+name))
}

// TestOutboundTCP: a connection is made once; what is sent meanwhile arrives in
// order, and its answers come back by it.
func TestOutboundTCP(t *testing.T) {
	answers := make(chan Packet, 1)
	e := listening(t, &Edge{Receive: func(p Packet) bool { answers <- p; return true }}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	addr, conns := peerListener(t)
	const requests = 20
	for i := range requests {
		p := outbound(t, e, addr)
		if p.Transport != "tcp" || p.Addr != addr || p.Self != boundTo(t, e, 1).String() {
			t.Fatalf("%s as %s", p, p.Self)
		}
		ask(p, strconv.Itoa(i))
	}
	conn := await(t, conns)
	defer conn.Close()
	in := bufio.NewReader(conn)
	for i := range requests {
		if m := readStream(t, in); m.Branch != "z9hG4bK-"+strconv.Itoa(i) {
			t.Fatalf("request %d is %s", i, m.Branch)
		}
	}
	write(t, conn, answerText(200, "OPTIONS", "z9hG4bK-0", "o1", "a"))
	if answer := await(t, answers); answer.Branch != "z9hG4bK-0" || answer.Peer != outbound(t, e, addr) {
		t.Errorf("the answer to %s comes from %v", answer.Branch, answer.Peer)
	}
	if len(conns) > 0 || e.streams.Load() != 1 {
		t.Errorf("%d more connections, %d streams are counted", len(conns), e.streams.Load())
	}
}

// TestOneConnectionForMany: shards that want the same peer at once share a
// connection.
func TestOneConnectionForMany(t *testing.T) {
	e := listening(t, &Edge{}, "tcp://127.0.0.1:0")
	addr, conns := peerListener(t)
	const shards = 16
	var started sync.WaitGroup
	for i := range shards {
		started.Go(func() {
			if p, err := e.Outbound("tcp", addr); err != nil {
				t.Error(err)
			} else {
				ask(p, strconv.Itoa(i))
			}
		})
	}
	started.Wait()
	conn := await(t, conns)
	defer conn.Close()
	in := bufio.NewReader(conn)
	for range shards {
		readStream(t, in)
	}
	if len(conns) > 0 {
		t.Error("there is a second connection")
	}
}

// TestAcceptedConnectionIsUsed: a request to a peer that has connected goes by its
// connection, which may be the only way to it.
func TestAcceptedConnectionIsUsed(t *testing.T) {
	e := openEdge(t, accept)
	conn := dial(t, e, "tcp")
	read := reader(t, conn, "tcp")
	write(t, conn, requestText("OPTIONS", "z9hG4bK-1", "a.test"))
	read()
	ask(outbound(t, e, addrPort(conn.LocalAddr())), "o1")
	if m := read(); m.Method != "OPTIONS" || m.Branch != "z9hG4bK-o1" {
		t.Errorf("%s %s", m.Method, m.Branch)
	}
	if n := e.streams.Load(); n != 1 {
		t.Errorf("%d streams are counted", n)
	}
}

// TestRefusedConnection: the user hears which peer cannot be reached, and nothing is
// left of it; the next request tries again.
func TestRefusedConnection(t *testing.T) {
	unreachable := make(chan netip.AddrPort, 2)
	e := listening(t, &Edge{Unreachable: func(transport string, addr netip.AddrPort) {
		if transport != "tcp" {
			t.Errorf("%s is unreachable over %s", addr, transport)
		}
		unreachable <- addr
	}}, "tcp://127.0.0.1:0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := addrPort(l.Addr())
	l.Close()
	for i := range 2 {
		p := outbound(t, e, nobody)
		ask(p, "o1")
		if addr := await(t, unreachable); addr != nobody {
			t.Errorf("%s is unreachable, want %s", addr, nobody)
		}
		ask(p, "o2") // nobody to send to: dropped
		e.mu.Lock()
		known := len(e.byPeer)
		e.mu.Unlock()
		if known != 0 || e.streams.Load() != 0 || e.Stats.Failed.Load() != uint64(i+1) {
			t.Errorf("%d known, %d streams, %d failures", known, e.streams.Load(), e.Stats.Failed.Load())
		}
	}
	e.Unreachable = nil // need not be set
	outbound(t, e, nobody)
}

// TestClosedConnectionIsMadeAgain: when the peer has closed, the next request has a
// connection of its own.
func TestClosedConnectionIsMadeAgain(t *testing.T) {
	e := listening(t, &Edge{}, "tcp://127.0.0.1:0")
	addr, conns := peerListener(t)
	first := outbound(t, e, addr)
	await(t, conns).Close()
	await(t, first.out.(*stream).done)
	second := outbound(t, e, addr)
	if first == second {
		t.Fatal("the closed connection is used")
	}
	ask(second, "o1")
	conn := await(t, conns)
	defer conn.Close()
	if m := readStream(t, bufio.NewReader(conn)); m.Branch != "z9hG4bK-o1" {
		t.Errorf("%s", m.Branch)
	}
	if n := e.streams.Load(); n != 1 {
		t.Errorf("%d streams are counted", n)
	}
}

// TestOutboundIsBounded: connections made count like those accepted.
func TestOutboundIsBounded(t *testing.T) {
	e := listening(t, &Edge{}, "tcp://127.0.0.1:0")
	addr, _ := peerListener(t)
	e.streams.Store(maxStreams)
	if p, err := e.Outbound("tcp", addr); err == nil {
		t.Errorf("one more than the most: %v", p)
	}
	if n := e.streams.Swap(0); n != maxStreams {
		t.Errorf("%d are counted", n)
	}
}

// TestCloseWhileDialling: an edge that is closed waits for no connection in the
// making, and leaves nothing of it.
func TestCloseWhileDialling(t *testing.T) {
	before := goleak.IgnoreCurrent()
	busy := busyListener(t)
	unreachable := 0 // by goroutines that are gone when Close returns
	e := listening(t, &Edge{Unreachable: func(string, netip.AddrPort) { unreachable++ }}, "tcp://127.0.0.1:0")
	p := outbound(t, e, busy)
	ask(p, "o1")
	begin := time.Now()
	e.Close()
	if took := time.Since(begin); took > streamDial/2 {
		t.Errorf("Close takes %v", took)
	}
	if e.streams.Load() != 0 || len(e.byPeer) != 0 || !p.out.(*stream).closed() || unreachable > 1 {
		t.Errorf("%d streams, %d known, closed: %v, unreachable %d times", e.streams.Load(), len(e.byPeer), p.out.(*stream).closed(), unreachable)
	}
	goleak.VerifyNone(t, before)
}

// busyListener is an address where connections neither come about nor are refused: a
// listener without room, whose kernel drops what asks for one.
func busyListener(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(bound.(*syscall.SockaddrInet4).Port))
	for range 8 {
		conn, err := net.DialTimeout("tcp", addr.String(), 50*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("this kernel lets connections come about without room for them")
	return addr
}

// TestOutboundAfterClose: nothing begins any more.
func TestOutboundAfterClose(t *testing.T) {
	e := listening(t, &Edge{}, "tcp://127.0.0.1:0")
	addr, conns := peerListener(t)
	e.Close()
	if p, err := e.Outbound("tcp", addr); err == nil {
		t.Errorf("a way to %v", p)
		e.Close() // waits for what has begun nevertheless
	}
	if len(conns) > 0 {
		t.Error("a connection is made")
	}
}
