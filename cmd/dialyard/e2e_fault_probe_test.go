package main_test

import (
	"strings"
	"testing"
	"time"
)

// hasty probes are those of a monitor in a hurry.
var hastyProbes = settings("health: {interval: 1s, timeout: 500ms}")

// TestAWorkerDeafToProbes serves calls and beats, and fails each probe: it is replaced,
// and costs no call.
func TestAWorkerDeafToProbes(t *testing.T) {
	t.Parallel()
	s := startServer(t, withFaults, hastyProbes, slots(3), plan("deaf", `fault.lie("deaf") call:redirect("sip:1@gw.example.net")`))
	first := s.ready()
	calls := s.load("100", 50, 12*time.Second)
	if a := s.call("plan-deaf"); a.Status != 302 {
		t.Fatalf("answered %d, want 302", a.Status)
	}
	s.eventually(36*time.Second, "the worker is replaced for its probes", func() bool {
		return strings.Contains(s.logText(), "bad in a row")
	})
	s.eventually(45*time.Second, "all slots are filled", func() bool { return len(s.ready()) == len(first) })
	onlyStatus(t, calls.wait(), 302)
}

// TestProbesThatFailEverywhere say nothing of the workers: calls are served, an alarm is
// raised, nobody is killed, and when probes are good again the alarm ends.
func TestProbesThatFailEverywhere(t *testing.T) {
	t.Parallel()
	s := startServer(t, withFaults, hastyProbes,
		plan("deaf", `fault.lie("deaf") call:redirect("sip:1@gw.example.net")`),
		plan("hears", `fault.lie("hears") call:redirect("sip:1@gw.example.net")`))
	first := s.ready()
	calls := s.load("100", 50, 25*time.Second)
	s.load("plan-deaf", 20, time.Second).wait()
	s.eventually(9*time.Second, "the alarm", func() bool { return strings.Contains(s.logText(), "fail their probes together") })
	time.Sleep(12 * time.Second) // longer than a worker in doubt is given
	s.same(first)
	s.load("plan-hears", 20, time.Second).wait()
	s.eventually(9*time.Second, "the end of the alarm", func() bool { return strings.Contains(s.logText(), "alarm over") })
	time.Sleep(time.Second)
	s.same(first)
	onlyStatus(t, calls.wait(), 302)
}
