package main_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
)

// TestAStoppedDispatcher stands still for 15 seconds, as on a machine that sleeps: the
// calls of that time are answered then, and no worker is killed for its silence.
func TestAStoppedDispatcher(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	first := s.ready()
	calls := s.loadAs("100", load.Options{Rate: 50, Duration: 25 * time.Second, Timeout: 30 * time.Second})
	time.Sleep(2 * time.Second)
	s.must(s.cmd.Process.Signal(syscall.SIGSTOP))
	time.Sleep(15 * time.Second)
	s.must(s.cmd.Process.Signal(syscall.SIGCONT))
	r := calls.wait()
	t.Logf("answered %v, lost %d, %v", r.Answered, r.Lost, r.Latency)
	onlyStatus(t, r, 302)
	if r.Latency.Max < 10*time.Second {
		t.Error("no call waited: the server did not stand still")
	}
	s.same(first)
	if !strings.Contains(s.logText(), "lapse") {
		t.Error("the log does not say that the monitor stood still")
	}
}

// TestNobodyReadsTheLog: what the server says goes into a pipe that nobody empties, so
// that whoever speaks stands still, the monitor with a bad probe to tell of among them.
// Calls go on, and when it is read again no worker has been killed for the silence.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	s := newServer(t, plan("chat", `for i = 1, 50 do log.info(("x"):rep(1000)) end call:redirect("sip:1@gw.example.net")`))
	pipe := s.startInto()
	s.waitReady()
	first := s.ready()
	pipe.hold()
	s.load("plan-chat", 20, time.Second).wait() // a mebibyte; a pipe holds less
	calls := s.load("100", 50, 16*time.Second)
	time.Sleep(2 * time.Second)
	s.kill(first[0], syscall.SIGSTOP) // so that there is something to say
	time.Sleep(4 * time.Second)
	s.kill(first[0], syscall.SIGCONT)
	time.Sleep(8 * time.Second)
	pipe.release()
	r := calls.wait()
	t.Logf("answered %v, lost %d, %v", r.Answered, r.Lost, r.Latency)
	onlyStatus(t, r, 302)
	s.eventually(9*time.Second, "both workers serve", func() bool { return len(s.ready()) == 2 })
	s.same(first)
}

// A heldPipe takes the server's log and can be made to stop.
type heldPipe struct{ gate sync.Mutex }

func (p *heldPipe) hold()    { p.gate.Lock() }
func (p *heldPipe) release() { p.gate.Unlock() }

// pass waits while the pipe is held.
func (p *heldPipe) pass() {
	p.gate.Lock()
	defer p.gate.Unlock()
}

// startInto starts the server with its log going into a pipe, and from there into its
// file.
func (s *server) startInto() *heldPipe {
	s.t.Helper()
	read, write, err := os.Pipe()
	s.must(err)
	s.log, err = os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	s.must(err)
	s.cmd = exec.Command(s.program, "serve")
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, write, write
	s.must(s.cmd.Start())
	s.exited = make(chan struct{})
	go func() {
		s.cmd.Wait()
		close(s.exited)
	}()
	s.t.Cleanup(s.stop)
	write.Close()
	p := &heldPipe{}
	go func() {
		defer read.Close()
		buffer := make([]byte, 32<<10)
		for {
			p.pass()
			n, err := read.Read(buffer)
			if err != nil {
				return
			}
			s.log.Write(buffer[:n])
		}
	}()
	return p
}

// TestNoLineCrosses: 200 runs of 200 accounts go on at the same time and print who they
// are, before and after a wait. Each line is under its own call and account.
func TestNoLineCrosses(t *testing.T) {
	t.Parallel()
	const runs = 200
	silence, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silence.Close()
	s := newServer(t)
	routes := "routes:\n"
	for i := range runs {
		account := fmt.Sprintf("a%d", i)
		s.write(filepath.Join("plans", account, "who", "main.lua"), fmt.Sprintf(`
me = %q
for i = 1, 5 do log.info("line", me, call.account, call.id) end
call:dial("sip:nobody@%s", {timeout = 3})
for i = 1, 5 do log.info("line", me, call.account, call.id) end
call:reject(486, me)`, account, silence.LocalAddr()))
		routes += fmt.Sprintf("  - {match: {user: %[1]q}, account: %[1]s, plan: who}\n", account)
	}
	s.write("dialyard.yaml", fmt.Sprintf("sip: {listen: [\"udp://%s\"]}\nhttp: {listen: %q}\nplans: {dir: plans}\nworkers: {count: 2}\n%s", s.sip, s.web, routes))
	s.start()
	s.waitReady()
	var calls sync.WaitGroup
	for i := range runs {
		calls.Go(func() {
			account := fmt.Sprintf("a%d", i)
			if a := s.call(account); a.Status != 486 || a.Reason != account {
				t.Errorf("%s heard %d %q", account, a.Status, a.Reason)
			}
		})
	}
	most := 0
	s.eventually(9*time.Second, "nearly all run at once", func() bool {
		most = max(most, gauge(s.metrics(), "dialyard_runs"))
		return most >= runs*9/10
	})
	calls.Wait()
	time.Sleep(time.Second) // the last lines are written
	lines := s.scriptLines()
	if len(lines) != 10*runs {
		t.Errorf("%d lines, want %d", len(lines), 10*runs)
	}
	for _, l := range lines {
		if want := fmt.Sprintf("line %s %s %s", l.Account, l.Account, l.CallID); l.Text != want {
			t.Errorf("under call %s of %s: %q", l.CallID, l.Account, l.Text)
		}
	}
}

// A scriptLine is what a script logged, and under whose name it stands.
type scriptLine struct {
	Msg     string `json:"msg"`
	CallID  string `json:"call_id"`
	Account string `json:"account"`
	Text    string `json:"text"`
}

func (s *server) scriptLines() (list []scriptLine) {
	s.t.Helper()
	for line := range strings.Lines(s.logText()) {
		var l scriptLine
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "script" {
			list = append(list, l)
		}
	}
	return list
}
