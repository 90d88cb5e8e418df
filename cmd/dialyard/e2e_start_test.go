package main_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// refused starts a server that must not start and returns its words and status.
func refused(t *testing.T, s *server) (log string, status int) {
	t.Helper()
	s.start()
	select {
	case <-s.exited:
	case <-time.After(20 * time.Second):
		t.Fatal("the server neither started nor said why")
	}
	return s.logText(), s.cmd.ProcessState.ExitCode()
}

func TestFaultsAtStartAreSaidAndCounted(t *testing.T) {
	for name, c := range map[string]struct {
		server *server
		status int
		words  []string
	}{
		"syntax error in a plan": {
			newServer(t, plan("bad", "local x = = 1\n")), 1, []string{"test/bad", "main.lua:1:11", "^"},
		},
		"unknown key": {
			newServer(t, settings("sipp: {}")), 2, []string{"dialyard.yaml:", "sipp", "sip"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			log, status := refused(t, c.server)
			if status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			for _, w := range c.words {
				if !strings.Contains(log, w) {
					t.Errorf("its words lack %q:\n%s", w, log)
				}
			}
		})
	}
}

func TestAPortInUseIsSaid(t *testing.T) {
	taken := startServer(t)
	s := newServer(t, func(s *server) {
		s.write("dialyard.yaml", "sip: {listen: [\"udp://"+taken.sip+"\"]}\nplans: {dir: plans}\n")
	})
	log, status := refused(t, s)
	if status != 1 || !strings.Contains(log, taken.sip) || !strings.Contains(log, "address already in use") {
		t.Errorf("exit %d:\n%s", status, log)
	}
}

func TestAnUnreadablePlanDirectoryIsSaid(t *testing.T) {
	s := newServer(t)
	s.write("dialyard.yaml", "plans: {dir: nowhere}\n")
	log, status := refused(t, s)
	if status != 1 || !strings.Contains(log, "plans.dir") || !strings.Contains(log, "nowhere") {
		t.Errorf("exit %d:\n%s", status, log)
	}
}

func TestTwoServersDoNotShareADataDirectory(t *testing.T) {
	first := startServer(t)
	second := newServer(t, settings("data: {dir: \""+first.dir+"/data\"}"))
	if log, status := refused(t, second); status != 1 || !strings.Contains(log, "in use by another dialyard") {
		t.Errorf("exit %d:\n%s", status, log)
	}
}

func TestAReloadBeforeItIsReadyEndsNothing(t *testing.T) {
	s := newServer(t)
	s.start()
	s.eventually(5*time.Second, "it has begun", func() bool { return strings.Contains(s.logText(), "starting") })
	s.must(s.cmd.Process.Signal(syscall.SIGHUP))
	s.waitReady()
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("answered %d, want 302", a.Status)
	}
}

// TestTimersAreLoose in the server, which starts once more for it, and in its workers.
func TestTimersAreLoose(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	pids := []int{s.cmd.Process.Pid}
	for _, w := range s.ready() {
		pids = append(pids, w.Pid)
	}
	for _, pid := range pids {
		slack, err := os.ReadFile(fmt.Sprintf("/proc/%d/timerslack_ns", pid))
		if errors.Is(err, os.ErrPermission) {
			t.Skip(err) // CAP_SYS_NICE is needed to see it
		}
		s.must(err)
		if strings.TrimSpace(string(slack)) != "300000" {
			t.Errorf("process %d has a timer slack of %s ns", pid, slack)
		}
	}
}
