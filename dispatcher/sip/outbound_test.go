package sip

import (
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// listening opens an edge on these addresses until the test ends.
func listening(t *testing.T, e *Edge, addresses ...string) *Edge {
	t.Helper()
	if e.Receive == nil {
		e.Receive = accept
	}
	e.Log = slog.New(slog.DiscardHandler)
	if err := e.Listen(addresses); err != nil {
		t.Skip("no such address here: ", err)
	}
	t.Cleanup(e.Close)
	return e
}

// boundTo reads the address and port of one of an edge's sockets.
func boundTo(t *testing.T, e *Edge, socket int) netip.AddrPort {
	t.Helper()
	_, host, _ := strings.Cut(e.Addresses()[socket], "://")
	addr, err := netip.ParseAddrPort(host)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// peerSocket is a UDP peer.
func peerSocket(t *testing.T, address string) (net.PacketConn, netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Skip("no such address here: ", err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn, addrPort(conn.LocalAddr())
}

// TestOutboundUDP: a request leaves by a socket of the peer's family, comes from the
// address that its Via names, and its answer comes back.
func TestOutboundUDP(t *testing.T) {
	for _, row := range []struct {
		name   string
		listen []string
		peer   string
		self   string // host of Self; its port is that of the socket
		socket int
	}{
		{"IPv4", []string{"udp://127.0.0.1:0"}, "127.0.0.1:0", "127.0.0.1", 0},
		{"IPv6", []string{"udp://[::1]:0"}, "[::1]:0", "::1", 0},
		{"IPv4 of two", []string{"udp://[::1]:0", "udp://127.0.0.1:0"}, "127.0.0.1:0", "127.0.0.1", 1},
		{"IPv6 of two", []string{"udp://127.0.0.1:0", "udp://[::1]:0"}, "[::1]:0", "::1", 1},
		{"every address, as 0.0.0.0", []string{"udp://0.0.0.0:0"}, "127.0.0.1:0", "127.0.0.1", 0},
		{"every address, IPv4", []string{"udp://[::]:0"}, "127.0.0.1:0", "127.0.0.1", 0},
		{"every address, IPv6", []string{"udp://[::]:0"}, "[::1]:0", "::1", 0},
		{"the loopback first", []string{"udp://0.0.0.0:0", "udp://127.0.0.1:0"}, "127.0.0.1:0", "127.0.0.1", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			answers := make(chan Packet, 1)
			e := listening(t, &Edge{Receive: func(p Packet) bool { answers <- p; return true }}, row.listen...)
			conn, addr := peerSocket(t, row.peer)
			p, err := e.Outbound("udp", addr)
			if err != nil {
				t.Fatal(err)
			}
			self := net.JoinHostPort(row.self, strconv.Itoa(int(boundTo(t, e, row.socket).Port())))
			if p.Transport != "udp" || p.Addr != addr || p.Self != self {
				t.Fatalf("%s as %s, want %s", p, p.Self, self)
			}
			p.Send(legRequest("OPTIONS", "o1").encode(p.Transport, p.Self, "z9hG4bK-o1"))
			heard, from := readPacket(t, conn)
			if heard.SentBy != self || from.String() != self {
				t.Errorf("from %s, sent by %s, want %s", from, heard.SentBy, self)
			}
			if _, err := conn.WriteTo([]byte(answerText(200, "OPTIONS", heard.Branch, "o1", "a")), net.UDPAddrFromAddrPort(from)); err != nil {
				t.Fatal(err)
			}
			if answer := await(t, answers); answer.Branch != "z9hG4bK-o1" || answer.Peer != p {
				t.Errorf("the answer to %s comes from %v, want %v", answer.Branch, answer.Peer, p)
			}
		})
	}
}

func readPacket(t *testing.T, conn net.PacketConn) (*Message, netip.AddrPort) {
	t.Helper()
	buffer := make([]byte, MaxMessage)
	n, from, err := conn.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	addr := addrPort(from)
	return scanned(t, string(buffer[:n])), netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}

func await[T any](t *testing.T, c <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-c:
	case <-time.After(patience):
		t.Fatal("nothing comes")
	}
	return got
}

// TestNoWayOut: where no socket can reach, the user hears so at once.
func TestNoWayOut(t *testing.T) {
	four, six := netip.MustParseAddrPort("127.0.0.1:5060"), netip.MustParseAddrPort("[::1]:5060")
	for _, row := range []struct {
		name, listen, transport string
		to                      netip.AddrPort
	}{
		{"IPv6 from IPv4", "udp://127.0.0.1:0", "udp", six},
		{"IPv4 from IPv6", "udp://[::1]:0", "udp", four},
		{"UDP without a UDP socket", "tcp://127.0.0.1:0", "udp", four},
		{"another transport", "udp://127.0.0.1:0", "tls", four},
		{"no transport", "udp://127.0.0.1:0", "", four},
		{"transport in capitals", "udp://127.0.0.1:0", "UDP", four},
	} {
		e := listening(t, &Edge{}, row.listen)
		if p, err := e.Outbound(row.transport, row.to); err == nil {
			t.Errorf("%s: %v as %s", row.name, p, p.Self)
		}
	}
}

// TestSelf: what the front calls itself is what it was told to, or where it can be
// reached.
func TestSelf(t *testing.T) {
	e := listening(t, &Edge{}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	peer := netip.MustParseAddr("127.0.0.1")
	if got, want := e.selfTCP(peer), boundTo(t, e, 1).String(); got != want {
		t.Errorf("over TCP %s, want %s", got, want)
	}
	e = listening(t, &Edge{}, "udp://127.0.0.1:0")
	if got, want := e.selfTCP(peer), boundTo(t, e, 0).String(); got != want {
		t.Errorf("over TCP without a listener %s, want %s", got, want)
	}
	e = listening(t, &Edge{}, "tcp://0.0.0.0:0")
	if got, want := e.selfTCP(peer), "127.0.0.1:"+strconv.Itoa(int(boundTo(t, e, 0).Port())); got != want {
		t.Errorf("over TCP at every address %s, want %s", got, want)
	}
	e = listening(t, &Edge{Advertise: "front.example.net:5062"}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	p, err := e.Outbound("udp", netip.MustParseAddrPort("127.0.0.1:9"))
	if err != nil || p.Self != e.Advertise || e.selfTCP(peer) != e.Advertise {
		t.Errorf("over UDP %s, %v; over TCP %s", p.Self, err, e.selfTCP(peer))
	}
}

// TestNamesAreBounded: an attacker's many addresses do not fill the memory of how
// peers are reached.
func TestNamesAreBounded(t *testing.T) {
	e := listening(t, &Edge{}, "udp://0.0.0.0:0")
	for i := range maxNames + 10 {
		e.nameFor(netip.MustParseAddrPort("0.0.0.0:5060"), netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}))
	}
	if n := len(e.names); n > maxNames || n == 0 {
		t.Errorf("%d names", n)
	}
}

// TestIsLocal: what is sent to one of the front's own sockets would come back.
func TestIsLocal(t *testing.T) {
	one := listening(t, &Edge{Advertise: "192.0.2.7:5060"}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	every := listening(t, &Edge{}, "udp://0.0.0.0:0")
	six := listening(t, &Edge{Advertise: "[2001:db8::7]:5060"}, "udp://[::1]:0")
	bare := listening(t, &Edge{Advertise: "192.0.2.7"}, "udp://127.0.0.1:0")
	port := func(e *Edge, socket int) string { return ":" + strconv.Itoa(int(boundTo(t, e, socket).Port())) }
	for _, row := range []struct {
		name string
		e    *Edge
		addr string
		want bool
	}{
		{"UDP socket", one, "127.0.0.1" + port(one, 0), true},
		{"TCP socket", one, "127.0.0.1" + port(one, 1), true},
		{"another loopback address", one, "127.0.0.2" + port(one, 0), false},
		{"another port", one, "127.0.0.1:9", false},
		{"another address", one, "192.0.2.1" + port(one, 0), false},
		{"advertised", one, "192.0.2.7:5060", true},
		{"advertised, another port", one, "192.0.2.7:5061", false},
		{"every address: loopback", every, "127.0.0.1" + port(every, 0), true},
		{"every address: another loopback", every, "127.8.8.8" + port(every, 0), true},
		{"every address: another port", every, "127.0.0.1:9", false},
		{"every address: another host", every, "192.0.2.1" + port(every, 0), false},
		{"IPv6", six, "[::1]" + port(six, 0), true},
		{"IPv6, another", six, "[::2]" + port(six, 0), false},
		{"advertised IPv6", six, "[2001:db8::7]:5060", true},
		{"advertised without port", bare, "192.0.2.7:5060", true},
		{"advertised without port, another", bare, "192.0.2.7:5061", false},
		{"IPv4 in IPv6", one, "[::ffff:127.0.0.1]" + port(one, 0), true},
		{"nowhere, which Linux takes for the loopback", one, "0.0.0.0" + port(one, 0), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.e.IsLocal(netip.MustParseAddrPort(row.addr)); got != row.want {
				t.Errorf("%s of %v: %v", row.addr, row.e.Addresses(), got)
			}
		})
	}
}
