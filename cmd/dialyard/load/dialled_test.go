package load

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// freeAddr is a loopback address where nothing listens just now.
func freeAddr(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().String()
}

// toItself has the caller call its own callee, with no server between them.
func toItself(t *testing.T, o Options) Options {
	addr := freeAddr(t)
	o.Target, o.Answer = "sip:100@"+addr, "udp://"+addr
	return o
}

func TestDialledCalls(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"at once": {Rate: 1000, Duration: 200 * ms},
		"slowly":  {Rate: 1000, Duration: 200 * ms, Ring: 20 * ms, PickUp: 50 * ms, Hold: 100 * ms, Grain: ms},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mustRun(t, toItself(t, o))
			d := r.Dialled
			if r.Err() != nil || r.Answered[200] != 200 || r.ByesAnswered != 200 || r.Provisional != 200 {
				t.Fatalf("%v\n%v", r.Err(), r)
			}
			if d.Invited != 200 || d.Rung != 200 || d.Answered != 200 || d.Connected != 200 || d.Released != 200 {
				t.Errorf("%+v", d)
			}
			if d.PostDial.Min < o.Ring || r.Latency.Min < o.Ring+o.PickUp || r.Elapsed < o.Duration-ms+o.Hold {
				t.Errorf("too early: post-dial %v, latency %v, %v in all", d.PostDial, r.Latency, r.Elapsed)
			}
			if held := r.MostHeld > 50; held != (o.Hold > 0) {
				t.Errorf("%d calls held at once", r.MostHeld)
			}
		})
	}
}

func TestInterruptedRunHangsUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
	defer cancel()
	r, err := Run(ctx, toItself(t, Options{Rate: 500, Duration: time.Minute, Hold: time.Minute}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Err() != nil || r.Sent == 0 || r.Dialled.Released != r.Sent || r.Elapsed > 10*time.Second {
		t.Errorf("%v\n%v", r.Err(), r)
	}
}

// meddler passes datagrams on between the caller and the callee, through its hands. It learns the two
// from the requests it is given.
type meddler struct {
	conn   *net.UDPConn
	callee *net.UDPAddr
	done   chan struct{}
}

// startMeddler has change say what becomes of each datagram: nothing, itself, or several.
func startMeddler(t *testing.T, callee string, change func(datagram string) []string) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.ResolveUDPAddr("udp", callee)
	if err != nil {
		t.Fatal(err)
	}
	m := &meddler{conn: conn, callee: to, done: make(chan struct{})}
	go m.pass(change)
	t.Cleanup(func() {
		conn.Close()
		<-m.done
	})
	return "sip:100@" + conn.LocalAddr().String()
}

func (m *meddler) pass(change func(string) []string) {
	defer close(m.done)
	var caller *net.UDPAddr
	buffer := make([]byte, 65536)
	for {
		n, from, err := m.conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		to := caller
		if from.Port != m.callee.Port {
			caller, to = from, m.callee
		}
		for _, datagram := range change(string(buffer[:n])) {
			m.conn.WriteToUDP([]byte(datagram), to)
		}
	}
}

func TestWhatAServerDoesWrong(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(string) []string
		want   string
	}{
		"places each call twice": {func(d string) []string {
			if strings.HasPrefix(d, "INVITE") {
				return []string{d, strings.Replace(d, "branch=z9hG4bK", "branch=z9hG4bKtwice", 1)}
			}
			if strings.Contains(d, "486 Busy") {
				return nil
			}
			return []string{d}
		}, "10 calls placed twice"},
		"keeps the BYE to itself": {func(d string) []string {
			if strings.HasPrefix(d, "BYE") {
				return nil
			}
			return []string{d}
		}, "10 of 10 BYEs unanswered, 10 of 10 callees never heard the BYE"},
		"forgets the ACK": {func(d string) []string {
			if strings.HasPrefix(d, "ACK") {
				return nil
			}
			return []string{d}
		}, "10 of 10 answers never acknowledged"},
		"loses the answer's body": {func(d string) []string {
			if head, _, found := strings.Cut(d, "\r\nContent-Type"); found && strings.Contains(d, "200 OK") {
				d = head + "\r\nContent-Length: 0\r\n\r\n"
			}
			return []string{d}
		}, "10 unexpected messages"},
		"rewrites the offer": {func(d string) []string {
			return []string{strings.Replace(d, "o=load", "o=else", 1)}
		}, "10 unexpected messages"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			callee := freeAddr(t)
			target := startMeddler(t, callee, c.change)
			r := mustRun(t, Options{Target: target, Answer: "udp://" + callee, Rate: 200, Duration: 50 * ms, Sockets: 1, Timeout: time.Second})
			if r.Err() == nil || r.Err().Error() != c.want || r.Clean() {
				t.Errorf("error %v, want %s\n%v", r.Err(), c.want, r)
			}
		})
	}
}

// TestLossIsMadeGood drops the first sending of each message.
func TestLossIsMadeGood(t *testing.T) {
	t.Parallel()
	callee := freeAddr(t)
	seen := map[string]bool{}
	target := startMeddler(t, callee, func(d string) []string {
		if strings.HasPrefix(d, "ACK") || seen[d] || strings.HasPrefix(d, "SIP/2.0 180") {
			return []string{d}
		}
		seen[d] = true
		return nil
	})
	r := mustRun(t, Options{Target: target, Answer: "udp://" + callee, Rate: 200, Duration: 50 * ms, Sockets: 1, Retransmit: true})
	d := r.Dialled
	if r.Err() != nil || d.Released != 10 || d.AnswersResent < 10 || r.Retransmitted < 20 || r.Clean() {
		t.Errorf("%v\n%v", r.Err(), r)
	}
}

// TestServerHangsUp ends held calls from between the two.
func TestServerHangsUp(t *testing.T) {
	t.Parallel()
	callee := freeAddr(t)
	target := startMeddler(t, callee, func(d string) []string {
		if !strings.HasPrefix(d, "SIP/2.0 200") || !strings.Contains(d, "INVITE\r\n") {
			return []string{d}
		}
		// As the callee, send a BYE to the caller's tag.
		var lines []string
		for line := range strings.SplitSeq(d, "\r\n") {
			switch name, value, _ := strings.Cut(line, ":"); name {
			case "From":
				lines = append(lines, "To:"+value)
			case "To":
				lines = append(lines, "From:"+value)
			case "Via", "Call-ID":
				lines = append(lines, line)
			}
		}
		bye := "BYE sip:load@x SIP/2.0\r\n" + strings.Join(lines, "\r\n") + "\r\nCSeq: 9 BYE\r\nContent-Length: 0\r\n\r\n"
		return []string{d, bye}
	})
	r := mustRun(t, Options{Target: target, Answer: "udp://" + callee, Rate: 200, Duration: 50 * ms, Sockets: 1, Hold: 100 * ms, Timeout: time.Second})
	// The callee's answer to its own supposed BYE is what the meddler passes on to it: unexpected.
	if r.CutOff != 10 || r.Byes != 0 || r.Dialled.Stranded != 10 || !strings.Contains(r.Err().Error(), "10 calls cut off by the server") {
		t.Errorf("%v\n%v", r.Err(), r)
	}
}
