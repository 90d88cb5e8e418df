package load

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	outboxSize    = 64      // messages that leave in one system call
	inboxSize     = 256     // messages that are read by one
	glanceSize    = 8       // messages that are asked for first
	datagramSize  = 4096    // bytes; a longer message is cut off and counts as malformed
	requestSize   = 1024    // bytes an outgoing buffer starts with; it grows with long messages
	receiveBuffer = 4 << 20 // bytes asked of the kernel for each socket
)

// batchConn reads and writes many datagrams at once: *ipv4.PacketConn or *ipv6.PacketConn.
type batchConn interface {
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
}

// lane is one local port with the messages that wait to leave through it.
type lane struct {
	conn     *net.UDPConn
	batch    batchConn
	requests requests       // none at the callee's
	frames   [answers]frame // of the responses to what comes in here
	outbox   []ipv4.Message
	queued   int // the first messages of outbox are waiting
}

// openLanes binds the ports of a run, connected to the target. The caller closes them.
func openLanes(t target, o Options, run uint32) (lanes []*lane, err error) {
	for range o.Sockets {
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(t.addr))
		if err != nil {
			closeLanes(lanes)
			return nil, fmt.Errorf("open socket: %w", err)
		}
		// Less than asked for costs lost calls at high rates, which the report shows.
		_ = conn.SetReadBuffer(receiveBuffer)
		lanes = append(lanes, newLane(conn, t, run, o.Headers))
	}
	return lanes, nil
}

func newLane(conn *net.UDPConn, t target, run uint32, headers []string) *lane {
	l := newEnd(conn)
	l.requests = newRequests(t, l.local(), run, headers)
	return l
}

// openCallee binds the port at which calls are answered. The caller closes it.
func openCallee(addr netip.AddrPort) (*lane, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("answer calls: %w", err)
	}
	_ = conn.SetReadBuffer(receiveBuffer)
	return newEnd(conn), nil
}

// newEnd is a lane without requests.
func newEnd(conn *net.UDPConn) *lane {
	l := &lane{conn: conn, outbox: newMessages(outboxSize, requestSize)}
	l.frames = newFrames(l.local())
	if l.local().Addr().Is6() {
		l.batch = ipv6.NewPacketConn(conn)
	} else {
		l.batch = ipv4.NewPacketConn(conn)
	}
	return l
}

// local is the address of the port.
func (l *lane) local() netip.AddrPort {
	local := l.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
}

func closeLanes(lanes []*lane) {
	for _, l := range lanes {
		l.conn.Close()
	}
}

// newMessages makes n messages with one buffer each.
func newMessages(n, size int) []ipv4.Message {
	ms := make([]ipv4.Message, n)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, size)}
	}
	return ms
}

// newRun draws the number which sets the identifiers of this run apart from all others.
func newRun() uint32 {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}

// next is an emptied buffer for a message which is to wait for flush and leave for peer; a nil peer is the
// one the lane is connected to. It is nil when the outbox is full.
func (l *lane) next(peer net.Addr) *[]byte {
	if l.queued == len(l.outbox) {
		return nil
	}
	m := &l.outbox[l.queued]
	m.Addr = peer
	m.Buffers[0] = m.Buffers[0][:0]
	l.queued++
	return &m.Buffers[0]
}

// flush sends what is queued and returns how many messages the kernel refused, with the last reason. It
// goes on behind a refused one: a connected UDP socket reports a port that closed at the next send.
func (l *lane) flush() (refused int, err error) {
	for sent := 0; sent < l.queued; {
		n, sendErr := l.batch.WriteBatch(l.outbox[sent:l.queued], 0)
		if sendErr != nil {
			refused, err = refused+1, sendErr
			n = max(n, 0) + 1 // n is -1 with an error
		}
		sent += n
	}
	l.queued = 0
	return refused, err
}
