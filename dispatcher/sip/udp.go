package sip

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	// udpBuffer is the kernel's buffer of a socket: the default loses most of a
	// burst of a thousand datagrams. The kernel may grant less.
	udpBuffer = 4 << 20
	// udpBatch is how many datagrams are read or written in one system call.
	udpBatch = 64
)

// batchConn reads and writes many datagrams at once: recvmmsg(2), sendmmsg(2).
// IPv4 and IPv6 have the same message type.
type batchConn interface {
	ReadBatch(messages []ipv4.Message, flags int) (int, error)
	WriteBatch(messages []ipv4.Message, flags int) (int, error)
}

// udpSocket is one listening socket; every datagram answer leaves through the
// socket its request came in on.
type udpSocket struct {
	edge  *Edge
	conn  *net.UDPConn
	local netip.AddrPort
	name  string // local, as text; empty if it is bound to every address
	batch batchConn
}

func (e *Edge) listenUDP(address, host string) error {
	conn, err := e.inheritedUDP(address)
	if conn == nil && err == nil {
		conn, err = openUDP(host)
	}
	if err != nil {
		return err
	}
	conn.SetReadBuffer(udpBuffer)
	conn.SetWriteBuffer(udpBuffer)
	bound := addrPort(conn.LocalAddr())
	s := &udpSocket{edge: e, conn: conn, local: netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port()), batch: ipv6.NewPacketConn(conn)}
	if bound.Addr().Is4() {
		s.batch = ipv4.NewPacketConn(conn)
	}
	if !s.local.Addr().IsUnspecified() {
		s.name = s.local.String()
	}
	e.sockets, e.bound = append(e.sockets, s), append(e.bound, s.local)
	e.closers = append(e.closers, conn.Close)
	e.addrs = append(e.addrs, "udp://"+conn.LocalAddr().String())
	e.doors = append(e.doors, door{address, conn, s.read, conn.SetReadDeadline})
	return nil
}

func openUDP(host string) (*net.UDPConn, error) {
	local, err := net.ResolveUDPAddr("udp", host)
	if err != nil {
		return nil, err
	}
	return net.ListenUDP("udp", local)
}

// read goes on until the socket is closed, or the edge paused. A bad datagram is refused or dropped;
// an error of one read (an ICMP unreachable, say) is not the socket's end.
func (s *udpSocket) read() {
	messages := make([]ipv4.Message, udpBatch)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, MaxMessage+1)}
	}
	var pace pace
	for {
		n, err := s.batch.ReadBatch(messages, 0)
		if errors.Is(err, net.ErrClosed) || s.edge.pausedBy(err) {
			return
		}
		if err != nil {
			s.edge.Stats.Failed.Add(1)
			continue
		}
		for i := range messages[:n] {
			s.take(&messages[i])
		}
		if pause := pace.after(time.Now(), n); pause > 0 {
			time.Sleep(pause)
		}
	}
}

func (s *udpSocket) take(m *ipv4.Message) {
	data := m.Buffers[0][:m.N]
	if m.N <= 4 && isKeepAlive(data) {
		return
	}
	from := addrPort(m.Addr)
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	s.edge.take(data, Peer{Transport: "udp", Addr: from, Self: s.self(from.Addr()), out: s}, true)
}

func (s *udpSocket) send(data []byte, to netip.AddrPort) {
	s.edge.Stats.Sent.Add(1)
	if _, err := s.conn.WriteToUDPAddrPort(data, to); err != nil {
		s.edge.Stats.Failed.Add(1)
	}
}

// A flight is a reusable batch of datagrams for one socket.
type flight struct {
	messages [udpBatch]ipv4.Message
	buffers  [udpBatch][1][]byte
	addrs    [udpBatch]net.UDPAddr
}

var flights = sync.Pool{New: func() any {
	f := &flight{}
	for i := range f.messages {
		f.messages[i].Buffers = f.buffers[i][:]
		f.messages[i].Addr = &f.addrs[i]
	}
	return f
}}

// sendBatch sends at most udpBatch datagrams in one system call. One that fails
// is counted and left out; the others go.
func (s *udpSocket) sendBatch(batch []Datagram) {
	f := flights.Get().(*flight)
	defer flights.Put(f)
	for i, d := range batch {
		f.buffers[i][0] = d.Data
		ip := f.addrs[i].IP[:0]
		if a := d.Peer.Addr.Addr(); a.Is4() {
			four := a.As4()
			ip = append(ip, four[:]...)
		} else {
			sixteen := a.As16()
			ip = append(ip, sixteen[:]...)
		}
		f.addrs[i].IP, f.addrs[i].Port, f.addrs[i].Zone = ip, int(d.Peer.Addr.Port()), d.Peer.Addr.Addr().Zone()
	}
	s.edge.Stats.Sent.Add(uint64(len(batch)))
	for rest := f.messages[:len(batch)]; len(rest) > 0; {
		n, err := s.batch.WriteBatch(rest, 0)
		if err != nil {
			s.edge.Stats.Failed.Add(1)
			n = max(n, 0) + 1
		}
		rest = rest[min(n, len(rest)):]
	}
	for i := range batch {
		f.buffers[i][0] = nil
	}
}

// isKeepAlive knows the pings of RFC 5626 §3.5.1 and the NULs some phones send.
func isKeepAlive(data []byte) bool {
	for _, c := range data {
		if c != '\r' && c != '\n' && c != 0 {
			return false
		}
	}
	return true
}
