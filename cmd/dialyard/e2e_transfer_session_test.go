package main_test

import (
	"regexp"
	"strings"
	"testing"
)

const (
	alicesSession = "ab30317f1a784dc48ff824d0d3715d86"
	bobsSession   = "47755a9de7794ba387653f2099600ef2"
	noSession     = "00000000000000000000000000000000"
)

// TestSessionIDIsMade for a leg whose caller has none, so that a call can be followed
// although its legs have Call-IDs of their own (RFC 7989 §4.1, §7).
func TestSessionIDIsMade(t *testing.T) {
	t.Parallel()
	x := newTransfer(t, "caller")
	made := regexp.MustCompile(`^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15};remote=` + noSession + `$`)
	id := x.callee.invite.head("Session-ID")
	if !made.MatchString(id) {
		t.Errorf("Session-ID: %q", id)
	}
	if strings.Contains(id, x.caller.id) {
		t.Error("the Session-ID tells the caller's Call-ID")
	}
	second, callee := x.alice.connects(x.bob, "plan-dial")
	if other := callee.invite.head("Session-ID"); !made.MatchString(other) || other == id {
		t.Errorf("Session-ID of a second call: %q, of the first: %q", other, id)
	}
	for caller, called := range map[*dialogue]*dialogue{x.caller: x.callee, second: callee} {
		caller.hangsUp()
		called.hungUp()
	}
	expect(t, x.s.oneRecord(2), 200, "caller", "200")
}

// TestSessionIDIsPassed: what the parties say of their session goes through as it is,
// in each direction and to the end.
func TestSessionIDIsPassed(t *testing.T) {
	t.Parallel()
	const alices, bobs = "Session-ID: " + alicesSession + ";remote=" + bobsSession, "Session-ID: " + bobsSession + ";remote=" + alicesSession
	alice, bob := newAgent(t, "alice"), newAgent(t, "bob")
	s := startServer(t, dials("dial", bob.uri()))
	alice.speaksTo(s)
	bob.speaksTo(s)
	carries := func(m *message, line string) {
		t.Helper()
		if got := "Session-ID: " + m.head("Session-ID"); got != line {
			t.Errorf("%s with %s, want %s", m.start(), got, line)
		}
	}
	first := "Session-ID: " + alicesSession + ";remote=" + noSession
	a := alice.calls("plan-dial", first)
	b := bob.called()
	carries(b.invite, first)
	b.reply(b.invite, 180, "", bobs)
	carries(a.answer(180, "INVITE"), bobs)
	b.reply(b.invite, 200, sdp("bob"), bobs)
	carries(a.answer(200, "INVITE"), bobs)
	a.ask("ACK", "", alices)
	b.asked("ACK")
	for _, way := range []struct {
		asks, takes    *dialogue
		asking, taking string
	}{{a, b, alices, bobs}, {b, a, bobs, alices}} {
		way.asks.ask("INVITE", sdp(way.asks.name), way.asking)
		m := way.takes.asked("INVITE")
		carries(m, way.asking)
		way.takes.reply(m, 200, sdp(way.takes.name), way.taking)
		carries(way.asks.answer(200, "INVITE"), way.taking)
		way.asks.ask("ACK", "", way.asking)
		way.takes.asked("ACK")
	}
	a.ask("BYE", "", alices)
	carries(b.hungUp(), alices)
	a.answer(200, "BYE")
	expect(t, s.oneRecord(1), 200, "caller", "200")
	nothingLeft(alice, bob)
}

// TestNothingOvertakesTheAnswer: a callee has its ACK while the caller's 200 may still
// wait for the store. What the callee asks then must come to the caller behind it, for
// before it there is no dialog to ask within.
func TestNothingOvertakesTheAnswer(t *testing.T) {
	t.Parallel()
	alice, bob := newAgent(t, "alice"), newAgent(t, "bob")
	s := startServer(t, dials("dial", bob.uri()))
	alice.speaksTo(s)
	bob.speaksTo(s)
	const calls = 20
	early := 0
	for range calls {
		a := alice.calls("plan-dial")
		b := bob.called()
		b.reply(b.invite, 200, sdp("bob"))
		b.asked("ACK")
		b.ask("INFO", "")
		answer := a.answered()
		m := a.asked("INFO")
		if m.at.Before(answer.at) {
			early++
		}
		a.reply(m, 200, "")
		b.answer(200, "INFO")
		a.hangsUp()
		b.hungUp()
	}
	if early > 0 {
		t.Errorf("in %d of %d calls the INFO came before the 200 to the INVITE", early, calls)
	}
	s.oneRecord(calls)
	nothingLeft(alice, bob)
}
