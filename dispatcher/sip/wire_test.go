package sip

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience bounds each wait for something that must happen.
const patience = 5 * time.Second

// openEdge listens on loopback, UDP and TCP, until the test ends.
func openEdge(t *testing.T, receive func(Packet) bool) *Edge {
	t.Helper()
	e := &Edge{Receive: receive, Log: slog.New(slog.DiscardHandler)}
	if err := e.Listen([]string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// dial connects to the edge over the transport.
func dial(t *testing.T, e *Edge, transport string) net.Conn {
	t.Helper()
	for _, address := range e.Addresses() {
		if host, found := strings.CutPrefix(address, transport+"://"); found {
			conn, err := net.Dial(transport, host)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			conn.SetDeadline(time.Now().Add(patience))
			return conn
		}
	}
	t.Fatalf("%s is not among %v", transport, e.Addresses())
	return nil
}

// accept answers every request with 200, as a Receive.
func accept(p Packet) bool {
	reply := Reply{Status: 200}
	p.Peer.Send(reply.Encode(p.Message, p.Peer.Addr, "t1"))
	return true
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// reader returns a func that waits for the next message on the connection.
func reader(t *testing.T, conn net.Conn, transport string) func() *Message {
	t.Helper()
	if transport == "tcp" {
		in := bufio.NewReader(conn)
		return func() *Message {
			t.Helper()
			return readStream(t, in)
		}
	}
	return func() *Message {
		t.Helper()
		buffer := make([]byte, MaxMessage)
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return scanned(t, string(buffer[:n]))
	}
}

// readStream reads one message from a stream, as a peer would.
func readStream(t *testing.T, in *bufio.Reader) *Message {
	t.Helper()
	var head strings.Builder
	length := 0
	for !strings.HasSuffix(head.String(), "\r\n\r\n") {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, head.String())
		}
		head.WriteString(line)
		if value, found := strings.CutPrefix(line, "Content-Length: "); found {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(in, body); err != nil {
		t.Fatal(err)
	}
	return scanned(t, head.String()+string(body))
}
