package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/journal"
)

// events asks for the history as the command line does.
func (s *server) events(args ...string) (list []journal.Event) {
	s.t.Helper()
	out, status := s.run(append([]string{"events", "--json", "--limit", "2000"}, args...)...)
	if status != 0 {
		s.t.Fatalf("events: status %d\n%s", status, out)
	}
	s.must(json.Unmarshal([]byte(out), &list))
	return list
}

// tale is what happened to subjects that begin so, in few words.
func tale(list []journal.Event, subject string) string {
	var words []string
	for _, e := range list {
		if strings.HasPrefix(e.Subject, subject) {
			words = append(words, string(e.Kind)+":"+e.What)
		}
	}
	return strings.Join(words, " ")
}

func (s *server) mustRun(args ...string) string {
	s.t.Helper()
	out, status := s.run(args...)
	if status != 0 {
		s.t.Fatalf("%v: status %d\n%s", args, status, out)
	}
	return out
}

// TestEveryDeathIsInTheHistory: a worker that is killed, and one that hangs, with the
// numbers behind it.
func TestEveryDeathIsInTheHistory(t *testing.T) {
	s := startServer(t)
	first := s.events()
	last := first[len(first)-1].Number
	if got := tale(first, "w1.1"); got != "worker:starting worker:probing verdict:trust worker:ready" {
		t.Errorf("the first worker's tale: %s", got)
	}
	if got := tale(first, "jail"); got != "front:jail" {
		t.Errorf("of the jail: %q", got)
	}
	crashed, victim := s.ready()[0], s.ready()[1]
	s.kill(crashed, syscall.SIGKILL)
	s.kill(victim, syscall.SIGSTOP)
	defer syscall.Kill(victim.Pid, syscall.SIGKILL) // should the server leave it
	hung := fmt.Sprintf("%s.%d", victim.ID, victim.Generation)
	s.eventually(20*time.Second, "the worker that hangs is killed and replaced", func() bool {
		return strings.HasSuffix(tale(s.events("--subject", hung), hung), "worker:down") && len(s.ready()) == 2
	})
	list := s.events("--subject", hung, "--after", fmt.Sprint(last), "--kind", "verdict")
	if len(list) < 2 || list[0].What != "stall" || list[0].Numbers["beat_age_seconds"] < 3 || list[0].Numbers["rss_bytes"] < 1<<20 {
		t.Errorf("why it was taken out: %+v", list)
	}
	if kill := list[len(list)-1]; kill.What != "kill" || kill.Numbers["beat_age_seconds"] < 9 || !strings.Contains(kill.Reason, "no heartbeat for") {
		t.Errorf("why it was killed: %+v", kill)
	}
	metrics := s.metrics()
	for _, line := range []string{`dialyard_verdicts_total{verdict="kill"} 1`, `dialyard_verdicts_total{verdict="stall"} 1`, `dialyard_events_total{kind="verdict",what="kill"} 1`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

func TestAnOperatorDisablesAndEnables(t *testing.T) {
	s := startServer(t)
	calls := s.load("100", 100, 8*time.Second)
	s.mustRun("workers", "disable", "1", "--reason", "ticket 12")
	s.eventually(5*time.Second, "the slot is empty", func() bool {
		w := s.workers()[0]
		return w.ID == "w1" && w.State == "disabled" && w.Pid == 0 && w.Reason == "operator: ticket 12"
	})
	if out, status := s.run("workers", "disable", "w2"); status != 1 || !strings.Contains(out, "no other worker is ready") {
		t.Errorf("the last: status %d, %s", status, out)
	}
	if code, text := s.request("POST", "/v1/workers/w2/disable", s.token(), ""); code != 409 {
		t.Errorf("the last: %d %s", code, text)
	}
	if code, text := s.request("POST", "/v1/workers/p1/disable", s.token(), ""); code != 404 {
		t.Errorf("one for suspects: %d %s", code, text)
	}
	if out, status := s.run("workers", "enable", "w2"); status != 1 || !strings.Contains(out, "not disabled") {
		t.Errorf("enabled twice: status %d, %s", status, out)
	}
	if code, text := s.request("POST", "/v1/workers/w1/enable?reason=mended&by=ann", s.token(), ""); code != 202 {
		t.Fatalf("enable: %d %s", code, text)
	}
	s.eventually(5*time.Second, "the slot is filled again", func() bool {
		list := s.ready()
		return len(list) == 2 && list[0].Generation == 2 && list[0].Reason == "operator: mended"
	})
	onlyStatus(t, calls.wait(), 302)
	list := s.events("--kind", "command")
	if got := tale(list, "w"); got != "command:disable command:enable" {
		t.Errorf("the commands were %s", got)
	}
	if list[0].Reason != "operator: ticket 12" || list[0].By == "" || list[1].By != "ann" {
		t.Errorf("the audit: %+v", list)
	}
	if !strings.Contains(s.logText(), `"command":"disable","subject":"w1","reason":"operator: ticket 12"`) {
		t.Error("the log does not have the command")
	}
}

func TestTheLastWorkerIsDisabledByForceOnly(t *testing.T) {
	s := startServer(t)
	s.mustRun("workers", "disable", "w1")
	s.mustRun("workers", "disable", "w2", "--force")
	s.eventually(3*time.Second, "calls are refused", func() bool { return s.call("100").Status == 503 })
	s.mustRun("workers", "enable", "w1")
	s.eventually(3*time.Second, "calls are taken", func() bool { return s.call("100").Status == 302 })
}

// TestTheServerEndsWithDisabledWorkers: what is empty needs no wait.
func TestTheServerEndsWithDisabledWorkers(t *testing.T) {
	s := startServer(t)
	s.mustRun("workers", "disable", "w1")
	s.eventually(3*time.Second, "the slot is empty", func() bool { return s.workers()[0].State == "disabled" })
	begun := time.Now()
	s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.exited
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v to end", took)
	}
}

func TestTheHistoryOutlivesAKilledServer(t *testing.T) {
	s := startServer(t)
	before := s.events()
	s.eventually(3*time.Second, "it is all in the file", func() bool {
		text, _ := os.ReadFile(filepath.Join(s.dir, "data", "events.jsonl"))
		return strings.Contains(string(text), fmt.Sprintf(`{"number":%d,`, before[len(before)-1].Number))
	})
	s.must(s.cmd.Process.Kill())
	<-s.exited
	s.start()
	s.waitReady()
	list := s.events()
	if len(list) <= len(before) || list[len(before)-1].Number != before[len(before)-1].Number {
		t.Fatalf("%d events before, %d after", len(before), len(list))
	}
	if e := list[len(before)]; e.What != "started" || e.Number <= before[len(before)-1].Number+1 {
		t.Errorf("the next is %+v; numbers leap after a kill", e)
	}
	s.stop()
	s.start()
	s.waitReady()
	again := s.events("--after", fmt.Sprint(list[len(list)-1].Number))
	if !strings.Contains(tale(again, "front"), "front:stopped front:started") {
		t.Errorf("after an orderly end: %s", tale(again, "front"))
	}
	for i := 1; i < len(again); i++ {
		if again[i].Number != again[i-1].Number+1 {
			t.Errorf("after %d comes %d", again[i-1].Number, again[i].Number)
		}
	}
}

// TestEventsAreFollowed through a publish, a reload and the end.
func TestEventsAreFollowed(t *testing.T) {
	s := startServer(t)
	cmd := exec.Command(s.program, "events", "--follow", "--json", "--kind", "plan,config,front", "--limit", "1")
	cmd.Dir = s.dir
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.StdoutPipe()
	s.must(err)
	s.must(cmd.Start())
	lines := bufio.NewScanner(out)
	until := func(what string) (e journal.Event) {
		t.Helper()
		for lines.Scan() {
			e = journal.Event{}
			s.must(json.Unmarshal(lines.Bytes(), &e))
			if string(e.Kind)+":"+e.What == what {
				return e
			}
		}
		t.Fatalf("%s did not come; %s", what, errors.String())
		return e
	}
	until("front:ready")
	s.write("new.lua", pure+" -- new")
	s.mustRun("publish", "test/main", "new.lua")
	if e := until("plan:published"); e.Subject != "test/main@2" || e.By == "" {
		t.Errorf("%+v", e)
	}
	if e := until("plan:live"); e.Subject != "test/main@2" || e.Reason != "before: version 1" {
		t.Errorf("%+v", e)
	}
	s.mustRun("rollback", "test/main")
	until("plan:rolled back")
	s.must(s.cmd.Process.Signal(syscall.SIGHUP))
	if e := until("config:reloaded"); e.Reason != "nothing has changed" {
		t.Errorf("%+v", e)
	}
	s.write("dialyard.yaml", "nonsense: 1\n")
	s.must(s.cmd.Process.Signal(syscall.SIGHUP))
	if e := until("config:refused"); !strings.Contains(e.Reason, "nonsense") {
		t.Errorf("%+v", e)
	}
	s.must(s.cmd.Process.Signal(syscall.SIGTERM))
	for lines.Scan() {
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(errors.String(), "the server has ended") || !strings.Contains(errors.String(), "go on with --after") {
		t.Errorf("at the end: %v, %s", err, errors.String())
	}
}

func TestQuarantineByCommand(t *testing.T) {
	s := startServer(t, withFaults, plan("exit", `fault.exit()`))
	if out := s.mustRun("quarantine"); !strings.Contains(out, "nothing is held") {
		t.Errorf("before: %s", out)
	}
	s.call("plan-exit")
	s.eventually(3*time.Second, "the plan is guilty", func() bool {
		list := s.cases()
		return len(list) == 1 && list[0].Standing == blame.Guilty
	})
	if out := s.mustRun("quarantine", "list"); !strings.Contains(out, "test/exit@1") || !strings.Contains(out, "guilty") {
		t.Errorf("the list: %s", out)
	}
	if out := s.mustRun("versions", "test/exit"); !strings.Contains(out, "live, guilty: ") {
		t.Errorf("the versions: %s", out)
	}
	for _, bad := range [][]string{{"test/exit"}, {"test/exit@x"}, {"Test!/exit@1"}} {
		if out, status := s.run(append([]string{"quarantine", "release"}, bad...)...); status != 2 {
			t.Errorf("release %v: status %d, %s", bad, status, out)
		}
	}
	if out, status := s.run("quarantine", "release", "test/exit@2"); status != 1 || !strings.Contains(out, "nothing is held") {
		t.Errorf("release of an innocent: status %d, %s", status, out)
	}
	s.mustRun("quarantine", "release", "test/exit@1", "--reason", "mended")
	s.eventually(3*time.Second, "the history has it all", func() bool {
		list := s.events("--subject", "test/exit")
		text := tale(list, "test/exit@1")
		return strings.Contains(text, "quarantine:guilty") && strings.Contains(text, "command:release") && strings.HasSuffix(text, "quarantine:innocent") ||
			strings.Contains(text, "quarantine:innocent command:release")
	})
}

func TestTheWorkersFitATerminal(t *testing.T) {
	s := startServer(t)
	s.mustRun("workers", "recycle", "w1", "--reason", strings.Repeat("very long ", 15))
	s.eventually(5*time.Second, "w1 is replaced", func() bool { return len(s.ready()) == 2 && s.ready()[0].Generation == 2 })
	out := s.mustRun("workers", "--all")
	for line := range strings.Lines(out) {
		if n := len([]rune(strings.TrimSpace(line))); n > 160 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"WORKER", "WALLS", "w1.2", "w2.1", "p1.1", "very long", "…", " walls: "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if out := s.mustRun("workers"); strings.Contains(out, "p1.") {
		t.Errorf("a worker for suspects among the others:\n%s", out)
	}
}
