package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	readyWithin = 30 * time.Second // from start to the first good /readyz
	stopWithin  = 15 * time.Second // from SIGTERM to the end
	goneWithin  = 3 * time.Second  // from the end of the front to the end of its workers
	pollEvery   = 50 * time.Millisecond
)

// dialled is the number which the generator calls and the plan redirects to its second carrier.
const dialled = "00441632960100"

//go:embed plans
var plans embed.FS

// server is one `dialyard serve` which this program started.
type server struct {
	binary string
	dir    string // its files, removed at the end
	sip    string // host:port
	http   string // host:port
	cmd    *exec.Cmd
	exited chan struct{} // closed when the front has ended
}

// startServer starts the binary on free ports and waits until it is ready. The caller stops it.
func startServer(ctx context.Context, binary string) (*server, error) {
	binary, err := exec.LookPath(binary)
	if err != nil {
		return nil, fmt.Errorf("find binary: %w", err)
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return nil, err
	}
	if binary, err = filepath.EvalSymlinks(binary); err != nil {
		return nil, err
	}
	s := &server{binary: binary, exited: make(chan struct{})}
	if s.dir, err = os.MkdirTemp("", "dialyard-bench-"); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	return s, nil
}

func (s *server) start(ctx context.Context) error {
	if err := s.prepare(); err != nil {
		return err
	}
	output, err := os.Create(s.output())
	if err != nil {
		return err
	}
	defer output.Close()
	s.cmd = exec.Command(s.binary, "serve", "--config", filepath.Join(s.dir, "dialyard.yaml"))
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, output, output
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	go s.watch()
	return s.awaitReady(ctx)
}

// output is the file with what the server prints.
func (s *server) output() string { return filepath.Join(s.dir, "output") }

// watch waits for the front's end.
func (s *server) watch() {
	s.cmd.Wait()
	close(s.exited)
}

// prepare writes the plans and the configuration.
func (s *server) prepare() (err error) {
	if s.sip, err = freePort(); err != nil {
		return err
	}
	if s.http, err = freePort(); err != nil {
		return err
	}
	sub, err := fs.Sub(plans, "plans")
	if err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(s.dir, "plans"), sub); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "dialyard.yaml"), []byte(s.config()), 0o600)
}

// config routes every call to the one plan and lifts the limits of its account.
func (s *server) config() string {
	return fmt.Sprintf(`sip:
  listen: ["udp://%[1]s", "tcp://%[1]s"]
http:
  listen: %[2]q
data:
  dir: %[3]q
plans:
  dir: %[4]q
routes:
  - account: bench
    plan: main
limits:
  runs: 0
  rate: 0
log:
  level: warn
`, s.sip, s.http, filepath.Join(s.dir, "data"), filepath.Join(s.dir, "plans"))
}

// freePort is a loopback host:port which is free for UDP and TCP just now.
func freePort() (string, error) {
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		addr := tcp.Addr().String()
		udp, err := net.ListenPacket("udp", addr)
		tcp.Close()
		if err == nil {
			udp.Close()
			return addr, nil
		}
	}
	return "", errors.New("no port is free for both UDP and TCP")
}

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if s.ready(ctx) {
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-s.exited:
			printed, _ := os.ReadFile(s.output())
			return fmt.Errorf("ended before it was ready: %v\n%s", s.cmd.ProcessState, printed)
		case <-ctx.Done():
			return fmt.Errorf("not ready within %v: %w", readyWithin, ctx.Err())
		}
	}
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

func (s *server) target() string { return "sip:" + dialled + "@" + s.sip }

func (s *server) family() (family, error) { return familyOf(s.cmd.Process.Pid) }

// stop ends the front and whatever outlives it of its workers, and removes its files.
func (s *server) stop() {
	defer os.RemoveAll(s.dir)
	if s.cmd == nil {
		return
	}
	f, _ := s.family() // when it fails the front has ended, and its workers with it
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopWithin):
		fmt.Fprintf(os.Stderr, "bench: %s did not end within %v of SIGTERM\n", s.binary, stopWithin)
		s.cmd.Process.Kill()
		<-s.exited
	}
	s.endOrphans(f.workers)
}

// endOrphans kills the workers which did not end with their front, and says so: it is a fault.
func (s *server) endOrphans(workers []process) {
	for deadline := time.Now().Add(goneWithin); time.Now().Before(deadline); time.Sleep(pollEvery) {
		if workers = s.alive(workers); len(workers) == 0 {
			return
		}
	}
	for _, w := range workers {
		fmt.Fprintf(os.Stderr, "bench: worker %d outlived its front by %v\n", w.pid, goneWithin)
		syscall.Kill(w.pid, syscall.SIGKILL)
	}
}

// alive keeps the processes which still run our binary: a pid may belong to somebody else by now.
func (s *server) alive(ps []process) []process {
	var left []process
	for _, p := range ps {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.pid))
		if err == nil && strings.TrimSuffix(exe, " (deleted)") == s.binary {
			left = append(left, p)
		}
	}
	return left
}
