package sip

import (
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections have no kernel behind them, so that
// their deadlines keep the time of a synctest bubble.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// connect makes one more connection and returns the peer's end.
func (p pipes) connect(t *testing.T) net.Conn {
	peer, ours := net.Pipe()
	t.Cleanup(func() { peer.Close() })
	p <- ours
	return peer
}

// inBubble runs a test of streams whose hours take no time.
func inBubble(t *testing.T, test func(t *testing.T, e *Edge, l pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := make(pipes)
		e := &Edge{Receive: accept, Log: slog.New(slog.DiscardHandler)}
		if err := e.Listen(nil); err != nil {
			t.Fatal(err)
		}
		e.closers = append(e.closers, l.Close)
		e.listeners.Go(func() { e.accept(l) })
		t.Cleanup(e.Close)
		test(t, e, l)
	})
}

// closedAfter waits until the edge closes the stream.
func closedAfter(t *testing.T, peer net.Conn) time.Duration {
	t.Helper()
	begin := time.Now()
	if rest, err := io.ReadAll(peer); err != nil || len(rest) > 0 {
		t.Errorf("read %q, %v", rest, err)
	}
	return time.Since(begin)
}

// TestSlowWriterIsCutOff: a message has 10 s from its first octet, however many
// octets keep coming (slow loris), in its header and in its body.
func TestSlowWriterIsCutOff(t *testing.T) {
	for name, quick := range map[string]int{"header": 0, "body": len(inviteText) - 5} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *Edge, l pipes) {
				peer := l.connect(t)
				begin := time.Now()
				if _, err := io.WriteString(peer, inviteText[:quick]); err != nil {
					t.Fatal(err)
				}
				for octet := quick; ; octet++ {
					if _, err := io.WriteString(peer, inviteText[octet:octet+1]); err != nil {
						break
					}
					time.Sleep(3 * time.Second)
				}
				if took := time.Since(begin); took < streamMessage || took > streamMessage+3*time.Second {
					t.Errorf("cut off after %v", took)
				}
			})
		})
	}
}

// TestEndlessHeaderIsCutOff: a header that does not end takes no more memory than
// the largest message.
func TestEndlessHeaderIsCutOff(t *testing.T) {
	for name, piece := range map[string]string{"lines": "X: yyyy\r\n", "one line": "xxxxxxxx"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *Edge, l pipes) {
				peer, sent := l.connect(t), 0
				for ; sent < 2*MaxMessage; sent += len(piece) {
					if _, err := io.WriteString(peer, piece); err != nil {
						break
					}
				}
				if most := MaxMessage + 16<<10; sent < MaxMessage || sent > most {
					t.Errorf("cut off after %d octets, want at most %d", sent, most)
				}
			})
		})
	}
}

// TestIdleStreamIsClosed: ten minutes without a message end a stream.
func TestIdleStreamIsClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, e *Edge, l pipes) {
		peer := l.connect(t)
		if took := closedAfter(t, peer); took != streamIdle {
			t.Errorf("closed after %v", took)
		}
	})
}

// TestMessagesKeepAStream: a stream in use lives on.
func TestMessagesKeepAStream(t *testing.T) {
	inBubble(t, func(t *testing.T, e *Edge, l pipes) {
		peer := l.connect(t)
		read := reader(t, peer, "tcp")
		for range 5 {
			time.Sleep(streamIdle - time.Second)
			write(t, peer, requestText("OPTIONS", "z9hG4bK-1", "a.test"))
			read()
		}
	})
}

// TestSilentReaderIsCutOff: an answer nobody reads waits 10 s, then the stream is
// closed, and whoever answers never waits.
func TestSilentReaderIsCutOff(t *testing.T) {
	inBubble(t, func(t *testing.T, e *Edge, l pipes) {
		peer := l.connect(t)
		write(t, peer, requestText("OPTIONS", "z9hG4bK-1", "a.test"))
		time.Sleep(streamWrite - time.Millisecond)
		synctest.Wait()
		if e.streams.Load() != 1 {
			t.Error("cut off too early")
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if e.streams.Load() != 0 || e.Stats.Failed.Load() == 0 {
			t.Errorf("%d streams, %d failures", e.streams.Load(), e.Stats.Failed.Load())
		}
	})
}

// TestFullStreamQueueIsCutOff: a peer that asks and never reads has room for
// streamQueue answers.
func TestFullStreamQueueIsCutOff(t *testing.T) {
	inBubble(t, func(t *testing.T, e *Edge, l pipes) {
		peer := l.connect(t)
		asked := 0
		for ; asked < 2*streamQueue; asked++ {
			if _, err := io.WriteString(peer, requestText("OPTIONS", "z9hG4bK-1", "a.test")); err != nil {
				break
			}
		}
		synctest.Wait()
		if asked < streamQueue || asked > streamQueue+3 || e.streams.Load() != 0 || e.Stats.Dropped.Load() == 0 {
			t.Errorf("asked %d times; %d streams, %d dropped", asked, e.streams.Load(), e.Stats.Dropped.Load())
		}
	})
}

// TestStreamsAreBounded: one more than the most is closed at once, and when one
// ends there is room again.
func TestStreamsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, e *Edge, l pipes) {
		e.streams.Store(maxStreams - 1)
		last := l.connect(t)
		if took := closedAfter(t, l.connect(t)); took != 0 || e.Stats.Dropped.Load() != 1 {
			t.Errorf("one too many is closed after %v, %d dropped", took, e.Stats.Dropped.Load())
		}
		last.Close()
		synctest.Wait()
		again := l.connect(t)
		write(t, again, requestText("OPTIONS", "z9hG4bK-1", "a.test"))
		reader(t, again, "tcp")()
	})
}
