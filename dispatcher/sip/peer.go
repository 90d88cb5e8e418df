package sip

import "net/netip"

// A Peer is where a packet came from and where its answers go: the socket it
// arrived on and the address that sent it.
type Peer struct {
	Transport string // "udp" or "tcp"
	Addr      netip.AddrPort
	Self      string // host:port that this front calls itself toward the peer, in Via and Contact
	out       sender
}

// sender is a socket or a connection. Sending never blocks for long: a datagram
// goes to the kernel, a stream has a bounded queue and is cut off when it is full.
type sender interface {
	send(data []byte, to netip.AddrPort)
}

// Send passes one message to the network; a failure is the transport's to count.
func (p Peer) Send(data []byte) {
	if p.out != nil {
		p.out.send(data, p.Addr)
	}
}

// Reliable tells whether the transport repeats by itself.
func (p Peer) Reliable() bool { return p.Transport != "udp" }

// String is the form of logs and plans: "udp:192.0.2.1:5060".
func (p Peer) String() string { return p.Transport + ":" + p.Addr.String() }

// A Packet is a message and its sender.
type Packet struct {
	*Message
	Peer Peer
}

// SendAll sends datagrams in order, those through one UDP socket together.
func SendAll(batch []Datagram) {
	for len(batch) > 0 {
		socket, ok := batch[0].Peer.out.(*udpSocket)
		if !ok {
			batch[0].Peer.Send(batch[0].Data)
			batch = batch[1:]
			continue
		}
		n := 1
		for n < len(batch) && n < udpBatch && batch[n].Peer.out == batch[0].Peer.out {
			n++
		}
		socket.sendBatch(batch[:n])
		batch = batch[n:]
	}
}
