package sip

import (
	"errors"
	"net"
	"net/netip"
)

// udpBuffer is the kernel's receive buffer: the default loses most of a burst of
// a thousand datagrams. The kernel may grant less.
const udpBuffer = 4 << 20

// udpSocket is one listening socket; every datagram answer leaves through the
// socket its request came in on.
type udpSocket struct {
	edge *Edge
	conn *net.UDPConn
}

func (e *Edge) listenUDP(address string) error {
	local, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return err
	}
	conn, err := net.ListenUDP("udp", local)
	if err != nil {
		return err
	}
	conn.SetReadBuffer(udpBuffer)
	conn.SetWriteBuffer(udpBuffer)
	s := &udpSocket{edge: e, conn: conn}
	e.closers = append(e.closers, conn.Close)
	e.addrs = append(e.addrs, "udp://"+conn.LocalAddr().String())
	e.listeners.Go(s.read)
	return nil
}

// read goes on until the socket is closed. A bad datagram is refused or dropped;
// an error of one read (an ICMP unreachable, say) is not the socket's end.
func (s *udpSocket) read() {
	buffer := make([]byte, MaxMessage+1)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.edge.Stats.Failed.Add(1)
			continue
		}
		if n <= 4 && isKeepAlive(buffer[:n]) {
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		s.edge.take(buffer[:n], Peer{Transport: "udp", Addr: from, out: s}, true)
	}
}

func (s *udpSocket) send(data []byte, to netip.AddrPort) {
	s.edge.Stats.Sent.Add(1)
	if _, err := s.conn.WriteToUDPAddrPort(data, to); err != nil {
		s.edge.Stats.Failed.Add(1)
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
