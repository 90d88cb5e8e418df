package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
)

// The tests in files e2e_fault_*_test.go and those that testdata/faults.md names
// beside them put the real program through every fault that is known. Their bounds are
// three times what is promised: machines that run tests are slow.

// failing has the workers that start from now on fail at a step of their life; none if
// it is empty. The binary must be the one with faults.
func (s *server) failing(step string) {
	s.t.Helper()
	name := filepath.Join(s.dir, "fault")
	if step == "" {
		s.must(os.Remove(name))
		return
	}
	// A worker may be another user by the time it looks.
	s.must(os.Chmod(s.dir, 0o755))
	s.must(os.WriteFile(name+".new", []byte(step), 0o644))
	s.must(os.Chmod(name+".new", 0o644))
	s.must(os.Rename(name+".new", name))
}

// refilled waits until a slot has a ready worker that is younger than the one given,
// and returns it.
func (s *server) refilled(old member, within time.Duration) (found member) {
	s.t.Helper()
	s.eventually(within, "slot "+old.ID+" has a successor of "+old.name(), func() bool {
		for _, w := range s.ready() {
			if w.ID == old.ID && w.Generation > old.Generation {
				found = w
				return true
			}
		}
		return false
	})
	return found
}

func (m member) name() string { return fmt.Sprintf("%s.%d", m.ID, m.Generation) }

// gone waits until a process has ended.
func (s *server) gone(pid int, within time.Duration) {
	s.t.Helper()
	s.eventually(within, "a process ends", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}

// same fails the test unless the ready workers are those given: nobody was replaced.
func (s *server) same(workers []member) {
	s.t.Helper()
	now := s.ready()
	for i := range workers {
		if len(now) != len(workers) || now[i].Pid != workers[i].Pid {
			s.t.Errorf("the workers were %+v and are %+v", workers, now)
			return
		}
	}
}

// loadAs is load with options of its own; Target, and what else is zero, is as usual.
func (s *server) loadAs(user string, o load.Options) *traffic {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tr := &traffic{t: s.t, cancel: cancel}
	o.Target, o.Retransmit = "sip:"+user+"@"+s.sip, true
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	tr.done.Go(func() { tr.report, tr.err = load.Run(ctx, o) })
	s.t.Cleanup(cancel)
	return tr
}

// nearly fails the test unless every call was answered, all but so many as they should
// be, and the others with one of the statuses that a fault of the server may have.
func nearly(t *testing.T, r load.Report, status, others int) {
	t.Helper()
	wrong := r.Sent - r.Answered[status]
	if r.Sent == 0 || r.Lost > 0 || wrong > others || r.Answered[500]+r.Answered[503] != wrong {
		t.Errorf("of %d calls %v, lost %d; want %d for all but %d, and none lost", r.Sent, r.Answered, r.Lost, status, others)
	}
}

// slots gives the server so many workers instead of two.
func slots(n int) setup {
	return func(s *server) {
		name := filepath.Join(s.dir, "dialyard.yaml")
		text, err := os.ReadFile(name)
		s.must(err)
		s.must(os.WriteFile(name, bytes.Replace(text, []byte("workers: {count: 2}"), fmt.Appendf(nil, "workers: {count: %d}", n), 1), 0o600))
	}
}

// children are the processes that the server has started: all workers, also those for
// suspects.
func (s *server) children() (pids []int) {
	s.t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	s.must(err)
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // the thread may have ended
		for _, field := range strings.Fields(string(text)) {
			pids = append(pids, number(s.t, field))
		}
	}
	if len(pids) == 0 {
		s.t.Fatal("the server has no workers that can be seen")
	}
	return pids
}
