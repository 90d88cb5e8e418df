package main_test

import (
	"syscall"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
)

// TestAWorkerStoppedWhileItEnds stands still for good just as it is replaced: it is
// killed all the same. Calls that it holds go elsewhere when it has been silent for
// three seconds; all others are served by its successor.
func TestAWorkerStoppedWhileItEnds(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	calls := s.loadAs("100", load.Options{Rate: 50, Duration: 20 * time.Second, Timeout: 20 * time.Second})
	time.Sleep(500 * time.Millisecond)
	victim := s.ready()[0]
	s.kill(victim, syscall.SIGSTOP)
	defer syscall.Kill(victim.Pid, syscall.SIGKILL) // should the server leave it
	if out, status := s.run("workers", "recycle", victim.ID, "--reason", "test"); status != 0 {
		t.Fatal(out)
	}
	stopped := time.Now()
	s.refilled(victim, 6*time.Second)
	s.gone(victim.Pid, 20*time.Second)
	t.Logf("gone after %v", time.Since(stopped).Round(time.Millisecond))
	r := calls.wait()
	t.Logf("answered %v, lost %d, %v", r.Answered, r.Lost, r.Latency)
	onlyStatus(t, r, 302)
}

// TestTwoWorkersDieTogether of three: the third serves everybody.
func TestTwoWorkersDieTogether(t *testing.T) {
	t.Parallel()
	s := startServer(t, slots(3))
	calls := s.load("100", 100, 8*time.Second)
	time.Sleep(time.Second)
	victims := s.ready()[:2]
	for _, w := range victims {
		s.kill(w, syscall.SIGKILL)
	}
	died := time.Now()
	for _, w := range victims {
		s.refilled(w, 6*time.Second)
	}
	t.Logf("at full strength after %v", time.Since(died).Round(time.Millisecond))
	onlyStatus(t, calls.wait(), 302)
}

// TestAllWorkersDieTogether, with those for suspects: calls may be refused for a moment
// then, but none waits in vain.
func TestAllWorkersDieTogether(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	calls := s.load("100", 100, 10*time.Second)
	time.Sleep(time.Second)
	victims := s.ready()
	for _, pid := range s.children() {
		s.must(syscall.Kill(pid, syscall.SIGKILL))
	}
	died := time.Now()
	for _, w := range victims {
		s.refilled(w, 6*time.Second)
	}
	took := time.Since(died)
	t.Logf("at full strength after %v", took.Round(time.Millisecond))
	r := calls.wait()
	t.Logf("answered %v, lost %d, %v", r.Answered, r.Lost, r.Latency)
	nearly(t, r, 302, int(100*(took+time.Second).Seconds()))
}
