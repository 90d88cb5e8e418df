package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// needTool skips a test where a program is absent, with a word; where tools are
// required, its absence is a failure.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("DIALYARD_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed, and DIALYARD_REQUIRE_TOOLS is set", name)
	}
	t.Skipf("%s is not installed", name)
}

// sipp runs one of our scenarios against the server.
func (s *server) sipp(scenario, user string, more ...string) {
	s.t.Helper()
	needTool(s.t, "sipp")
	path, err := filepath.Abs(filepath.Join("..", "..", "testdata", "sipp", scenario+".xml"))
	s.must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	args := append([]string{s.sip, "-sf", path, "-s", user, "-i", "127.0.0.1", "-nostdin", "-timeout", "50s", "-timeout_error"}, more...)
	cmd := exec.CommandContext(ctx, "sipp", args...)
	cmd.Dir = s.t.TempDir()
	cmd.Env = append(os.Environ(), "TERM=dumb")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Errorf("sipp %s: %v\n%s", scenario, err, out[max(0, len(out)-3000):])
	}
}

func TestSippRedirects(t *testing.T) {
	s := startServer(t)
	s.sipp("redirect", "100", "-m", "5000", "-r", "500")
	s.eventually(3*time.Second, "a record for each call", func() bool { return len(s.records()) == 5000 })
}

func TestSippRejects(t *testing.T) {
	s := startServer(t, plan("no", `call:reject(403, "Not from here")`))
	s.sipp("reject", "plan-no", "-m", "5000", "-r", "500")
}

func TestSippCancels(t *testing.T) {
	s := startServer(t, plan("ring", `call:ring() while true do end`))
	s.sipp("cancel", "plan-ring", "-m", "40", "-r", "20")
	for _, r := range s.records() {
		if r.Status != 487 || r.EndedBy != "caller" {
			t.Errorf("call %s: %d, ended by %s", r.CallID, r.Status, r.EndedBy)
		}
	}
}

func TestSippProbes(t *testing.T) {
	s := startServer(t)
	token, status := s.run("probe", "--token")
	if status != 0 {
		t.Fatal(token)
	}
	token = strings.TrimSpace(token)
	s.sipp("probe", "health", "-m", "1", "-key", "token", token)
	s.sipp("probe_refused", "health", "-m", "1", "-key", "token", token)
}
