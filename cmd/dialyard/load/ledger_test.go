package load

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

// tenPerSecond is a ledger of ten calls, 100 ms apart, with a timeout of 250 ms.
func tenPerSecond() *ledger {
	return newLedger(newSchedule(10, time.Second), Options{Timeout: 250 * ms})
}

func invited(call uint32, status int) response {
	return response{call: call, kind: kindInvite, status: status}
}

func hungUp(call uint32, status int) response {
	return response{call: call, kind: kindBye, status: status}
}

func TestLatencyCountsFromTheScheduledInstant(t *testing.T) {
	l := tenPerSecond()
	l.start(30 * ms) // 30 ms late
	if owed, err := l.receive(50*ms, invited(0, 302)); owed != replyAck || err != nil {
		t.Fatalf("reply %d, %v", owed, err)
	}
	r := l.tally.report(false)
	if r.Answered[302] != 1 || !near(r.Latency.Max, 50*ms) || !near(r.SendLag.Max, 30*ms) {
		t.Errorf("answered %v, latency %v, lag %v", r.Answered, r.Latency.Max, r.SendLag.Max)
	}
	if r.InOrder {
		t.Error("a lag of 30 ms counts as in order")
	}
}

// near allows for the three digits of a histogram.
func near(got, want time.Duration) bool {
	return (got - want).Abs() <= want/1000
}

func TestLostLateAndTwice(t *testing.T) {
	l := tenPerSecond()
	for call := range uint32(3) {
		l.start(l.plan.at(call))
	}
	l.receive(5*ms, invited(0, 180))
	l.expire(249 * ms)
	if l.tally.lost != 0 {
		t.Fatal("lost before the timeout")
	}
	l.expire(250 * ms) // call 0: ringing is no answer
	l.expire(350 * ms) // call 1
	l.receive(360*ms, invited(1, 302))
	l.receive(361*ms, invited(1, 302))
	l.receive(362*ms, invited(2, 302))
	r := l.tally.report(false)
	if r.Lost != 2 || r.Late != 1 || r.Duplicates != 1 || r.Answered[302] != 1 || r.Provisional != 1 {
		t.Errorf("%+v", r)
	}
	if l.waiting != 0 {
		t.Errorf("waiting for %d", l.waiting)
	}
}

func TestAnsweredCallIsHungUp(t *testing.T) {
	l := newLedger(newSchedule(10, 100*ms), Options{Timeout: 250 * ms})
	l.start(0)
	steps := []struct {
		response response
		owed     reply
		err      error
		settled  bool
	}{
		{invited(0, 200), replyAckAndBye, nil, false},
		{invited(0, 200), replyAckOnly, nil, false},
		{hungUp(0, 100), replyNothing, nil, false},
		{hungUp(0, 200), replyNothing, nil, true},
		{hungUp(0, 200), replyNothing, nil, true},
	}
	for i, s := range steps {
		owed, err := l.receive(ms, s.response)
		if owed != s.owed || err != s.err || l.settled() != s.settled {
			t.Errorf("step %d: reply %d, %v, settled %v", i, owed, err, l.settled())
		}
	}
	if l.at(0).phase != ended {
		t.Errorf("phase %v", l.at(0).phase)
	}
}

func TestUnexpectedResponses(t *testing.T) {
	l := tenPerSecond()
	l.start(0)
	l.receive(ms, invited(0, 302))
	for _, c := range []struct {
		response response
		owed     reply
		want     error
	}{
		{invited(0, 486), replyAck, errSecondThought},
		{invited(0, 200), replyAckOnly, errSecondThought},
		{invited(1, 302), replyNothing, errUnknownCall},
		{hungUp(0, 200), replyNothing, errByeRefused},
	} {
		if owed, err := l.receive(ms, c.response); owed != c.owed || !errors.Is(err, c.want) {
			t.Errorf("%+v: reply %d, %v; want %d, %v", c.response, owed, err, c.owed, c.want)
		}
	}
}

func TestTimerA(t *testing.T) {
	l := newLedger(newSchedule(10, 200*ms), Options{Timeout: 4 * time.Second, Retransmit: true})
	l.start(0)
	l.start(100 * ms)
	l.receive(ms, invited(1, 100)) // proceeding: is not sent again
	var at []time.Duration
	for now := time.Duration(0); now < 10*time.Second; now += 50 * ms {
		l.expire(now)
		l.resend(now, func(call uint32) {
			if call != 0 {
				t.Errorf("call %d sent again at %v", call, now)
			}
			at = append(at, now)
		})
	}
	want := []time.Duration{500 * ms, 1500 * ms, 3500 * ms}
	if len(at) != len(want) || at[0] != want[0] || at[1] != want[1] || at[2] != want[2] {
		t.Errorf("sent again at %v, want %v", at, want)
	}
}

func TestScheduleIsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSchedule(rapid.Float64Range(0.5, 100_000).Draw(t, "rate"), 10*time.Second)
		call := rapid.Uint32Range(0, s.calls-1).Draw(t, "call")
		if due := s.due(s.at(call) + time.Microsecond); due <= call {
			t.Fatalf("call %d is not due just after its instant, only %d are", call, due)
		}
		if due := s.due(s.at(call) - time.Microsecond); due > call {
			t.Fatalf("call %d is due just before its instant, as one of %d", call, due)
		}
	})
}

// TestEveryCallIsCountedOnce drives a ledger with a wrapping ring through random traffic: what it counts
// always adds up.
func TestEveryCallIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLedger(newSchedule(1000, time.Second), Options{Timeout: 10 * ms})
		now := time.Duration(0)
		t.Repeat(map[string]func(*rapid.T){
			"pass": func(t *rapid.T) {
				now += time.Duration(rapid.IntRange(0, 20_000).Draw(t, "µs")) * time.Microsecond
				l.expire(now)
				for due := l.plan.due(now); l.started < due; {
					l.start(now)
				}
			},
			"respond": func(t *rapid.T) {
				call := l.started - rapid.Uint32Range(0, min(l.started, 40)).Draw(t, "age")
				status := rapid.SampledFrom([]int{100, 180, 200, 302, 486}).Draw(t, "status")
				kind := rapid.SampledFrom([]byte{kindInvite, kindBye}).Draw(t, "kind")
				l.receive(now, response{call: call, kind: kind, status: status})
			},
			"": func(t *rapid.T) {
				c, answered := l.tally, 0
				for _, calls := range c.answered {
					answered += calls
				}
				if c.sent != answered+c.lost+l.waiting || c.late > c.lost || c.byesAnswered > c.byes {
					t.Fatalf("sent %d, answered %d, waiting %d, lost %d, late %d", c.sent, answered, l.waiting, c.lost, c.late)
				}
			},
		})
	})
}
