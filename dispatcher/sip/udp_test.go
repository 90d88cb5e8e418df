package sip

import (
	"strconv"
	"strings"
	"testing"
)

// TestUDPNoise sends what is no request and deserves no word. The request behind
// it is the first to be answered.
func TestUDPNoise(t *testing.T) {
	noise := []string{
		"\r\n\r\n", "\r\n", "\x00\x00\x00\x00", "", // keep-alives
		"\x00\x00\x00\x00\x00", "GET / HTTP/1.1\r\n\r\n", "\r\n\r\n\r\n\r\n", strings.Repeat("x", 65507),
		strings.Repeat(":", 65507), strings.Repeat("\r\n ", 20_000), "INVITE", inviteText[:200],
		"SIP/2.0 200 OK\r\n\r\n", "ACK sip:x SIP/9.0\r\n" + inviteText,
	}
	for _, row := range unanswerable {
		noise = append(noise, altered(t, row.passage, row.by))
	}
	e := openEdge(t, accept)
	conn := dial(t, e, "udp")
	read := reader(t, conn, "udp")
	for i, text := range noise {
		write(t, conn, text)
		if i%8 == 7 { // the kernel's buffer may be small
			write(t, conn, requestText("OPTIONS", "z9hG4bK-"+strconv.Itoa(i), "a.test"))
			if m := read(); m.Branch != "z9hG4bK-"+strconv.Itoa(i) {
				t.Fatalf("before message %d, %s is answered %d", i, m.Branch, m.Status)
			}
		}
	}
	write(t, conn, requestText("OPTIONS", "z9hG4bK-last", "a.test"))
	if m := read(); m.Status != 200 || m.Branch != "z9hG4bK-last" {
		t.Errorf("answered %d to %s", m.Status, m.Branch)
	}
	if n, want := e.Stats.Refused.Load(), uint64(len(noise)-4); n != want {
		t.Errorf("%d refused, want %d", n, want)
	}
}

// TestUDPAnswersTheSource: a refusal goes out by the socket it came in on, to the
// port that sent it, whatever the Via says.
func TestUDPAnswersTheSource(t *testing.T) {
	e := openEdge(t, accept)
	conn := dial(t, e, "udp")
	read := reader(t, conn, "udp") // connected: hears only from the address it sends to
	write(t, conn, altered(t, " SIP/2.0\r\nVia", " SIP/3.0\r\nVia"))
	port := strconv.Itoa(int(addrPort(conn.LocalAddr()).Port()))
	if m := read(); m.Status != 505 || !strings.Contains(m.Get(Via), ";rport="+port+";received=127.0.0.1") {
		t.Errorf("answered %d, Via: %s", m.Status, m.Get(Via))
	}
	if e.Stats.Refused.Load() != 1 || e.Stats.Sent.Load() != 1 || e.Stats.Received.Load() != 1 {
		t.Errorf("refused %d, sent %d, received %d", e.Stats.Refused.Load(), e.Stats.Sent.Load(), e.Stats.Received.Load())
	}
}

// TestUDPLargeRequest: a fragmented datagram is a message like any other.
func TestUDPLargeRequest(t *testing.T) {
	body := strings.Repeat("a", 60_000)
	e := openEdge(t, func(p Packet) bool {
		if p.Body != body {
			t.Errorf("the body has %d octets", len(p.Body))
		}
		return accept(p)
	})
	conn := dial(t, e, "udp")
	text := altered(t, "Content-Length: 5", "Content-Length: 60000")
	write(t, conn, strings.TrimSuffix(text, "v=0\r\n")+body)
	if m := reader(t, conn, "udp")(); m.Status != 200 {
		t.Errorf("answered %d", m.Status)
	}
}
