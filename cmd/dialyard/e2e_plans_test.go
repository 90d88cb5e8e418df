package main_test

import (
	"strings"
	"testing"
	"time"
)

func TestPublishAndRollbackUnderLoad(t *testing.T) {
	s := startServer(t)
	calls := s.load("100", 200, 8*time.Second)
	s.write("new.lua", `call:reject(403, "Closed")`)
	if out, status := s.run("publish", "test/main", "new.lua"); status != 0 || !strings.Contains(out, "version 2 is live") {
		t.Fatalf("exit %d: %s", status, out)
	}
	s.eventually(time.Second, "the new version decides", func() bool { return s.call("100").Status == 403 })
	if out, status := s.run("rollback", "test/main"); status != 0 || !strings.Contains(out, "version 1 is live") {
		t.Fatalf("exit %d: %s", status, out)
	}
	s.eventually(time.Second, "the old version decides", func() bool { return s.call("100").Status == 302 })
	r := calls.wait()
	if r.Answered[302]+r.Answered[403] != r.Sent || r.Answered[403] == 0 {
		t.Errorf("of %d calls: %v, lost %d", r.Sent, r.Answered, r.Lost)
	}
	out, _ := s.run("versions", "test/main")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || !strings.Contains(out, "live") {
		t.Errorf("versions:\n%s", out)
	}
}

func TestAPlanThatDoesNotCompileChangesNothing(t *testing.T) {
	s := startServer(t)
	s.write("bad.lua", "local a = 1\nif a then\n  call:reject(403\nend\n")
	out, status := s.run("publish", "test/main", "bad.lua")
	if status != 1 || !strings.Contains(out, "main.lua:4") || !strings.Contains(out, "^") {
		t.Errorf("exit %d:\n%s", status, out)
	}
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("the next call was answered %d, want 302 as before", a.Status)
	}
	if out, status := s.run("check", "bad.lua"); status != 1 || !strings.Contains(out, "main.lua:4") {
		t.Errorf("check: exit %d:\n%s", status, out)
	}
	if out, status := s.run("rollback", "test/none"); status != 1 || !strings.Contains(out, "test/none") {
		t.Errorf("rollback of no plan: exit %d: %s", status, out)
	}
}

func TestAnUploadOutlivesARestart(t *testing.T) {
	s := startServer(t)
	s.write("new.lua", `call:reject(403)`)
	if out, status := s.run("publish", "test/main", "new.lua"); status != 0 {
		t.Fatal(out)
	}
	s.must(s.cmd.Process.Kill())
	<-s.exited
	s.start()
	s.waitReady()
	if a := s.call("100"); a.Status != 403 {
		t.Errorf("after the restart: %d, want 403", a.Status)
	}
}

func TestThePlanDirectoryIsWatched(t *testing.T) {
	s := startServer(t)
	s.write("plans/test/main/main.lua", "call:reject(")
	s.eventually(3*time.Second, "a word on the bad plan", func() bool { return strings.Contains(s.logText(), "plan not taken") })
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("with a bad file: %d, want 302 as before", a.Status)
	}
	s.write("plans/test/main/main.lua", "call:reject(410)")
	s.eventually(3*time.Second, "the changed file decides", func() bool { return s.call("100").Status == 410 })
	s.write("plans/test/fresh/main.lua", "call:reject(486)")
	s.eventually(3*time.Second, "a new plan is known", func() bool {
		out, _ := s.run("versions", "test/fresh")
		return strings.Contains(out, "live")
	})
}
