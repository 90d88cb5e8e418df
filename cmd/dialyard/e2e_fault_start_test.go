package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestASlowStartDelaysNobody: a successor takes three seconds to come up, and the other
// worker serves meanwhile.
func TestASlowStartDelaysNobody(t *testing.T) {
	t.Parallel()
	s := startServer(t, withFaults)
	calls := s.load("100", 50, 10*time.Second)
	s.failing("start wait 3s")
	victim := s.ready()[0]
	s.kill(victim, syscall.SIGKILL)
	died := time.Now()
	s.refilled(victim, 9*time.Second)
	if took := time.Since(died); took < 3*time.Second {
		t.Errorf("the slot was filled after %v: its worker was not slow at all", took)
	}
	r := calls.wait()
	onlyStatus(t, r, 302)
	if r.Latency.P999 > 3*time.Second {
		t.Errorf("calls waited for the slow start: %v", r.Latency)
	}
}

// steps are those before a worker can take calls at which it may die. A pool that
// cannot start any goes on trying, more and more slowly.
var steps = []string{"start exit", "stream exit"}

func TestWorkersThatCannotStart(t *testing.T) {
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, withFaults)
			calls := s.load("100", 50, 8*time.Second)
			time.Sleep(500 * time.Millisecond)
			s.failing(step)
			victim := s.ready()[0]
			s.kill(victim, syscall.SIGKILL)
			time.Sleep(4 * time.Second)
			if n := strings.Count(s.logText(), `"worker":"`+victim.ID+`.`); n < 4 || n > 60 {
				t.Errorf("%d changes of the slot in 4 s; want some tries and no storm of them", n)
			}
			s.failing("")
			s.refilled(victim, 24*time.Second)
			onlyStatus(t, calls.wait(), 302)
		})
	}
}

// TestNoWorkerCanStart: the front says that it is not able, at once, and is again once
// workers start.
func TestNoWorkerCanStart(t *testing.T) {
	t.Parallel()
	s := startServer(t, withFaults)
	s.failing("start exit")
	for _, pid := range s.children() {
		s.must(syscall.Kill(pid, syscall.SIGKILL))
	}
	s.eventually(3*time.Second, "no worker is ready", func() bool { return len(s.ready()) == 0 })
	time.Sleep(time.Second) // nobody counts on a worker any more
	begun := time.Now()
	if a := s.call("100"); a.Status != 503 || a.Get("Retry-After") == "" || time.Since(begun) > 6*time.Second {
		t.Errorf("answered %d with Retry-After %q after %v, want 503", a.Status, a.Get("Retry-After"), time.Since(begun))
	}
	s.failing("")
	s.eventually(24*time.Second, "both workers are back", func() bool { return len(s.ready()) == 2 })
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("answered %d, want 302", a.Status)
	}
}

// TestTheProgramMayBeReplacedOrRemoved while it runs: its workers are what it is itself,
// whatever lies at its path.
func TestTheProgramMayBeReplacedOrRemoved(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"removed": os.Remove,
		"replaced": func(path string) error {
			if err := os.WriteFile(path+".new", []byte("#!/bin/false\n"), 0o755); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, func(s *server) { s.program = copied(t, binary) })
			s.must(spoil(s.program))
			s.program = binary
			for _, victim := range s.ready() {
				s.kill(victim, syscall.SIGKILL)
				s.refilled(victim, 6*time.Second)
			}
			if a := s.call("100"); a.Status != 302 {
				t.Errorf("answered %d, want 302", a.Status)
			}
		})
	}
}

// copied is another name of the same program. A copy could not be run while another
// test's process, forked while it was written, still has it open.
func copied(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dialyard")
	if err := os.Link(program, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOutOfDescriptors: the server can open nothing more, so that no worker can be
// started. The one that is left serves, and the other is back when there is room.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	victim := s.ready()[0]
	calls := s.load("100", 50, 10*time.Second)
	time.Sleep(500 * time.Millisecond)
	old := s.limitDescriptors(unix.Rlimit{Cur: 5, Max: 5})
	s.kill(victim, syscall.SIGKILL)
	s.eventually(6*time.Second, "a start fails for want of descriptors", func() bool {
		return strings.Contains(s.logText(), "too many open files")
	})
	time.Sleep(3 * time.Second)
	s.limitDescriptors(old)
	s.refilled(victim, 24*time.Second)
	onlyStatus(t, calls.wait(), 302)
}

// limitDescriptors sets how high the server's descriptors may be from now on, and
// returns what was before. Those that are open stay so.
func (s *server) limitDescriptors(limit unix.Rlimit) (old unix.Rlimit) {
	s.t.Helper()
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		s.t.Fatal(err)
	}
	if limit.Max < old.Max {
		limit.Max = old.Max // or it could not be raised again
	}
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		s.t.Fatal(fmt.Errorf("limit descriptors: %w", err))
	}
	return old
}
