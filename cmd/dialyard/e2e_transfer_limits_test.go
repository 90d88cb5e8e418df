package main_test

import (
	"fmt"
	"testing"
	"time"
)

// limited is a server with a caller and a callee.
func limited(t *testing.T, changes func(callee *agent) []setup) (s *server, alice, bob *agent) {
	t.Helper()
	alice, bob = newAgent(t, "alice"), newAgent(t, "bob")
	s = startServer(t, changes(bob)...)
	alice.speaksTo(s)
	bob.speaksTo(s)
	return s, alice, bob
}

// refused is a call that is answered with a failure.
func (a *agent) refused(user string, status int) {
	a.t.Helper()
	a.calls(user).answer(status, "INVITE")
}

// TestAnsweredCallsCount against an account's calls at once for as long as they last,
// though their scripts have long ended; a call that was transferred is still one.
func TestAnsweredCallsCount(t *testing.T) {
	t.Parallel()
	x := newTransferOf(t, "{name: test, transfer: call, calls: 2}", "callee")
	second, callee := x.alice.connects(x.bob, "plan-dial")
	x.s.eventually(3*time.Second, "the scripts have ended", func() bool { return gauge(x.s.metrics(), "dialyard_runs") == 0 })
	x.alice.refused("plan-dial", 480)
	x.refer()
	n := x.rings()
	x.notified(180)
	x.joins(n)
	x.notified(200)
	x.refers.hungUp()
	x.alice.refused("plan-dial", 480)
	n.hangsUp()
	x.stays.hungUp()
	third, called := x.alice.connects(x.bob, "plan-dial")
	x.alice.refused("plan-dial", 480)
	for caller, called := range map[*dialogue]*dialogue{second: callee, third: called} {
		caller.hangsUp()
		called.hungUp()
	}
	x.s.oneRecord(6)
	refused := 0
	for _, r := range x.s.records() {
		if r.Status == 480 {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d records of refused calls, want 3", refused)
	}
	nothingLeft(x.all()...)
}

// TestCallsPerSecond: as many as the account may begin in a second begin at once; then
// they have to wait.
func TestCallsPerSecond(t *testing.T) {
	t.Parallel()
	s, alice, bob := limited(t, func(bob *agent) []setup {
		return []setup{dials("dial", bob.uri()), settings("accounts: [{name: test, rate: 2}]")}
	})
	start := time.Now()
	for range 2 {
		d := alice.calls("plan-dial")
		b := bob.called()
		b.reply(b.invite, 486, "")
		d.answer(486, "INVITE")
		b.asked("ACK")
	}
	alice.refused("plan-dial", 480)
	if took := time.Since(start); took > 400*time.Millisecond {
		t.Skipf("the first three calls took %v: nothing can be said of a rate", took)
	}
	time.Sleep(time.Until(start.Add(600 * time.Millisecond)))
	a, b := alice.connects(bob, "plan-dial")
	a.hangsUp()
	b.hungUp()
	s.oneRecord(4)
	nothingLeft(alice, bob)
}

// TestGatewayCallsPerSecond: what a gateway is not to get it does not get, and the leg
// says why.
func TestGatewayCallsPerSecond(t *testing.T) {
	t.Parallel()
	s, alice, bob := limited(t, func(bob *agent) []setup {
		return []setup{plan("dial", toCarrier), carrier(fmt.Sprintf(`uris: ["sip:%s"], rate: 0.5`, bob.address))}
	})
	a, b := alice.connects(bob, "plan-dial")
	alice.refused("plan-dial", 500)
	a.hangsUp()
	b.hungUp()
	s.oneRecord(2)
	for _, r := range s.records() {
		if r.Status == 500 {
			expect(t, r, 500, "system", "503")
			if r.Legs[0].Reason != "gateway is at its limit" || r.Legs[0].Address != "" {
				t.Errorf("leg: %+v", r.Legs[0])
			}
		}
	}
	time.Sleep(2 * time.Second)
	a, b = alice.connects(bob, "plan-dial")
	a.hangsUp()
	b.hungUp()
	s.oneRecord(3)
	nothingLeft(alice, bob)
}
