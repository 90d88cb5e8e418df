package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialyard/dispatcher/call"
)

// binary is the real program, built once for all end-to-end tests; faulty is the
// same with Lua functions that misbehave on purpose (build tag faults).
var binary, faulty string

func TestMain(m *testing.M) { os.Exit(withBinaries(m)) }

func withBinaries(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dialyard-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary, faulty = filepath.Join(dir, "dialyard"), filepath.Join(dir, "dialyard-faults")
	for out, tags := range map[string]string{binary: "", faulty: "faults"} {
		if text, err := build(tags, out); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, text)
			return 1
		}
	}
	return m.Run()
}

// build makes the program as `make build` does, without cgo.
func build(tags, out string) ([]byte, error) {
	cmd := exec.Command("go", "build", "-tags", tags, "-o", out, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return cmd.CombinedOutput()
}

// A server is a running `dialyard serve` with a configuration of its own.
type server struct {
	t        *testing.T
	program  string
	dir      string // its working directory, with dialyard.yaml
	sip, web string // host:port
	cmd      *exec.Cmd
	log      *os.File
	exited   chan struct{}
}

// A setup changes a server before it starts.
type setup func(*server)

// plan gives account "test" a plan.
func plan(name, source string) setup {
	return func(s *server) { s.write(filepath.Join("plans", "test", name, "main.lua"), source) }
}

// settings adds lines to the configuration.
func settings(yaml string) setup {
	return func(s *server) {
		path := filepath.Join(s.dir, "dialyard.yaml")
		old, err := os.ReadFile(path)
		s.must(err)
		s.must(os.WriteFile(path, append(old, yaml+"\n"...), 0o600))
	}
}

// withFaults uses the binary whose scripts may misbehave on purpose.
func withFaults(s *server) { s.program = faulty }

// pure is a plan as most are: a decision from the number, without effects before.
const pure = `call:redirect("sip:" .. call.to.user .. "@gw.example.net")`

// newServer prepares a server on free ports, with the plan test/main, and routes
// that give a user "plan-x" to the plan x and all others to main.
func newServer(t *testing.T, changes ...setup) *server {
	t.Helper()
	s := &server{t: t, program: binary, dir: t.TempDir(), sip: freePort(t, "udp"), web: freePort(t, "tcp")}
	s.write("dialyard.yaml", fmt.Sprintf(`
sip: {listen: ["udp://%[1]s", "tcp://%[1]s"]}
http: {listen: "%[2]s"}
plans: {dir: plans}
workers: {count: 2}
`, s.sip, s.web))
	plan("main", pure)(s)
	for _, change := range changes {
		change(s)
	}
	s.addRoutes()
	return s
}

// addRoutes makes a route for each plan there is.
func (s *server) addRoutes() {
	plans, err := os.ReadDir(filepath.Join(s.dir, "plans", "test"))
	s.must(err)
	routes := "routes:\n"
	for _, p := range plans {
		routes += fmt.Sprintf("  - {match: {user: \"plan-%[1]s\"}, account: test, plan: %[1]s}\n", p.Name())
	}
	settings(routes + "  - {match: {user: \"[0-9]+\"}, account: test, plan: main}\nlimits: {runs: 0, rate: 0}")(s)
}

// startServer starts a prepared server and waits until it takes calls.
func startServer(t *testing.T, changes ...setup) *server {
	t.Helper()
	s := newServer(t, changes...)
	s.start()
	s.waitReady()
	return s
}

func (s *server) start() {
	s.t.Helper()
	var err error
	s.log, err = os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	s.must(err)
	s.cmd = exec.Command(s.program, "serve")
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, s.log, s.log
	s.must(s.cmd.Start())
	s.exited = make(chan struct{})
	go func() {
		s.cmd.Wait()
		close(s.exited)
	}()
	s.t.Cleanup(s.stop)
}

// stop ends the server and, if the test failed, shows the end of its log.
func (s *server) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-s.exited
		s.t.Error("the server did not end within 10 s of SIGTERM")
	}
	s.log.Close()
	if s.t.Failed() {
		text := s.logText()
		s.t.Logf("end of the server's log:\n%s", text[max(0, len(text)-4000):])
	}
}

func (s *server) waitReady() {
	s.t.Helper()
	s.eventually(10*time.Second, "ready", func() bool {
		select {
		case <-s.exited:
			s.t.Fatalf("the server ended:\n%s", s.logText())
		default:
		}
		res, err := http.Get("http://" + s.web + "/readyz?verbose")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		return res.StatusCode == http.StatusOK && bytes.Contains(text, []byte("state ready"))
	})
}

// run carries out another command of the program in the server's directory.
func (s *server) run(args ...string) (output string, status int) {
	s.t.Helper()
	cmd := exec.Command(s.program, args...)
	cmd.Dir = s.dir
	text, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !asExit(err, &exit) {
		s.t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// eventually waits for something that another process does in its own time.
func (s *server) eventually(within time.Duration, what string, f func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(within)
	for !f() {
		if time.Now().After(deadline) {
			s.t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// member is a worker as the API shows it.
type member struct {
	ID         string  `json:"id"`
	Generation int     `json:"generation"`
	Pid        int     `json:"pid"`
	State      string  `json:"state"`
	RSS        uint64  `json:"rss_bytes"`
	Age        float64 `json:"age_seconds"`
	RunsTotal  int     `json:"runs_total"`
	Reason     string  `json:"reason"`
}

func (s *server) workers() []member {
	s.t.Helper()
	res, err := http.Get("http://" + s.web + "/v1/workers")
	s.must(err)
	defer res.Body.Close()
	var list []member
	s.must(json.NewDecoder(res.Body).Decode(&list))
	return list
}

// ready are the workers that take calls.
func (s *server) ready() (list []member) {
	s.t.Helper()
	for _, w := range s.workers() {
		if w.State == "ready" {
			list = append(list, w)
		}
	}
	return list
}

// records reads what the server has written of its calls so far.
func (s *server) records() (list []call.Record) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "records.jsonl"))
	s.must(err)
	for line := range strings.Lines(string(text)) {
		var r struct {
			call.Record
			Outcome string `json:"reason"`
		}
		s.must(json.Unmarshal([]byte(line), &r))
		list = append(list, r.Record)
	}
	return list
}

func (s *server) logText() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	s.must(err)
	return string(text)
}

func (s *server) write(name, text string) {
	path := filepath.Join(s.dir, name)
	s.must(os.MkdirAll(filepath.Dir(path), 0o700))
	s.must(os.WriteFile(path, []byte(text), 0o600))
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// freePort finds a port on loopback that nobody listens on, for UDP and TCP.
func freePort(t *testing.T, network string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if network == "udp" {
		c, err := net.ListenPacket("udp", l.Addr().String())
		if err != nil {
			return freePort(t, network)
		}
		defer c.Close()
	}
	return l.Addr().String()
}

func (s *server) metrics() string {
	s.t.Helper()
	res, err := http.Get("http://" + s.web + "/metrics")
	s.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	s.must(err)
	return string(text)
}
