package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kill sends a signal to one worker process.
func (s *server) kill(w member, sig syscall.Signal) {
	s.t.Helper()
	if w.Pid <= 1 { // or the signal would go to this process's group
		s.t.Fatalf("worker %s has the pid %d", w.ID, w.Pid)
	}
	s.must(syscall.Kill(w.Pid, sig))
}

func TestWorkersKilledUnderLoadCostNoCall(t *testing.T) {
	s := startServer(t)
	calls := s.load("100", 200, 30*time.Second)
	slowest := time.Duration(0)
	for i := range 28 {
		time.Sleep(time.Second)
		ready := s.ready()
		if len(ready) == 0 {
			continue
		}
		victim := ready[i%len(ready)]
		s.kill(victim, syscall.SIGKILL)
		begun := time.Now()
		s.eventually(2*time.Second, "slot "+victim.ID+" is filled again", func() bool {
			for _, w := range s.ready() {
				if w.ID == victim.ID && w.Generation > victim.Generation {
					return true
				}
			}
			return false
		})
		slowest = max(slowest, time.Since(begun))
	}
	r := calls.wait()
	t.Logf("slowest replacement %v; answered %v, lost %d, %v", slowest, r.Answered, r.Lost, r.Latency)
	if r.Lost != 0 || 1000*r.Answered[302] < 999*r.Sent {
		t.Errorf("of %d calls %v, lost %d; want 99.9 %% right and none lost", r.Sent, r.Answered, r.Lost)
	}
	s.eventually(5*time.Second, "a record for each call", func() bool { return len(s.records()) == r.Sent })
	for _, record := range s.records() {
		if record.Attempts > 2 {
			t.Errorf("call %s ran %d times", record.CallID, record.Attempts)
		}
	}
}

func TestAStoppedWorkerIsReplaced(t *testing.T) {
	s := startServer(t)
	calls := s.load("100", 100, 20*time.Second)
	time.Sleep(time.Second)
	victim := s.ready()[0]
	s.kill(victim, syscall.SIGSTOP)
	defer syscall.Kill(victim.Pid, syscall.SIGKILL) // should the server leave it
	stopped := time.Now()
	s.eventually(3500*time.Millisecond, "no new calls go to it", func() bool {
		for _, w := range s.ready() {
			if w.Pid == victim.Pid {
				return false
			}
		}
		return true
	})
	s.eventually(15*time.Second-time.Since(stopped), "it is replaced", func() bool {
		ready := s.ready()
		return len(ready) == 2 && ready[0].Pid != victim.Pid && ready[1].Pid != victim.Pid
	})
	t.Logf("replaced after %v", time.Since(stopped))
	r := calls.wait()
	onlyStatus(t, r, 302)
	if r.Latency.Max > 5*time.Second {
		t.Errorf("a call waited %v for the stopped worker", r.Latency.Max)
	}
	if !strings.Contains(s.logText(), "no heartbeat for") {
		t.Error("the log does not say why the worker was replaced")
	}
}

func TestALeakingPlanCostsNoCall(t *testing.T) {
	s := startServer(t, withFaults, plan("leak", `fault.leak(400000) call:redirect("sip:1@gw.example.net")`))
	first := s.ready()
	calls := s.load("plan-leak", 100, 15*time.Second)
	s.eventually(14*time.Second, "both workers are replaced", func() bool {
		for _, w := range s.ready() {
			for _, old := range first {
				if w.Pid == old.Pid {
					return false
				}
			}
			if !strings.Contains(w.Reason, "memory: rss") {
				return false
			}
		}
		return true
	})
	onlyStatus(t, calls.wait(), 302)
	for _, file := range []string{"worker.json", "runs.json", "heap.pprof", "goroutines.txt"} {
		kept, _ := filepath.Glob(filepath.Join(s.dir, "data", "dumps", "*", file))
		if len(kept) < 2 {
			t.Errorf("%d times evidence %s of two recycled workers", len(kept), file)
		}
	}
	log := s.logText()
	if !strings.Contains(log, "memory: rss") || strings.Contains(log, "signal: killed") || strings.Contains(log, "out of memory") {
		t.Error("the log does not show a gentle replacement for memory")
	}
	if text := s.metrics(); !strings.Contains(text, `dialyard_worker_changes_total{state="draining",why="memory"}`) {
		t.Error("the metrics do not say why workers were replaced")
	}
}

func TestAHangingEngineIsReplaced(t *testing.T) {
	s := startServer(t, withFaults, plan("hang", `fault.hang()`))
	good := s.load("100", 50, 18*time.Second)
	if a := s.call("plan-hang"); a.Status != 500 {
		t.Errorf("the hanging plan's caller heard %d, want 500", a.Status)
	}
	s.eventually(5*time.Second, "the worker is ended", func() bool { return strings.Contains(s.logText(), "hang: 1 runs do not end") })
	onlyStatus(t, good.stop(), 302)
}

func TestAPlanThatEndsItsWorkerTwiceIsGivenUp(t *testing.T) {
	s := startServer(t, withFaults, plan("exit", `fault.exit()`), plan("late", `call:ring() for i = 1, 2e6 do end fault.exit()`))
	if a := s.call("plan-exit"); a.Status != 500 || !strings.Contains(a.Get("Warning"), "interrupted") {
		t.Errorf("answered %d %q", a.Status, a.Get("Warning"))
	}
	if a := s.call("plan-late"); a.Status != 500 {
		t.Errorf("after an effect: answered %d, want 500", a.Status)
	}
	s.eventually(2*time.Second, "two records", func() bool { return len(s.records()) == 2 })
	for _, r := range s.records() {
		if r.Plan == "exit" && r.Attempts != 2 || r.Plan == "late" && r.Attempts != 1 {
			t.Errorf("plan %s ran %d times", r.Plan, r.Attempts)
		}
	}
}

func TestAKilledDispatcherLeavesNothing(t *testing.T) {
	s := startServer(t)
	workers := s.workers()
	s.must(s.cmd.Process.Kill())
	<-s.exited
	s.eventually(3*time.Second, "its workers are gone", func() bool {
		for _, w := range workers {
			if syscall.Kill(w.Pid, 0) == nil {
				return false
			}
		}
		return true
	})
	s.start()
	s.waitReady()
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("after the restart: %d, want 302", a.Status)
	}
}

func TestARecycleUnderLoadLosesNothing(t *testing.T) {
	s := startServer(t)
	calls := s.load("100", 500, 6*time.Second)
	for _, id := range []string{"w1", "w2"} {
		if out, status := s.run("workers", "recycle", id, "--reason", "test"); status != 0 {
			t.Fatal(out)
		}
		s.eventually(3*time.Second, id+" has a successor", func() bool {
			for _, w := range s.ready() {
				if w.ID == id && w.Generation == 2 && strings.Contains(w.Reason, "operator: test") {
					return true
				}
			}
			return false
		})
	}
	if out, status := s.run("workers", "drain", "w1"); status != 0 {
		t.Fatal(out)
	}
	onlyStatus(t, calls.wait(), 302)
}

func TestDeadWorkersLeaveTheirLastWords(t *testing.T) {
	s := startServer(t)
	s.kill(s.ready()[0], syscall.SIGABRT)
	s.eventually(3*time.Second, "a dump", func() bool {
		dumps, _ := filepath.Glob(filepath.Join(s.dir, "data", "dumps", "*", "stderr.txt"))
		if len(dumps) == 0 {
			return false
		}
		text, err := os.ReadFile(dumps[0])
		return err == nil && strings.Contains(string(text), "goroutine")
	})
}
