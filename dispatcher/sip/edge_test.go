package sip

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestPanicCostsOneMessage: its sender hears 500, and everybody goes on.
func TestPanicCostsOneMessage(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			e := openEdge(t, func(p Packet) bool {
				if p.Branch == "z9hG4bK-panic" {
					panic("as asked")
				}
				return accept(p)
			})
			conn := dial(t, e, transport)
			read := reader(t, conn, transport)
			for _, step := range []struct {
				branch string
				status int
			}{{"z9hG4bK-1", 200}, {"z9hG4bK-panic", 500}, {"z9hG4bK-2", 200}} {
				write(t, conn, requestText("OPTIONS", step.branch, "a.test"))
				if m := read(); m.Status != step.status || m.Branch != step.branch {
					t.Errorf("%s is answered %d to %s", step.branch, m.Status, m.Branch)
				}
			}
			if n := e.Stats.Panics.Load(); n != 1 {
				t.Errorf("%d panics are counted", n)
			}
		})
	}
}

// TestFullMailbox: a message without room is dropped and counted, no more.
func TestFullMailbox(t *testing.T) {
	full := true
	e := openEdge(t, func(p Packet) bool {
		if full {
			full = false
			return false
		}
		return accept(p)
	})
	conn := dial(t, e, "udp")
	read := reader(t, conn, "udp")
	write(t, conn, requestText("OPTIONS", "z9hG4bK-1", "a.test"))
	write(t, conn, requestText("OPTIONS", "z9hG4bK-2", "a.test"))
	if m := read(); m.Branch != "z9hG4bK-2" {
		t.Errorf("%s is answered", m.Branch)
	}
	if n := e.Stats.Dropped.Load(); n != 1 {
		t.Errorf("%d dropped", n)
	}
}

func TestListenRefuses(t *testing.T) {
	taken := openEdge(t, accept)
	for _, row := range []struct{ address, why string }{
		{"sctp://127.0.0.1:0", "transport is not udp or tcp"},
		{"127.0.0.1:0", "first path segment"},
		{"udp://127.0.0.1:no", "no"},
		{taken.Addresses()[0], "address already in use"},
		{taken.Addresses()[1], "address already in use"},
	} {
		e := &Edge{Receive: accept, Log: slog.New(slog.DiscardHandler)}
		err := e.Listen([]string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0", row.address})
		if err == nil || !strings.Contains(err.Error(), row.why) || !strings.HasPrefix(err.Error(), "listen on "+row.address) {
			t.Errorf("%s: %v", row.address, err)
		}
		for _, address := range e.Addresses() { // those before it are closed again
			transport, host, _ := strings.Cut(address, "://")
			if transport == "udp" {
				continue
			}
			if conn, err := net.Dial(transport, host); err == nil {
				conn.Close()
				t.Errorf("%s still listens", address)
			}
		}
	}
}

// TestCloseEndsAll: Close returns when readers, writers and listeners are gone,
// streams in the middle of a message included, and may be called again. goleak
// looks at what is left.
func TestCloseEndsAll(t *testing.T) {
	e := openEdge(t, accept)
	idle, torn, busy := dial(t, e, "tcp"), dial(t, e, "tcp"), dial(t, e, "tcp")
	write(t, torn, inviteText[:100])
	read := reader(t, busy, "tcp")
	write(t, busy, requestText("OPTIONS", "z9hG4bK-1", "a.test"))
	read()
	e.Close()
	e.Close()
	for name, conn := range map[string]net.Conn{"idle": idle, "torn": torn, "busy": busy} {
		if n, err := conn.Read(make([]byte, 1)); err == nil || n > 0 {
			t.Errorf("the %s stream is still open", name)
		}
	}
	if n := e.streams.Load(); n != 0 {
		t.Errorf("%d streams are counted", n)
	}
	new(Edge).Close() // never opened: nothing to do
}

// recorder counts what is sent to a peer.
type recorder struct{ sent int }

func (r *recorder) send([]byte, netip.AddrPort) { r.sent++ }

// TestRefusalsAreRationed: a flood of bad messages is answered at the rate of the
// limiter and not more; whoever forges a source gets little out of it.
func TestRefusalsAreRationed(t *testing.T) {
	const flood = 3 * refusalRate
	e := openEdge(t, accept)
	victim := &recorder{}
	peer := Peer{Transport: "udp", Addr: source, out: victim}
	begin := time.Now()
	for range flood {
		e.take([]byte(altered(t, "7 INVITE", "7 OPTIONS")), peer, true)
	}
	most := refusalRate + 1 + int(time.Since(begin)/e.refusals.interval) + 1
	if victim.sent < refusalRate || victim.sent > most {
		t.Errorf("%d of %d are answered, want %d to %d", victim.sent, flood, refusalRate, most)
	}
	if n := e.Stats.Refused.Load(); n != flood {
		t.Errorf("%d refused", n)
	}
}

func TestLimiter(t *testing.T) {
	l := limiter{interval: 100 * time.Millisecond} // ten a second
	burst := func(at time.Duration) (allowed int) {
		for l.allow(dawn.Add(at)) {
			allowed++
		}
		return allowed
	}
	for _, row := range []struct {
		at   time.Duration
		want int
	}{{0, 11}, {0, 0}, {99 * time.Millisecond, 0}, {100 * time.Millisecond, 1}, {350 * time.Millisecond, 2}, {time.Hour, 11}} {
		if got := burst(row.at); got != row.want {
			t.Errorf("at %v: %d are allowed, want %d", row.at, got, row.want)
		}
	}
}
