package main_test

import (
	"syscall"
	"testing"
	"time"
)

// pausesFor is how long the calls of these tests wait before anything more happens to
// them: long enough that it does so after the fault.
const pausesFor = 10 * time.Second

// TestCallsSurviveTheDispatcher kills the server while a crowd of calls is answered or
// rings, and starts it again. Nobody may notice, but for those whom the lost script
// had to tell what becomes of their call.
func TestCallsSurviveTheDispatcher(t *testing.T) {
	n := full(t) / 10
	c := newCrowd(t, 4*time.Second,
		&group{plan: "talks", calls: 4 * n, caller: "survive_uac_talks", waits: pausesFor, callee: "survive_uas_talks",
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "hung-up", calls: 4 * n, caller: "survive_uac_listens", callee: "survive_uas_hangs_up", rests: pausesFor,
			status: 200, endedBy: "callee", statuses: "200"},
		&group{plan: "limited", dial: "max = 12", calls: 2 * n, caller: "survive_uac_hears_bye", callee: "survive_uas_hears_bye",
			status: 200, endedBy: "system", statuses: "200"},
		&group{plan: "answers", calls: 4 * n, caller: "survive_uac_hangs_up", waits: time.Second, callee: "survive_uas_hears_bye", rests: pausesFor,
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "refuses", calls: 2 * n, caller: "survive_uac_loses", callee: "survive_uas_refuses", rests: pausesFor,
			status: 500, endedBy: "system", statuses: "486"},
		&group{plan: "gives-up", calls: 2 * n, caller: "survive_uac_gives_up", waits: pausesFor, callee: "dial_uas_cancelled",
			status: 487, endedBy: "caller", statuses: "487"},
		&group{plan: "never", dial: "timeout = 12", calls: 2 * n, caller: "survive_uac_loses", callee: "dial_uas_cancelled",
			status: 500, endedBy: "system", statuses: "408"},
	)
	s := startServer(t, c.plans)
	c.call(s)
	killed := time.Now()
	s.crash()
	s.start()
	s.waitReady()
	t.Logf("killed and ready again %v later", time.Since(killed).Round(time.Millisecond))
	answered, ringing := c.expected()
	if all := s.metrics(); gauge(all, "dialyard_restored_calls_total") != answered+ringing {
		t.Errorf("%d calls were taken back, want %d", gauge(all, "dialyard_restored_calls_total"), answered+ringing)
	}
	c.end(s)
}

// TestCallsSurviveTheirWorkers kills each worker while a crowd of calls is answered or
// rings. The dials go on without their scripts; those that fail end at the fallback
// target of the account.
func TestCallsSurviveTheirWorkers(t *testing.T) {
	n := full(t) / 10
	voicemail := newCallee(t, "survive_uas_hears_bye", (&group{calls: 4 * n}).times(0)...)
	c := newCrowd(t, 4*time.Second,
		&group{plan: "talks", calls: 5 * n, caller: "survive_uac_talks", waits: pausesFor, callee: "survive_uas_talks",
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "hung-up", calls: 5 * n, caller: "survive_uac_listens", callee: "survive_uas_hangs_up", rests: pausesFor,
			status: 200, endedBy: "callee", statuses: "200"},
		&group{plan: "answers", calls: 4 * n, caller: "survive_uac_hangs_up", waits: time.Second, callee: "survive_uas_hears_bye", rests: pausesFor,
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "refuses", calls: 2 * n, caller: "survive_uac_hangs_up", waits: time.Second, callee: "survive_uas_refuses", rests: pausesFor,
			status: 200, endedBy: "caller", statuses: "486 200"},
		&group{plan: "never", dial: "timeout = 12", calls: 2 * n, caller: "survive_uac_hangs_up", waits: time.Second, callee: "dial_uas_cancelled",
			status: 200, endedBy: "caller", statuses: "408 200"},
		&group{plan: "gives-up", calls: 2 * n, caller: "survive_uac_gives_up", waits: pausesFor, callee: "dial_uas_cancelled",
			status: 487, endedBy: "caller", statuses: "487"},
	)
	s := startServer(t, c.plans, settings(`accounts: [{name: test, fallback: "`+voicemail.uri()+`"}]`))
	c.call(s)
	for _, victim := range s.ready() {
		s.kill(victim, syscall.SIGKILL)
		s.eventually(3*time.Second, "slot "+victim.ID+" is filled again", func() bool {
			for _, w := range s.ready() {
				if w.ID == victim.ID && w.Generation > victim.Generation {
					return true
				}
			}
			return false
		})
	}
	t.Logf("both workers killed and replaced after %v", c.since())
	if runs := gauge(s.metrics(), "dialyard_runs"); runs > 0 {
		t.Errorf("%d runs are left of workers that are dead", runs)
	}
	c.end(s)
	voicemail.wait()
	if n := len(voicemail.talks()); n != c.groups[3].calls+c.groups[4].calls {
		t.Errorf("the fallback target had %d calls", n)
	}
}

// crash ends the server as a fault of its own would. Its workers end with it, in their
// own time.
func (s *server) crash() {
	s.t.Helper()
	s.must(s.cmd.Process.Kill())
	<-s.exited
}
