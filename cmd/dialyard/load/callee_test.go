package load

import (
	"errors"
	"net"
	"slices"
	"testing"
	"time"
)

var testPeer net.Addr = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5060}

// testCallee is a callee of ten calls, 100 ms apart and all started, which keeps what it sends.
func testCallee(ring, pickUp time.Duration) (c *callee, sent *[]answer) {
	calls := newLedger(newSchedule(10, time.Second), Options{Timeout: time.Second})
	for calls.started < calls.plan.calls {
		calls.start(calls.plan.at(calls.started))
	}
	sent = new([]answer)
	c = newCallee(calls, ring, pickUp, func(peer net.Addr, a answer, block []byte) {
		if peer != testPeer || string(block) != "block" {
			panic("sent to somebody else or something else")
		}
		*sent = append(*sent, a)
	})
	calls.callee = c
	return c, sent
}

func TestCalleeRingsAndPicksUp(t *testing.T) {
	c, sent := testCallee(100*ms, 200*ms)
	step := func(now time.Duration, want ...answer) {
		t.Helper()
		c.tick(now)
		if !slices.Equal(*sent, want) {
			t.Errorf("at %v: sent %v, want %v", now, *sent, want)
		}
		*sent = nil
	}
	invite := func(now time.Duration, transaction uint64) error {
		return c.invite(now, 3, transaction, testPeer, []byte("block"))
	}
	invite(0, 77)
	step(99 * ms)
	step(100*ms, answerRinging)
	invite(150*ms, 77)
	step(150*ms, answerRinging) // to the retransmission
	if err := invite(160*ms, 78); err != errSecondLeg {
		t.Errorf("second leg: %v", err)
	}
	step(299 * ms)
	step(300*ms, answerPickUp)
	invite(400*ms, 77) // the 2xx repeats itself, and only by its own timer
	step(799 * ms)
	step(800*ms, answerPickUp)
	step(1799 * ms)
	step(1800*ms, answerPickUp)
	if err := c.ack(3); err != nil {
		t.Error(err)
	}
	step(time.Minute)
	got := c.calls.tally.callee
	want := calleeTally{invited: 1, doubled: 1, answered: 1, acknowledged: 1, repeats: 2, repeated: 2}
	if got != want || c.settled() {
		t.Errorf("%+v, want %+v; settled %v", got, want, c.settled())
	}
}

func TestReleasedIsOverAtBothEnds(t *testing.T) {
	for name, calleeFirst := range map[string]bool{"callee first": true, "caller first": false} {
		c, _ := testCallee(0, 0)
		l := c.calls
		c.invite(0, 1, 7, testPeer, []byte("block"))
		l.receive(0, response{call: 1, kind: kindInvite, status: 200, described: true})
		bye := func() {
			if err := c.bye(1); err != nil {
				t.Error(err)
			}
		}
		if calleeFirst {
			bye()
			bye() // again
		}
		released := l.tally.released
		l.receive(ms, hungUp(1, 200))
		if !calleeFirst {
			released += l.tally.released
			bye()
		}
		if released != 0 || l.tally.released != 1 {
			t.Errorf("%s: released %d early, %d in all", name, released, l.tally.released)
		}
		if c.settled() {
			t.Errorf("%s: settled without an ACK", name)
		}
		if c.ack(1); !c.settled() { // overtaken by the BYE
			t.Errorf("%s: not settled", name)
		}
	}
}

func TestRequestsWithoutACall(t *testing.T) {
	c, sent := testCallee(0, ms)
	if err := c.invite(0, 99, 7, testPeer, []byte("block")); !errors.Is(err, errForeignInvite) {
		t.Errorf("INVITE: %v", err)
	}
	c.invite(0, 5, 7, testPeer, []byte("block"))
	if err := c.bye(5); !errors.Is(err, errForeignBye) { // it only rings
		t.Errorf("BYE: %v", err)
	}
	if err := c.ack(6); !errors.Is(err, errForeignAck) {
		t.Errorf("ACK: %v", err)
	}
	if !slices.Equal(*sent, []answer{answerRinging}) {
		t.Errorf("sent %v", *sent)
	}
}

func TestHeldCallIsHungUpOnce(t *testing.T) {
	l := newLedger(newSchedule(10, 100*ms), Options{Timeout: time.Second, Hold: time.Second, Retransmit: true})
	l.start(0)
	d := dialog{to: []byte("to"), remote: []byte("remote"), routes: []byte("routes")}
	if owed, err := l.receive(10*ms, response{call: 0, kind: kindInvite, status: 200, dialog: d}); owed != replyAckOnly || err != nil {
		t.Fatalf("reply %d, %v", owed, err)
	}
	var byes []time.Duration
	for now := time.Duration(0); now < 3*time.Second; now += 10 * ms {
		l.release(now, 1, func(call uint32, got dialog) {
			if call != 0 || string(got.to) != "to" || string(got.remote) != "remote" || string(got.routes) != "routes" {
				t.Errorf("call %d: %q", call, got)
			}
			byes = append(byes, now)
		})
		if now == 2*time.Second {
			l.receive(now, hungUp(0, 200))
		}
	}
	if !slices.Equal(byes, []time.Duration{1010 * ms, 1510 * ms}) || !l.settled() {
		t.Errorf("BYE at %v, settled %v", byes, l.settled())
	}
	if r := l.tally.report(false); r.MostHeld != 1 || !near(r.Release.Max, 990*ms) || r.Retransmitted != 1 {
		t.Errorf("%+v", r)
	}
}
