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

// TestUDPFamilies: an IPv4 peer of a socket for both families is answered like
// one of a socket of its own.
func TestUDPFamilies(t *testing.T) {
	for _, row := range []struct{ listen, dial string }{
		{"127.0.0.1:0", "127.0.0.1"}, {"[::1]:0", "::1"}, {"[::]:0", "127.0.0.1"}, {"[::]:0", "::1"},
	} {
		t.Run(row.dial+" to "+row.listen, func(t *testing.T) {
			e := &Edge{Log: slog.New(slog.DiscardHandler), Receive: func(p Packet) bool {
				single, batched := Reply{Status: 100}, Reply{Status: 200}
				p.Peer.Send(single.Encode(p.Message, p.Peer.Addr, ""))
				SendAll([]Datagram{{p.Peer, batched.Encode(p.Message, p.Peer.Addr, "t1")}})
				return true
			}}
			if err := e.Listen([]string{"udp://" + row.listen}); err != nil {
				t.Skip("no such address here: ", err)
			}
			t.Cleanup(e.Close)
			_, port, err := net.SplitHostPort(strings.TrimPrefix(e.Addresses()[0], "udp://"))
			if err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial("udp", net.JoinHostPort(row.dial, port))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			write(t, conn, requestText("OPTIONS", "z9hG4bK-1", "a.test"))
			read := reader(t, conn, "udp")
			for _, want := range []int{100, 200} {
				if m := read(); m.Status != want || parameter(m.Get(Via), "received") != row.dial {
					t.Errorf("answered %d, Via: %s", m.Status, m.Get(Via))
				}
			}
		})
	}
}

// TestSendAll sends more than one system call takes, one of them to nowhere and
// one on a stream: the others arrive, in order.
func TestSendAll(t *testing.T) {
	const all = udpBatch + 20
	arrived := make(chan Peer, 1)
	e := openEdge(t, func(p Packet) bool {
		arrived <- p.Peer
		return true
	})
	conn := dial(t, e, "udp")
	write(t, conn, requestText("OPTIONS", "z9hG4bK-1", "a.test"))
	peer := <-arrived
	stream := &recorder{}
	var batch []Datagram
	for i := range all {
		switch i {
		case 10:
			nowhere := peer
			nowhere.Addr = netip.AddrPortFrom(peer.Addr.Addr(), 0)
			batch = append(batch, Datagram{nowhere, []byte("lost")})
		case udpBatch:
			batch = append(batch, Datagram{Peer{Transport: "tcp", out: stream}, nil})
		}
		batch = append(batch, Datagram{peer, []byte(strconv.Itoa(i))})
	}
	SendAll(batch)
	buffer := make([]byte, 100)
	for i := range all {
		n, err := conn.Read(buffer)
		if err != nil || string(buffer[:n]) != strconv.Itoa(i) {
			t.Fatalf("datagram %d is %q, %v", i, buffer[:n], err)
		}
	}
	if stream.sent != 1 || e.Stats.Failed.Load() != 1 || e.Stats.Sent.Load() != all+1 {
		t.Errorf("%d on the stream, %d failed, %d sent", stream.sent, e.Stats.Failed.Load(), e.Stats.Sent.Load())
	}
}
