package main_test

import (
	"fmt"
	"testing"
)

// refusedBy lets a caller be refused and returns its phone.
func (s *server) refusedBy(plan string, status int, hops string) *phone {
	s.t.Helper()
	caller := s.dial("dial_uac_refused", plan, "-key", "hops", hops)
	caller.wait()
	if len(caller.received(fmt.Sprintf("SIP/2.0 %d ", status))) == 0 {
		s.t.Errorf("plan-%s: the caller did not hear %d", plan, status)
	}
	return caller
}

func TestTargetsThatAreNotCalled(t *testing.T) {
	t.Parallel()
	s := startServer(t, settings("dial: {forbid: [192.0.2.0/24]}"),
		plan("here", `call:dial(call.ruri.uri)`), dials("forbidden", "sip:a@192.0.2.1"), dials("unknown", "a@nowhere"))
	for i, c := range []struct {
		plan   string
		status int
	}{{"here", 482}, {"forbidden", 403}, {"unknown", 404}} {
		s.refusedBy(c.plan, c.status, "70")
		r := s.oneRecord(i + 1)
		expect(t, r, c.status, "system", fmt.Sprint(c.status))
	}
}

func TestMaxForwards(t *testing.T) {
	t.Parallel()
	callee := newRefusing(t, 486, "")
	s := startServer(t, dials("dial", callee.uri()))
	s.refusedBy("dial", 483, "0")
	expect(t, s.oneRecord(1), 483, "system", "483")
	s.refusedBy("dial", 486, "42")
	callee.wait()
	expect(t, s.oneRecord(2), 486, "callee", "486")
	if hops := callee.got("INVITE", "Max-Forwards"); hops != "41" {
		t.Errorf("Max-Forwards of the leg: %s, want 41", hops)
	}
}

func TestReliableProvisionalAnswersAreRefused(t *testing.T) {
	t.Parallel()
	s := startServer(t, dials("dial", "sip:a@127.0.0.1:9"))
	s.dial("dial_uac_100rel", "dial").wait()
	s.empty()
}

func TestMergedRequest(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_answer")
	s := startServer(t, plan("dial", fmt.Sprintf("call:dial({{target = %q, delay = 0.3}})", callee.uri())))
	s.dial("dial_uac_merged", "dial").wait()
	callee.wait()
	expect(t, s.oneRecord(1), 200, "caller", "200")
}

// TestRefusalKeepsWhatTheCallerNeeds: a 422 without Min-SE cannot be acted on
// (RFC 4028 §6), and the reason for a failure is the callee's to give.
func TestRefusalKeepsWhatTheCallerNeeds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status        int
		header, value string
	}{{422, "Min-SE", "120"}, {486, "Reason", "Q.850;cause=17"}} {
		callee := newRefusing(t, c.status, c.header+": "+c.value)
		s := startServer(t, dials("dial", callee.uri()))
		caller := s.refusedBy("dial", c.status, "70")
		callee.wait()
		if got := caller.got(fmt.Sprintf("SIP/2.0 %d", c.status), c.header); got != c.value {
			t.Errorf("%s in the %d: %q, want %q as the callee sent it", c.header, c.status, got, c.value)
		}
	}
}
