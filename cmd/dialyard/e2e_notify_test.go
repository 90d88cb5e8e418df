package main_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is a service manager as far as it listens.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
}

// underManager makes a server believe that systemd has started it.
func underManager(t *testing.T, watchdog time.Duration) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify-") // its path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	address := filepath.Join(dir, "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", address)
	t.Setenv("WATCHDOG_USEC", fmt.Sprint(watchdog.Microseconds()))
	return &manager{t, conn}
}

// hears waits for a message that contains text and returns it, if it comes in time.
func (m *manager) hears(text string, within time.Duration) string {
	m.t.Helper()
	m.conn.SetReadDeadline(time.Now().Add(within))
	buf := make([]byte, 4096)
	for {
		n, err := m.conn.Read(buf)
		if err != nil {
			m.t.Fatalf("%s: not heard within %v", text, within)
		}
		if strings.Contains(string(buf[:n]), text) {
			return string(buf[:n])
		}
	}
}

// TestAServiceManagerIsToldEverything: readiness, reload, life, its successor, the end.
func TestAServiceManagerIsToldEverything(t *testing.T) {
	m := underManager(t, 400*time.Millisecond)
	s := startServer(t)
	m.hears("READY=1", 10*time.Second)
	for range 5 {
		m.hears("WATCHDOG=1", 400*time.Millisecond)
	}
	s.must(s.cmd.Process.Signal(syscall.SIGHUP))
	reloading := m.hears("RELOADING=1", 2*time.Second)
	_, usec, _ := strings.Cut(reloading, "MONOTONIC_USEC=")
	if n, err := strconv.ParseInt(usec, 10, 64); err != nil || n <= 0 {
		t.Errorf("told %q", reloading)
	}
	m.hears("READY=1", 2*time.Second)

	s.must(s.cmd.Process.Signal(syscall.SIGUSR2))
	told := m.hears("MAINPID=", 10*time.Second)
	pid, err := strconv.Atoi(strings.TrimPrefix(told, "MAINPID="))
	s.must(err)
	if pid == s.cmd.Process.Pid {
		t.Errorf("told %q, which is the old one", told)
	}
	m.hears("READY=1", 2*time.Second)
	m.hears("WATCHDOG=1", time.Second)
	<-s.exited
	s.must(syscall.Kill(pid, syscall.SIGTERM))
	m.hears("STOPPING=1", 2*time.Second)
	s.eventually(5*time.Second, "the successor ends", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH || isZombie(pid) })
}

// isZombie reports whether a process has ended and nobody has asked how.
func isZombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") Z ")
}

// TestTheManagerWouldNotKnowAStranger: what it did not start through the server in
// charge gets nothing.
func TestTheManagerWouldNotKnowAStranger(t *testing.T) {
	m := underManager(t, time.Minute)
	s := startServer(t)
	m.hears("READY=1", 10*time.Second)
	h := s.sendHeir()
	<-h.exited
	if h.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(s.logText(), "SIGUSR2") {
		t.Errorf("it ended with %v, and the log does not say what to do instead", h.cmd.ProcessState)
	}
	s.waitReady()
}

// TestAFrontWhosePathIsBrokenIsNotFed: its workers are ready and no probe comes through.
func TestAFrontWhosePathIsBrokenIsNotFed(t *testing.T) {
	m := underManager(t, 400*time.Millisecond)
	s := startServer(t, settings("health: {interval: 200ms, timeout: 100ms, fall: 100}"))
	m.hears("WATCHDOG=1", 10*time.Second)
	for _, w := range s.allWorkers() {
		s.kill(w, syscall.SIGSTOP)
		defer syscall.Kill(w.Pid, syscall.SIGKILL)
	}
	m.hears("STATUS=is to be restarted: no probe call", 3*time.Second)
}

// allWorkers are those of suspects as well.
func (s *server) allWorkers() (list []member) {
	s.t.Helper()
	res, err := http.Get("http://" + s.web + "/v1/workers?all=1")
	s.must(err)
	defer res.Body.Close()
	s.must(json.NewDecoder(res.Body).Decode(&list))
	return list
}

// TestTheFrontIsSparedWhenMemoryIsShort: its workers go before it.
func TestTheFrontIsSparedWhenMemoryIsShort(t *testing.T) {
	s := startServer(t)
	score := func(pid int) (n int) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid))
		s.must(err)
		_, err = fmt.Sscan(string(text), &n)
		s.must(err)
		return n
	}
	front := score(s.cmd.Process.Pid)
	for _, w := range s.ready() {
		if worker := score(w.Pid); worker != 500 || front >= worker {
			t.Errorf("the score of worker %s is adjusted by %d, the front's by %d", w.ID, worker, front)
		}
	}
	allowed := exec.Command("sh", "-c", "echo -500 > /proc/self/oom_score_adj").Run() == nil
	if allowed && front != -500 {
		t.Errorf("the front's score is adjusted by %d", front)
	}
}

// TestADrainIsSaidBeforeItIsDone: OPTIONS and /readyz say so, while new calls are still
// taken; then they are refused, and calls that are under way end.
func TestADrainIsSaidBeforeItIsDone(t *testing.T) {
	url, allow := directory(t, func(http.ResponseWriter, *http.Request) { time.Sleep(1900 * time.Millisecond) })
	s := startServer(t, allow, settings("drain: {wait: 2s, time: 5s}"), plan("slow", `http.get("`+url+`") call:reject(486)`))
	if status, state := s.askedState(); status != 200 || state != "ready" {
		t.Errorf("before: %d, %s", status, state)
	}
	s.must(s.cmd.Process.Signal(syscall.SIGTERM))
	begun := time.Now()
	s.eventually(time.Second, "readiness is off", func() bool { return s.readyStatus() == http.StatusServiceUnavailable })
	if status, state := s.askedState(); status != 503 || state != "draining" {
		t.Errorf("while it waits: %d, %s", status, state)
	}
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("a call while it waits: %d, want 302", a.Status)
	}
	slow := s.load("plan-slow", 20, 1800*time.Millisecond-time.Since(begun))
	time.Sleep(2200*time.Millisecond - time.Since(begun))
	if a := s.call("100"); a.Status != 503 || a.Get("Retry-After") == "" {
		t.Errorf("a call after that: %d, want 503 and Retry-After", a.Status)
	}
	onlyStatus(t, slow.wait(), 486)
	<-s.exited
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("ended with status %d", code)
	}
	if took := time.Since(begun); took < 3*time.Second || took > 6*time.Second {
		t.Errorf("that took %v", took)
	}
}

// askedState is what OPTIONS says of the front.
func (s *server) askedState() (status int, state string) {
	s.t.Helper()
	res := s.options("127.0.0.1")
	if h := res.GetHeader("X-Dialyard-State"); h != nil {
		state = h.Value()
	}
	return res.StatusCode, state
}

func (s *server) readyStatus() int {
	res, err := http.Get("http://" + s.web + "/readyz")
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// TestSocketsMayBePassed: a service manager has opened them, and what arrived there
// before the start is answered after it.
func TestSocketsMayBePassed(t *testing.T) {
	s := newServer(t)
	udp, err := net.ListenPacket("udp", s.sip)
	s.must(err)
	tcp, err := net.Listen("tcp", s.sip)
	s.must(err)
	web, err := net.Listen("tcp", s.web)
	s.must(err)
	// The shell's pid is the server's, when it has become that.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=3 exec "$0" serve`, s.program)
	for _, conn := range []interface{ File() (*os.File, error) }{udp.(*net.UDPConn), tcp.(*net.TCPListener), web.(*net.TCPListener)} {
		file, err := conn.File()
		s.must(err)
		defer file.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	early := make(chan int)
	go func() { early <- s.call("100").Status }()
	s.log, err = os.Create(filepath.Join(s.dir, "log"))
	s.must(err)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, s.log, s.log
	s.must(cmd.Start())
	udp.Close()
	tcp.Close()
	web.Close()
	s.cmd, s.exited = cmd, make(chan struct{})
	go func() {
		cmd.Wait()
		close(s.exited)
	}()
	t.Cleanup(s.stop)
	s.waitReady()
	if status := <-early; status != 302 {
		t.Errorf("the call that came early: %d, want 302", status)
	}
	if conn, err := net.Dial("tcp", s.sip); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	s.takeover()
}
