package main_test

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// TestAWorkerThatDiesAtABundle: it ends when it would ask for a plan that it has not
// got. Both tries of the call end so; nobody else's does.
func TestAWorkerThatDiesAtABundle(t *testing.T) {
	t.Parallel()
	s := startServer(t, withFaults, plan("new", pure), plan("newer", pure))
	s.failing("bundle exit")
	for _, victim := range s.ready() {
		s.kill(victim, syscall.SIGTERM)
		s.refilled(victim, 6*time.Second)
	}
	good := s.load("100", 20, 4*time.Second) // which the workers have not got either
	if a := s.call("plan-new"); a.Status != 500 && a.Status != 302 {
		t.Errorf("answered %d, want 500, or 302 of a worker for suspects", a.Status)
	}
	s.failing("")
	good.wait()
	s.eventually(9*time.Second, "all workers are sound", func() bool { return len(s.ready()) == 2 })
	s.eventually(9*time.Second, "calls are served", func() bool { return s.call("plan-newer").Status == 302 })
}

// TestAWorkerThatDiesWhileItDrains: a run waits for an answer that takes its time, its
// worker is replaced, and killed before the run has ended. It had no effect yet, so it
// runs again.
func TestAWorkerThatDiesWhileItDrains(t *testing.T) {
	t.Parallel()
	url, allow := directory(t, func(http.ResponseWriter, *http.Request) { time.Sleep(1500 * time.Millisecond) })
	s := startServer(t, allow, slots(1), plan("slow", `http.get("`+url+`") call:redirect("sip:1@gw.example.net")`))
	answered := make(chan int, 1)
	go func() { answered <- s.call("plan-slow").Status }()
	time.Sleep(300 * time.Millisecond)
	victim := s.ready()[0]
	if out, status := s.run("workers", "recycle", victim.ID); status != 0 {
		t.Fatal(out)
	}
	s.eventually(1200*time.Millisecond, "it drains", func() bool {
		for _, w := range s.workers() {
			if w.Pid == victim.Pid && w.State == "draining" {
				return true
			}
		}
		return false
	})
	s.kill(victim, syscall.SIGKILL)
	select {
	case status := <-answered:
		if status != 302 {
			t.Errorf("answered %d, want 302", status)
		}
	case <-time.After(9 * time.Second):
		t.Fatal("the call was forgotten")
	}
	s.eventually(2*time.Second, "its record", func() bool { return len(s.records()) == 1 })
	if r := s.records()[0]; r.Attempts != 2 {
		t.Errorf("the call ran %d times, want 2", r.Attempts)
	}
}
