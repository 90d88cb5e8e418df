package main_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// told is a plan that dials and notes down what it was told of the outcome.
func told(name, targets string) setup {
	return plan(name, fmt.Sprintf("local r = call:dial(%s)\n", targets)+
		`call:tag("told", r.status .. " " .. r.code .. " " .. r.leg)`)
}

func TestFirstAnswerWins(t *testing.T) {
	t.Parallel()
	loser, winner := newCallee(t, "dial_uas_cancelled"), newCallee(t, "dial_uas_answer")
	s := startServer(t, told("dial", fmt.Sprintf("{%q, {target = %q, delay = 0.2}}", loser.uri(), winner.uri())))
	s.dial("dial_uac_call", "dial").wait()
	loser.wait()
	winner.wait()
	r := s.oneRecord(1)
	expect(t, r, 200, "caller", "487 200")
	if r.Tags["told"] != "answered 200 2" {
		t.Errorf("the script was told %q", r.Tags["told"])
	}
	if reason := loser.got("CANCEL", "Reason"); reason != `SIP;cause=200;text="Call completed elsewhere"` {
		t.Errorf("Reason of the loser's CANCEL: %q", reason)
	}
}

// TestLoserIsNotCancelledBeforeItRings: RFC 3261 §9.1.
func TestLoserIsNotCancelledBeforeItRings(t *testing.T) {
	t.Parallel()
	loser, winner := newCallee(t, "dial_uas_cancelled_slow"), newCallee(t, "dial_uas_answer")
	s := startServer(t, plan("dial", fmt.Sprintf("call:dial({%q, %q})", loser.uri(), winner.uri())))
	s.dial("dial_uac_call", "dial").wait()
	loser.wait()
	winner.wait()
	expect(t, s.oneRecord(1), 200, "caller", "487 200")
}

func TestNextInLineAnswers(t *testing.T) {
	t.Parallel()
	down, busy := newRefusing(t, 503, ""), newRefusing(t, 486, "")
	answers := newCallee(t, "dial_uas_answer")
	s := startServer(t, told("dial", fmt.Sprintf("%q", down.uri()+" | "+busy.uri()+" | "+answers.uri())))
	s.dial("dial_uac_call", "dial").wait()
	down.wait()
	busy.wait()
	answers.wait()
	r := s.oneRecord(1)
	expect(t, r, 200, "caller", "503 486 200")
	if r.Tags["told"] != "answered 200 3" {
		t.Errorf("the script was told %q", r.Tags["told"])
	}
}

// newRefusing starts a callee who refuses with a status; sipp wants that in the
// scenario itself. The header, if any, stands in the refusal.
func newRefusing(t *testing.T, status int, header string) *phone {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "sipp", "dial_uas_refuse.xml"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), fmt.Sprintf("refuse-%d.xml", status))
	changed := strings.Replace(string(text), "SIP/2.0 486 Busy Here", fmt.Sprintf("SIP/2.0 %d No", status), 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return newCallee(t, path, "-key", "header", cmp.Or(header, "X-Why: lunch"))
}

func TestRingsTooLongThenNext(t *testing.T) {
	t.Parallel()
	rings, answers := newCallee(t, "dial_uas_cancelled"), newCallee(t, "dial_uas_answer")
	s := startServer(t, plan("dial", fmt.Sprintf(`call:dial({%q, %q}, {strategy = "serial", timeout = 1})`, rings.uri(), answers.uri())))
	s.dial("dial_uac_call", "dial").wait()
	rings.wait()
	answers.wait()
	r := s.oneRecord(1)
	expect(t, r, 200, "caller", "408 200")
	if first := r.Legs[1].Start.Sub(r.Legs[0].Start); first < time.Second || first > 3*time.Second {
		t.Errorf("the second was called after %v, want 1s", first)
	}
}

// TestNobodyAnswers: what the caller hears, and the script is told, when all fail
// (RFC 3261 §16.7 step 6).
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		failures []int
		status   int
		told     string
	}{
		{"both busy", []int{486, 486}, 486, "busy 486 1"},
		{"lowest class", []int{503, 404}, 404, "failed 404 2"},
		{"declined by one", []int{404, 603}, 603, "busy 603 2"},
		{"out of order", []int{503}, 500, "failed 503 1"},
		{"challenged", []int{401}, 403, "failed 401 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var callees []*phone
			var targets []string
			for _, status := range c.failures {
				callees = append(callees, newRefusing(t, status, ""))
				targets = append(targets, callees[len(callees)-1].uri())
			}
			s := startServer(t, told("dial", fmt.Sprintf("%q", strings.Join(targets, " & "))))
			caller := s.dial("dial_uac_refused", "dial", "-key", "hops", "70")
			caller.wait()
			for _, callee := range callees {
				callee.wait()
			}
			r := s.oneRecord(1)
			if len(caller.received(fmt.Sprintf("SIP/2.0 %d ", c.status))) == 0 {
				t.Errorf("the caller did not hear %d", c.status)
			}
			expect(t, r, c.status, "callee", strings.Trim(fmt.Sprint(c.failures), "[]"))
			if r.Tags["told"] != c.told {
				t.Errorf("the script was told %q, want %q", r.Tags["told"], c.told)
			}
		})
	}
}

func TestNoAnswerInTime(t *testing.T) {
	t.Parallel()
	rings := newCallee(t, "dial_uas_cancelled")
	s := startServer(t, plan("dial", fmt.Sprintf("call:dial(%q, {timeout = 1})", rings.uri())))
	caller := s.dial("dial_uac_refused", "dial", "-key", "hops", "70")
	caller.wait()
	rings.wait()
	expect(t, s.oneRecord(1), 408, "callee", "408")
	if len(caller.received("SIP/2.0 408")) == 0 {
		t.Error("the caller did not hear 408")
	}
}
