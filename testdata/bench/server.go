package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

// dialled is the number which the generator calls: the plans have it end at their second carrier.
const dialled = "00441632960100"

// The plans of the bench, by what they do with the call.
const (
	planRedirect = "main"
	planDial     = "dialled"
)

//go:embed plans
var plans embed.FS

// calleeInPlan stands in the plans for the callee's address, which only an execution knows.
const calleeInPlan = "127.0.0.1:5070"

// server is one `dialyard serve`.
type server struct {
	daemon
	plan string
	http string // host:port
}

// startServer starts the binary on free ports, with all calls going to the plan, and waits until it is
// ready. The caller stops it.
func startServer(ctx context.Context, binary, plan string) (*server, error) {
	d, err := newDaemon(binary)
	if err != nil {
		return nil, err
	}
	s := &server{daemon: d, plan: plan}
	if err := s.start(ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("start %s: %w", s.binary, err)
	}
	return s, nil
}

func (s *server) start(ctx context.Context) error {
	if err := s.prepare(); err != nil {
		return err
	}
	return s.run(ctx, s.ready, "serve", "--config", filepath.Join(s.dir, "dialyard.yaml"))
}

// prepare writes the plans and the configuration.
func (s *server) prepare() (err error) {
	if s.sip, err = freePort(); err != nil {
		return err
	}
	if s.http, err = freePort(); err != nil {
		return err
	}
	if s.plan == planDial {
		if s.callee, err = freePort(); err != nil {
			return err
		}
	}
	if err := s.writePlans(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "dialyard.yaml"), []byte(s.config()), 0o600)
}

// writePlans copies the plans, with the callee's address in them.
func (s *server) writePlans() error {
	return fs.WalkDir(plans, "plans", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(s.dir, filepath.FromSlash(path))
		if entry.IsDir() {
			return os.Mkdir(to, 0o700)
		}
		text, err := plans.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, bytes.ReplaceAll(text, []byte(calleeInPlan), []byte(s.callee)), 0o600)
	})
}

// config routes every call to the one plan and lifts the limits of its account; that of
// storms has the usual ones.
func (s *server) config() string {
	return fmt.Sprintf(`sip:
  listen: ["udp://%[1]s", "tcp://%[1]s"]
http:
  listen: %[2]q
data:
  dir: %[3]q
plans:
  dir: %[4]q
accounts:
  - {name: storm, runs: 5, rate: 50, load: 0.5}
routes:
  - {match: {user: storm}, account: storm, plan: main}
  - account: bench
    plan: %[5]s
limits:
  runs: 0
  rate: 0
log:
  level: warn
`, s.sip, s.http, filepath.Join(s.dir, "data"), filepath.Join(s.dir, "plans"), s.plan)
}

func (s *server) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.http+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}
