package main_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
)

// everyEnd is a small crowd whose calls end in every way there is, after a pause.
func everyEnd(t *testing.T, pause time.Duration) *crowd {
	t.Helper()
	ring := fmt.Sprintf("timeout = %v", pause.Seconds()+1)
	return newCrowd(t, time.Second,
		&group{plan: "talks", calls: 10, caller: "survive_uac_talks", waits: pause, callee: "survive_uas_talks",
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "hung-up", calls: 10, caller: "survive_uac_listens", callee: "survive_uas_hangs_up", rests: pause,
			status: 200, endedBy: "callee", statuses: "200"},
		&group{plan: "answers", calls: 10, caller: "survive_uac_hangs_up", waits: time.Second, callee: "survive_uas_hears_bye", rests: pause,
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "refuses", calls: 10, caller: "survive_uac_loses", callee: "survive_uas_refuses", rests: pause,
			status: 500, endedBy: "system", statuses: "486"},
		&group{plan: "gives-up", calls: 10, caller: "survive_uac_gives_up", waits: pause, callee: "dial_uas_cancelled",
			status: 487, endedBy: "caller", statuses: "487"},
		&group{plan: "never", dial: ring, calls: 10, caller: "survive_uac_loses", callee: "dial_uas_cancelled",
			status: 500, endedBy: "system", statuses: "408"},
	)
}

// TestCallsSurviveCrashAfterCrash kills the server again and again, also while it
// starts: before it has taken its calls back, in the midst of it, and after.
func TestCallsSurviveCrashAfterCrash(t *testing.T) {
	t.Parallel()
	c := everyEnd(t, 12*time.Second)
	s := startServer(t, c.plans)
	c.call(s)
	s.crash()
	for _, d := range []time.Duration{1, 5, 20, 50, 100, 150, 200, 300} {
		s.start()
		time.Sleep(d * time.Millisecond)
		s.crash()
	}
	for range 2 {
		s.start()
		s.waitReady()
		s.crash()
	}
	s.start()
	s.waitReady()
	t.Logf("killed eleven times and ready after %v", c.since())
	c.end(s)
}

// TestADrainLeavesAnsweredCallsToTheNext: a server that is told to end waits for what
// rings and leaves the answered calls to the one that is started after it.
func TestADrainLeavesAnsweredCallsToTheNext(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, time.Second,
		&group{plan: "talks", calls: 20, caller: "survive_uac_talks", waits: 10 * time.Second, callee: "survive_uas_talks",
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "hung-up", calls: 20, caller: "survive_uac_listens", callee: "survive_uas_hangs_up", rests: 10 * time.Second,
			status: 200, endedBy: "callee", statuses: "200"},
		&group{plan: "answers", calls: 20, caller: "survive_uac_hangs_up", waits: 8 * time.Second, callee: "survive_uas_hears_bye", rests: 4 * time.Second,
			status: 200, endedBy: "caller", statuses: "200"},
	)
	s := startServer(t, c.plans)
	c.call(s)
	s.must(s.cmd.Process.Signal(syscall.SIGTERM))
	s.eventually(time.Second, "it is not ready for new calls", func() bool {
		res, err := http.Get("http://" + s.web + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusServiceUnavailable
	})
	select {
	case <-s.exited:
	case <-time.After(8 * time.Second):
		t.Fatal("the server did not end when all calls were answered")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the drained server ended with status %d", code)
	}
	t.Logf("drained after %v", c.since())
	s.start()
	s.waitReady()
	if n := gauge(s.metrics(), "dialyard_restored_calls_total"); n != 60 {
		t.Errorf("%d calls were taken over, want 60", n)
	}
	c.end(s)
}

// TestAnAnswerNobodyWaitsForIsHungUp: the callee answers a server that has forgotten
// the call.
func TestAnAnswerNobodyWaitsForIsHungUp(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "survive_uas_unknown", "-d", "4000")
	s := startServer(t, dials("dial", callee.uri()))
	s.dial("survive_uac_loses", "dial")
	s.eventually(5*time.Second, "it rings", func() bool { return len(callee.sent("SIP/2.0 180")) > 0 })
	s.crash()
	s.forgetCalls()
	s.start()
	s.waitReady()
	callee.wait()
	if all := s.metrics(); gauge(all, "dialyard_stray_answers_total") < 1 || gauge(all, "dialyard_restored_calls_total") != 0 {
		t.Error("the answer was not that of an unknown call")
	}
	s.empty()
}

// forgetCalls takes away what the store knows of calls.
func (s *server) forgetCalls() {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "data", "calls.db*"))
	s.must(err)
	if len(files) == 0 {
		s.t.Fatal("there is no calls.db")
	}
	for _, f := range files {
		s.must(os.Remove(f))
	}
}

// TestADamagedCallsFileStopsNobody: the server says that calls are lost, keeps the
// file for whoever wants to look into it, and takes calls.
func TestADamagedCallsFileStopsNobody(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(file []byte) []byte{
		"no database": func([]byte) []byte { return []byte(strings.Repeat("no database\n", 1000)) },
		"cut off":     func(file []byte) []byte { return file[:len(file)/2] },
		"overwritten": func(file []byte) []byte {
			for i := 4096; i < len(file); i++ {
				file[i] = 0xff
			}
			return file
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t, time.Second, &group{plan: "dial", calls: 20, caller: "survive_uac_hears_bye", callee: "survive_uas_hears_bye", status: 200})
			s := startServer(t, c.plans, plan("after", `call:reject(404)`))
			c.call(s)
			s.must(s.cmd.Process.Signal(syscall.SIGTERM))
			<-s.exited
			path := filepath.Join(s.dir, "data", "calls.db")
			file, err := os.ReadFile(path)
			s.must(err)
			s.forgetCalls()
			s.must(os.WriteFile(path, damage(file), 0o600))
			s.start()
			s.waitReady()
			if !strings.Contains(s.logText(), "calls of an earlier process are lost") {
				t.Error("the log does not say that calls are lost")
			}
			if aside, _ := filepath.Glob(filepath.Join(s.dir, "data", "calls.db*damaged*")); len(aside) == 0 {
				all, _ := filepath.Glob(filepath.Join(s.dir, "data", "*"))
				t.Errorf("the damaged file was not set aside: %v", all)
			}
			if a := s.call("plan-after"); a.Status != 404 {
				t.Errorf("a new call: %d, want 404", a.Status)
			}
		})
	}
}

// TestACrashAmongShortCalls kills the server while calls begin and end all the time.
// Those that were connected are hung up once and have one record, also if they ended
// just before or were being written down.
func TestACrashAmongShortCalls(t *testing.T) {
	t.Parallel()
	answer := freePort(t, "udp")
	s := startServer(t, dials("dial", "sip:callee@"+answer))
	var report load.Report
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		report, err = load.Run(context.Background(), load.Options{
			Target: "sip:plan-dial@" + s.sip, Rate: 100, Duration: 8 * time.Second, Timeout: 6 * time.Second, Retransmit: true,
			Answer: "udp://" + answer, Hold: 500 * time.Millisecond,
		})
	}()
	for range 3 {
		time.Sleep(1500 * time.Millisecond)
		s.crash()
		s.start()
		s.waitReady()
	}
	<-done
	s.must(err)
	t.Logf("answered %v, lost %d, %+v", report.Answered, report.Lost, *report.Dialled)
	time.Sleep(200 * time.Millisecond) // the last records are written within 100 ms
	ids, calls := map[string]int{}, map[string]int{}
	for _, r := range s.records() {
		ids[r.ID]++
		calls[r.CallID]++
		if r.Status != 200 || ids[r.ID] > 1 || calls[r.CallID] > 1 {
			t.Errorf("call %s: %d, %d records", r.CallID, r.Status, ids[r.ID])
		}
	}
	if n := report.Answered[200]; n > len(calls) || n+report.Lost < len(calls) {
		t.Errorf("%d calls were answered, %d lost, and there are %d records", n, report.Lost, len(calls))
	}
	if d := report.Dialled; d.Stranded > 0 || d.DoubleLegs > report.Lost {
		t.Errorf("stranded %d, double legs %d", d.Stranded, d.DoubleLegs)
	}
	s.empty()
}
