package main_test

import (
	"strings"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
)

// TestFlawsOfTheRuntime are what no script should be able to do to its worker: each
// ends or spoils one, which is replaced, and costs nobody else a call.
func TestFlawsOfTheRuntime(t *testing.T) {
	for name, flaw := range map[string]struct {
		source string
		rate   float64       // of calls that do it
		lasts  time.Duration // so long
		words  string        // of why a worker was replaced
		within time.Duration // after the first call
	}{
		"panic":          {`fault.crash()`, 1, time.Second, "exit status 2", 9 * time.Second},
		"goroutine bomb": {`fault.goroutines(5000) call:reject(486)`, 10, 4 * time.Second, "memory: rss", 18 * time.Second},
		"busy for ever":  {`fault.spin()`, 1, time.Second, "runs do not end", 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, withFaults, plan("flaw", flaw.source))
			calls := s.load("100", 50, 60*time.Second)
			bad := s.loadAs("plan-flaw", load.Options{Rate: flaw.rate, Duration: flaw.lasts, Timeout: 50 * time.Second})
			begun := time.Now()
			s.eventually(flaw.within, "a worker is replaced for it", func() bool { return strings.Contains(s.logText(), flaw.words) })
			t.Logf("seen after %v", time.Since(begun).Round(time.Millisecond))
			if r := bad.wait(); r.Lost > 0 {
				t.Errorf("of %d calls of the plan %d were never answered", r.Sent, r.Lost)
			}
			s.eventually(45*time.Second, "both workers serve", func() bool { return len(s.ready()) == 2 })
			onlyStatus(t, calls.stop(), 302)
		})
	}
}
