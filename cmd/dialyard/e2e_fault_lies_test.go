package main_test

import (
	"strings"
	"testing"
	"time"

	"dialyard/dispatcher/blame"
)

// breaches are what a worker may say that no honest one says; the log has the words of
// why it was ended.
var breaches = map[string]string{
	"garbage": "failed to unmarshal",
	"nothing": "a batch of nothing",
	"no run":  "the end of a run it does not hold",
	"twice":   "the end of a run it does not hold",
	"large":   "larger than max",
	"flood":   "reports of one run",
	"beats":   "heartbeats too many",
	"bundle":  "a bundle wanted",
}

// TestAWorkerThatBreaksTheProtocolIsEnded, whatever it says, and the version that made
// it do so twice is quarantined. Nobody else loses a call.
func TestAWorkerThatBreaksTheProtocolIsEnded(t *testing.T) {
	t.Parallel()
	var plans []setup
	for lie := range breaches {
		plans = append(plans, plan(strings.ReplaceAll(lie, " ", "-"), `fault.lie("`+lie+`") while true do end`))
	}
	s := startServer(t, append(plans, withFaults)...)
	good := s.load("100", 50, 60*time.Second)
	for lie, words := range breaches {
		t.Run(lie, func(t *testing.T) {
			from := len(s.logText())
			name := strings.ReplaceAll(lie, " ", "-")
			begun := time.Now()
			if a := s.call("plan-" + name); a.Status != 500 || time.Since(begun) > 6*time.Second {
				t.Errorf("its caller heard %d after %v, want 500", a.Status, time.Since(begun))
			}
			s.eventually(6*time.Second, "the worker is ended", func() bool { return strings.Contains(s.logText()[from:], words) })
			s.eventually(9*time.Second, "the version is quarantined", func() bool {
				for _, c := range s.cases() {
					if c.Plan == name && c.Standing == blame.Guilty {
						return true
					}
				}
				s.call("plan-" + name)
				return false
			})
			s.eventually(6*time.Second, "both workers are back", func() bool { return len(s.ready()) == 2 })
		})
	}
	onlyStatus(t, good.stop(), 302)
}

// TestAnInstructionThatIsNoneCostsItsOwnRun: it may be a flaw of the runtime, so the
// worker stays.
func TestAnInstructionThatIsNoneCostsItsOwnRun(t *testing.T) {
	t.Parallel()
	s := startServer(t, withFaults, plan("sequence", `fault.lie("sequence")`), plan("smuggle", `fault.lie("smuggle")`))
	first := s.ready()
	for _, user := range []string{"plan-sequence", "plan-smuggle"} {
		a := s.call(user)
		if a.Status != 500 || a.Get("X-Smuggled") != "" {
			t.Errorf("%s: answered %d, X-Smuggled %q; want 500 and none", user, a.Status, a.Get("X-Smuggled"))
		}
	}
	s.same(first)
}

// TestAWorkerThatLiesAboutItsHeap: what counts is measured from outside. One that says
// it holds nothing is replaced for its memory; one that boasts of a petabyte stays.
func TestAWorkerThatLiesAboutItsHeap(t *testing.T) {
	t.Parallel()
	s := startServer(t, withFaults,
		plan("leak", `fault.lie("all well") fault.leak(8000000) call:redirect("sip:1@gw.example.net")`),
		plan("boast", `fault.lie("bloated") call:redirect("sip:1@gw.example.net")`))
	first := s.ready()
	onlyStatus(t, s.load("plan-boast", 10, 4*time.Second).wait(), 302)
	s.same(first)
	calls := s.load("plan-leak", 10, 8*time.Second)
	s.eventually(20*time.Second, "a worker is replaced for its memory", func() bool {
		return strings.Contains(s.logText(), "memory: rss")
	})
	onlyStatus(t, calls.wait(), 302)
}
