package sip

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// TestStreamInPieces sends two requests with bodies, and pings, in every kind of
// piece: what arrives is the same.
func TestStreamInPieces(t *testing.T) {
	second := strings.Replace(inviteText, "z9hG4bK-c1", "z9hG4bK-c2", 1)
	text := "\r\n" + inviteText + "\r\n\r\n" + second + "\r\n\r\n"
	body := strings.Index(text, "\r\n\r\nv=0") + 6
	for name, pieces := range map[string][]string{
		"octet by octet":   strings.Split(text, ""),
		"all at once":      {text},
		"torn in a header": {text[:100], text[100:]},
		"torn in the end":  {text[:body-4], text[body-4 : body-3], text[body-3:]},
		"torn in a body":   {text[:body], text[body:]},
	} {
		t.Run(name, func(t *testing.T) {
			e := openEdge(t, func(p Packet) bool {
				if p.Body != "v=0\r\n" || p.Peer.Transport != "tcp" || !p.Peer.Addr.IsValid() {
					t.Errorf("from %s: body %q", p.Peer, p.Body)
				}
				return accept(p)
			})
			conn := dial(t, e, "tcp")
			go func() {
				for _, piece := range pieces {
					if _, err := io.WriteString(conn, piece); err != nil {
						t.Error(err)
						return
					}
				}
				conn.(*net.TCPConn).CloseWrite()
			}()
			heard, err := io.ReadAll(conn)
			if err != nil {
				t.Fatal(err)
			}
			reply := Reply{Status: 200}
			from := addrPort(conn.LocalAddr())
			// After the first ping half a one is left over, and it counts.
			want := string(reply.Encode(scanned(t, inviteText), from, "t1")) + "\r\n" +
				string(reply.Encode(scanned(t, second), from, "t1")) + "\r\n"
			if string(heard) != want {
				t.Errorf("got\n%q\nwant\n%q", heard, want)
			}
		})
	}
}

// TestPing: each pair of empty lines between messages is answered by one (RFC
// 5626 §3.5.1).
func TestPing(t *testing.T) {
	conn := dial(t, openEdge(t, accept), "tcp")
	for range 3 {
		write(t, conn, "\r\n\r\n")
		pong := make([]byte, 2)
		if _, err := io.ReadFull(conn, pong); err != nil || string(pong) != "\r\n" {
			t.Fatalf("%q, %v", pong, err)
		}
	}
}

// TestStreamLost sends what leaves no doubt that the next message cannot be found.
// It is answered where that is possible, and the stream is closed; what follows
// is never read.
func TestStreamLost(t *testing.T) {
	for _, row := range []struct {
		name, text string
		status     int // 0 for silence
	}{
		{"no Content-Length", altered(t, "Content-Length: 5\r\n", ""), 400},
		{"two Content-Lengths", altered(t, "Content-Length: 5", "Content-Length: 5\r\nl: 5"), 400},
		{"Content-Length of letters", altered(t, "Content-Length: 5", "Content-Length: five"), 400},
		{"Content-Length below zero", altered(t, "Content-Length: 5", "Content-Length: -1"), 400},
		{"Content-Length over 64 KiB", altered(t, "Content-Length: 5", "Content-Length: 70000"), 400},
		{"another version", altered(t, " SIP/2.0\r\nVia", " SIP/3.0\r\nVia"), 505},
		{"garbage", "GET / HTTP/1.1\r\n\r\n", 0},
		{"binary", "\x16\x03\x01\x02\x00\r\n\r\n", 0},
		{"header over 64 KiB", "INVITE sip:x SIP/2.0\r\n" + strings.Repeat("X: y\r\n", MaxMessage/6+1), 0},
		{"line over 64 KiB", strings.Repeat("x", MaxMessage+1), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := openEdge(t, func(p Packet) bool {
				t.Errorf("%s %s got through", p.Method, p.Branch)
				return true
			})
			conn := dial(t, e, "tcp")
			_, err := io.WriteString(conn, row.text+requestText("OPTIONS", "z9hG4bK-smuggled", "a.test"))
			if err != nil && row.status != 0 {
				t.Fatal(err)
			}
			heard, err := io.ReadAll(conn) // to the end: the stream is closed
			if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
				t.Fatal("the stream stays open")
			}
			want := "SIP/2.0 " + strconv.Itoa(row.status)
			if row.status == 0 && len(heard) > 0 || row.status != 0 && !bytes.HasPrefix(heard, []byte(want)) {
				t.Errorf("heard %q, want %s", heard, want)
			}
			if bytes.Count(heard, []byte("SIP/2.0 ")) > 1+bytes.Count(heard, []byte("Via: SIP/2.0 ")) {
				t.Errorf("heard more than one answer: %q", heard)
			}
		})
	}
}

// TestContentLength holds the reading of a header that is not scanned yet.
func TestContentLength(t *testing.T) {
	for head, want := range map[string]int{
		"INVITE sip:x SIP/2.0\r\nContent-Length: 5\r\n\r\n":             5,
		"INVITE sip:x SIP/2.0\r\nL:\t5 \r\nX: y\r\n\r\n":                5,
		"INVITE sip:x SIP/2.0\r\ncontent-length : 0\r\n\r\n":            0,
		"INVITE sip:x SIP/2.0\r\nX: y\r\n Content-Length: 5\r\n\r\n":    -1, // folded into X
		"INVITE sip:x SIP/2.0\r\nX: y\nContent-Length: 5\r\n\r\n":       -1, // the same line
		"INVITE sip:x SIP/2.0\r\nl: 5\r\nContent-Length: 5\r\n\r\n":     -1,
		"INVITE sip:x SIP/2.0\r\nContent-Length: 5, 5\r\n\r\n":          -1,
		"INVITE sip:x SIP/2.0\r\nContent-Length: 0x5\r\n\r\n":           -1,
		"INVITE sip:x SIP/2.0\r\nContent-Length: +5\r\n\r\n":            -1,
		"INVITE sip:x SIP/2.0\r\nContent-Length: 2147483648\r\n\r\n":    -1,
		"INVITE sip:x SIP/2.0\r\nContent-Length:\r\n\r\n":               -1,
		"INVITE sip:x SIP/2.0\r\nX-Content-Length: 5\r\n\r\n":           -1,
		"INVITE sip:x SIP/2.0\r\nContent-Length:\r\n 5\r\nX: y\r\n\r\n": 5,
	} {
		if got := contentLength([]byte(head)); got != want {
			t.Errorf("%q: %d, want %d", head, got, want)
		}
	}
}
