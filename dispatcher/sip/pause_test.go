package sip

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// boundEdge is an edge that takes OPTIONS into a channel.
func boundEdge(t *testing.T, inherited []Socket, addresses ...string) (*Edge, chan Packet) {
	t.Helper()
	taken := make(chan Packet, 64)
	e := &Edge{Log: slog.New(slog.DiscardHandler), Inherited: inherited, Receive: func(p Packet) bool { taken <- p; return true }}
	if err := e.Bind(addresses); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e, taken
}

func options(id, transport string) string {
	return strings.ReplaceAll(fmt.Sprintf(`OPTIONS sip:a@example.net SIP/2.0
Via: SIP/2.0/%s 127.0.0.1;branch=z9hG4bK%s
From: <sip:b@example.net>;tag=1
To: <sip:a@example.net>
Call-ID: %[2]s
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 4

body`, transport, id), "\n", "\r\n")
}

func wait(t *testing.T, taken chan Packet, id string) Packet {
	t.Helper()
	select {
	case p := <-taken:
		if got := p.Get(CallID); got != id {
			t.Fatalf("got %s, want %s", got, id)
		}
		return p
	case <-time.After(5 * time.Second):
		t.Fatalf("%s was not taken", id)
	}
	panic("not reached")
}

func nothing(t *testing.T, taken chan Packet) {
	t.Helper()
	select {
	case p := <-taken:
		t.Fatalf("%s was taken", p.Get(CallID))
	case <-time.After(20 * time.Millisecond):
	}
}

func host(address string) string { _, host, _ := strings.Cut(address, "://"); return host }

// TestAPauseLosesNothing: what arrives meanwhile is read afterwards, from datagrams,
// connections that are there and connections that are made meanwhile.
func TestAPauseLosesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	e, taken := boundEdge(t, nil, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	defer e.Close()
	e.Read()
	udp, tcp := dialBoth(t, e)
	for round := range 3 {
		io.WriteString(tcp, options("before", "TCP")[:40])
		io.WriteString(udp, options("first", "UDP"))
		wait(t, taken, "first")
		e.Pause()
		io.WriteString(udp, options("second", "UDP"))
		io.WriteString(tcp, options("before", "TCP")[40:])
		late, err := net.Dial("tcp", tcp.RemoteAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(late, options("late", "TCP"))
		nothing(t, taken)
		e.Read()
		got := map[string]bool{}
		for range 3 {
			got[(<-taken).Get(CallID)] = true
		}
		if !got["second"] || !got["before"] || !got["late"] {
			t.Errorf("round %d: got %v", round, got)
		}
		late.Close()
	}
}

func dialBoth(t *testing.T, e *Edge) (udp, tcp net.Conn) {
	t.Helper()
	for i, network := range []string{"udp", "tcp"} {
		conn, err := net.Dial(network, host(e.Addresses()[i]))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if network == "udp" {
			udp = conn
		} else {
			tcp = conn
		}
	}
	return udp, tcp
}

// TestSocketsChangeHands: the second edge reads what the first left in the kernel, and
// the rest of a message of which that had read a part. Answers that were queued come
// out before those of the second.
func TestSocketsChangeHands(t *testing.T) {
	defer goleak.VerifyNone(t)
	first, taken := boundEdge(t, nil, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	defer first.Close()
	first.Read()
	udp, tcp := dialBoth(t, first)
	io.WriteString(tcp, options("whole", "TCP")+options("torn", "TCP")[:100])
	p := wait(t, taken, "whole")
	first.Pause()
	io.WriteString(udp, options("waits", "UDP"))
	big := bytes.Repeat([]byte("x"), 1<<20)
	p.Peer.Send(big)
	p.Peer.Send([]byte("end of the first"))

	sockets, err := first.Sockets()
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan []byte)
	go func() {
		all := make([]byte, len(big)+len("end of the first")+len("the second"))
		io.ReadFull(tcp, all)
		heard <- all
	}()
	streams := first.Release()
	first.Close()
	if len(sockets) != 2 || len(streams) != 1 || string(streams[0].Rest) != options("torn", "TCP")[:100] {
		t.Fatalf("%d sockets and %d streams", len(sockets), len(streams))
	}
	second, taken := boundEdge(t, sockets, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	defer second.Close()
	second.Adopt(streams)
	nothing(t, taken)
	io.WriteString(tcp, options("torn", "TCP")[100:])
	second.Read()
	got := map[string]Packet{}
	for range 2 {
		p := <-taken
		got[p.Get(CallID)] = p
	}
	if got["torn"].Message == nil || got["waits"].Message == nil {
		t.Fatalf("got %v", got)
	}
	back, err := second.Outbound("tcp", got["torn"].Peer.Addr)
	if err != nil {
		t.Fatal(err)
	}
	back.Send([]byte("the second"))
	if all := <-heard; !bytes.HasSuffix(all, []byte("xend of the firstthe second")) {
		t.Errorf("the peer heard %q at the end", all[len(all)-40:])
	}
}

// TestAPeerThatDoesNotReadIsNotHandedOver, and keeps nobody waiting.
func TestAPeerThatDoesNotReadIsNotHandedOver(t *testing.T) {
	defer goleak.VerifyNone(t)
	e, taken := boundEdge(t, nil, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	defer e.Close()
	e.Read()
	_, tcp := dialBoth(t, e)
	io.WriteString(tcp, options("whole", "TCP"))
	p := wait(t, taken, "whole")
	e.Pause()
	for range 16 {
		p.Peer.Send(bytes.Repeat([]byte("x"), 1<<20))
	}
	begun := time.Now()
	if streams := e.Release(); len(streams) > 0 {
		CloseSockets(streams)
		t.Error("it is handed over with half an answer sent")
	}
	if took := time.Since(begun); took > 2*releaseTime {
		t.Errorf("that took %v", took)
	}
}

func TestInheritedSocketsAreFoundByTheirAddress(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"udp://127.0.0.1:5060", "udp://127.0.0.1:5060", true},
		{"udp://:5060", "udp://[::]:5060", true},
		{"udp://0.0.0.0:5060", "udp://:5060", true},
		{"udp://localhost:5060", "udp://localhost:5060", true},
		{"udp://[::ffff:192.0.2.1]:5060", "udp://192.0.2.1:5060", true},
		{"udp://127.0.0.1:5060", "tcp://127.0.0.1:5060", false},
		{"udp://127.0.0.1:5060", "udp://127.0.0.1:5061", false},
		{"udp://0.0.0.0:5060", "udp://127.0.0.1:5060", false},
		{"http://127.0.0.1:8060", "http://127.0.0.1:8060", true},
	} {
		_, found := Find([]Socket{{Address: c.a}}, c.b)
		if _, back := Find([]Socket{{Address: c.b}}, c.a); found != c.same || back != c.same {
			t.Errorf("%s and %s: %v and %v, want %v", c.a, c.b, found, back, c.same)
		}
	}
}

// TestASocketThatNobodyAsksForIsClosed, so that its address is free.
func TestASocketThatNobodyAsksForIsClosed(t *testing.T) {
	s, err := OpenSocket("tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	other, err := OpenSocket("udp://" + free.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	e, _ := boundEdge(t, []Socket{s, other}, "tcp://127.0.0.1:0")
	if len(e.Addresses()) != 1 || e.Inherited != nil {
		t.Errorf("listens on %v, left %v", e.Addresses(), e.Inherited)
	}
	if free, err = net.ListenPacket("udp", free.LocalAddr().String()); err != nil {
		t.Errorf("the other socket is still open: %v", err)
	} else {
		free.Close()
	}
}
