package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dialyard/dispatcher/call"
)

// TestWithinADialog has a caller and a callee who know what must come of each
// request that one makes of the other within their call.
func TestWithinADialog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, caller, callee string }{
		{"hold by the caller", "dial_uac_hold", "dial_uas_held"},
		{"hold by the callee", "dial_uac_held", "dial_uas_hold"},
		{"delayed offer", "dial_uac_delayed", "dial_uas_delayed"},
		{"session timer", "dial_uac_timer", "dial_uas_timer"},
		{"other methods", "dial_uac_methods", "dial_uas_methods"},
		{"glare", "dial_uac_glare", "dial_uas_glare"},
		{"transfer refused", "dial_uac_refer_refused", "dial_uas_answer"},
	} {
		t.Run(c.name, func(t *testing.T) { converse(t, c.caller, c.callee) })
	}
}

// TestTransferPassed: the account lets a REFER go to the other party, and its NOTIFY
// come back (RFC 3515).
func TestTransferPassed(t *testing.T) {
	t.Parallel()
	converse(t, "dial_uac_refer", "dial_uas_refer", settings("accounts: [{name: test, transfer: pass}]"))
}

// converse lets a caller and a callee speak who hang up at the caller's side.
func converse(t *testing.T, caller, callee string, changes ...setup) {
	t.Helper()
	answers := newCallee(t, callee)
	s := startServer(t, append(changes, dials("dial", answers.uri()))...)
	s.dial(caller, "dial").wait()
	answers.wait()
	expect(t, s.oneRecord(1), 200, "caller", "200")
}

// TestLongCallIsEnded: the limit of a dial, and that of the account, hang up on both
// sides and say why.
func TestLongCallIsEnded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, options, settings string
	}{
		{"by the dial", "{max = 1}", ""},
		{"by the account", "{max = 60}", "accounts: [{name: test, duration: 1s}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			callee := newCallee(t, "dial_uas_answer")
			s := startServer(t, settings(c.settings), plan("dial", fmt.Sprintf("call:dial(%q, %s)", callee.uri(), c.options)))
			caller := s.dial("dial_uac_hears_bye", "dial")
			caller.wait()
			callee.wait()
			r := s.oneRecord(1)
			expect(t, r, 200, "system", "200")
			if d := r.Duration(); d < time.Second || d > 2*time.Second {
				t.Errorf("connected for %v, want 1s", d)
			}
			for _, p := range []*phone{caller, callee} {
				if reason := p.got("BYE", "Reason"); !strings.Contains(reason, "call duration limit") {
					t.Errorf("%s: Reason of the BYE: %q", p.scenario, reason)
				}
			}
		})
	}
}

func TestRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	answers := newCallee(t, "dial_uas_answer")
	moved := newCallee(t, "dial_uas_redirect", "-key", "target", answers.uri())
	s := startServer(t, plan("dial", fmt.Sprintf(`call:dial(%q, {redirect = "follow"})`, moved.uri())))
	s.dial("dial_uac_call", "dial").wait()
	moved.wait()
	answers.wait()
	r := s.oneRecord(1)
	expect(t, r, 200, "caller", "302 200")
	if r.Legs[1].Called != answers.uri() {
		t.Errorf("the second leg called %s, want %s", r.Legs[1].Called, answers.uri())
	}
}

func TestRedirectIsReturned(t *testing.T) {
	t.Parallel()
	moved := newCallee(t, "dial_uas_redirect", "-key", "target", "sip:200@example.net")
	s := startServer(t, plan("dial", fmt.Sprintf(`
		local r = call:dial(%q, {redirect = "return"})
		call:tag("told", r.status)
		call:redirect(r.contacts)`, moved.uri())))
	s.dial("redirect", "dial", "-m", "1").wait()
	moved.wait()
	r := s.oneRecord(1)
	expect(t, r, 302, "plan", "302")
	if r.Tags["told"] != call.DialRedirected.String() {
		t.Errorf("the script was told %q", r.Tags["told"])
	}
}
