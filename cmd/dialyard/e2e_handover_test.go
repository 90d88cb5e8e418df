package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
)

// An heir is a second server process that is to take over from the first.
type heir struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

// sendHeir starts one on the server's data and configuration.
func (s *server) sendHeir() *heir {
	s.t.Helper()
	h := &heir{cmd: exec.Command(s.program, "serve", "--takeover"), exited: make(chan struct{})}
	h.cmd.Dir, h.cmd.Stdout, h.cmd.Stderr = s.dir, s.log, s.log
	s.must(h.cmd.Start())
	go func() {
		h.cmd.Wait()
		close(h.exited)
	}()
	s.t.Cleanup(func() {
		h.cmd.Process.Kill()
		<-h.exited
	})
	return h
}

// crown makes the heir the server's process, when the one before it has ended.
func (s *server) crown(h *heir) {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-h.exited:
		s.t.Fatalf("the successor ended:\n%s", s.logText())
	case <-time.After(20 * time.Second):
		s.t.Fatal("nobody has taken over")
	}
	s.cmd, s.exited = h.cmd, h.exited
	s.t.Cleanup(s.stop)
	s.waitReady()
}

// takeover has a new process take over, and checks that the old one ended well.
func (s *server) takeover() {
	s.t.Helper()
	old := s.cmd
	s.crown(s.sendHeir())
	if code := old.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("the server that handed over ended with status %d", code)
	}
}

// silences are how long the server did not read in each takeover, in milliseconds.
func (s *server) silences() (list []float64) {
	for _, m := range regexp.MustCompile(`"silent_ms":([0-9.]+)`).FindAllStringSubmatch(s.logText(), -1) {
		var ms float64
		fmt.Sscan(m[1], &ms)
		list = append(list, ms)
	}
	return list
}

// oncePerCall fails unless every call has one record.
func (s *server) oncePerCall(calls int) {
	s.t.Helper()
	s.eventually(5*time.Second, "a record for each call", func() bool { return len(s.records()) >= calls })
	ids := map[string]int{}
	for _, r := range s.records() {
		if ids[r.CallID]++; ids[r.CallID] > 1 {
			s.t.Errorf("call %s has %d records", r.CallID, ids[r.CallID])
		}
	}
}

func TestTakeoversUnderLoadLoseNothing(t *testing.T) {
	s := startServer(t)
	calls := s.load("100", 100, 12*time.Second)
	for range 3 {
		time.Sleep(time.Second)
		s.takeover()
	}
	r := calls.stop()
	onlyStatus(t, r, 302)
	s.oncePerCall(r.Sent)
	t.Logf("silent for %v ms; %d calls, %v", s.silences(), r.Sent, r.Latency)
	if list := s.silences(); len(list) != 3 {
		t.Errorf("%d takeovers are in the log", len(list))
	}
}

// TestCallsOutliveATakeover: nobody who talks or rings notices, but for those whom the
// lost script had to tell what becomes of their call.
func TestCallsOutliveATakeover(t *testing.T) {
	c := newCrowd(t, time.Second,
		&group{plan: "talks", calls: 100, caller: "survive_uac_talks", waits: pausesFor, callee: "survive_uas_talks",
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "hung-up", calls: 100, caller: "survive_uac_listens", callee: "survive_uas_hangs_up", rests: pausesFor,
			status: 200, endedBy: "callee", statuses: "200"},
		&group{plan: "answers", calls: 40, caller: "survive_uac_hangs_up", waits: time.Second, callee: "survive_uas_hears_bye", rests: pausesFor,
			status: 200, endedBy: "caller", statuses: "200"},
		&group{plan: "refuses", calls: 20, caller: "survive_uac_loses", callee: "survive_uas_refuses", rests: pausesFor,
			status: 500, endedBy: "system", statuses: "486"},
		&group{plan: "gives-up", calls: 20, caller: "survive_uac_gives_up", waits: pausesFor, callee: "dial_uas_cancelled",
			status: 487, endedBy: "caller", statuses: "487"},
	)
	s := startServer(t, c.plans)
	c.call(s)
	s.takeover()
	answered, ringing := c.expected()
	if n := gauge(s.metrics(), "dialyard_restored_calls_total"); n != answered+ringing {
		t.Errorf("%d calls were taken over, want %d", n, answered+ringing)
	}
	s.takeover()
	t.Logf("silent for %v ms", s.silences())
	c.end(s)
}

// TestTakeoversAmongShortCalls: calls ring, are answered and hung up all the time.
func TestTakeoversAmongShortCalls(t *testing.T) {
	answer := freePort(t, "udp")
	s := startServer(t, dials("dial", "sip:callee@"+answer))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var report load.Report
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		report, err = load.Run(ctx, load.Options{
			Target: "sip:plan-dial@" + s.sip, Rate: 100, Duration: 20 * time.Second, Timeout: 10 * time.Second, Retransmit: true,
			Answer: "udp://" + answer, Ring: 150 * time.Millisecond, PickUp: 150 * time.Millisecond, Hold: 500 * time.Millisecond,
		})
	}()
	for range 3 {
		time.Sleep(time.Second)
		s.takeover()
	}
	time.Sleep(time.Second)
	cancel()
	<-done
	s.must(err)
	t.Logf("silent for %v ms; answered %v, lost %d, %+v", s.silences(), report.Answered, report.Lost, *report.Dialled)
	onlyStatus(t, report, 200)
	if d := report.Dialled; d.Stranded > 0 || d.DoubleLegs > 0 || d.Released != report.Sent {
		t.Errorf("stranded %d, double legs %d, released %d of %d", d.Stranded, d.DoubleLegs, d.Released, report.Sent)
	}
	s.oncePerCall(report.Sent)
	for _, r := range s.records() {
		if r.Status != 200 || r.EndedBy != "caller" {
			t.Errorf("call %s: %d, ended by %q", r.CallID, r.Status, r.EndedBy)
		}
	}
	s.empty()
}

// TestAConnectionOutlivesATakeover, in the midst of a message.
func TestAConnectionOutlivesATakeover(t *testing.T) {
	s := startServer(t)
	conn, err := net.Dial("tcp", s.sip)
	s.must(err)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(15 * time.Second))
	invite := strings.ReplaceAll(fmt.Sprintf(`INVITE sip:100@%[1]s SIP/2.0
Via: SIP/2.0/TCP %[2]s;branch=z9hG4bKhalf
From: <sip:a@example.net>;tag=1
To: <sip:100@example.net>
Call-ID: half
CSeq: 1 INVITE
Contact: <sip:a@%[2]s;transport=tcp>
Max-Forwards: 70
Content-Length: 4

half`, s.sip, conn.LocalAddr()), "\n", "\r\n")
	for i, cut := range []int{30, len(invite) - 2} {
		text := strings.ReplaceAll(invite, "half", fmt.Sprint("cut", i))
		_, err = io.WriteString(conn, text[:cut])
		s.must(err)
		time.Sleep(100 * time.Millisecond) // until the server has read it
		s.takeover()
		_, err = io.WriteString(conn, text[cut:])
		s.must(err)
		answer := make([]byte, 0, 4096)
		for !strings.Contains(string(answer), "SIP/2.0 302") {
			n, err := conn.Read(answer[len(answer):cap(answer)])
			if err != nil {
				t.Fatalf("cut after %d octets: %v, got %q", cut, err, answer)
			}
			answer = answer[:len(answer)+n]
		}
	}
}

// TestAnUndecidedCallIsDecidedByTheSuccessor: its script waits for a slow service.
func TestAnUndecidedCallIsDecidedByTheSuccessor(t *testing.T) {
	url, allow := directory(t, func(http.ResponseWriter, *http.Request) { time.Sleep(1500 * time.Millisecond) })
	s := startServer(t, allow, plan("slow", `http.get("`+url+`") call:reject(486)`))
	calls := s.load("plan-slow", 20, time.Second)
	time.Sleep(1200 * time.Millisecond)
	s.takeover()
	r := calls.wait()
	onlyStatus(t, r, 486)
	s.oncePerCall(r.Sent)
}

// TestABrokenSuccessorIsNotHandedAnything: the server in charge goes on.
func TestABrokenSuccessorIsNotHandedAnything(t *testing.T) {
	s := startServer(t)
	config, err := os.ReadFile(filepath.Join(s.dir, "dialyard.yaml"))
	s.must(err)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	defer taken.Close()
	calls := s.load("100", 100, 20*time.Second)
	pid := s.cmd.Process.Pid
	for name, c := range map[string]struct {
		spoil  func()
		status int
		words  string
	}{
		"its configuration": {func() { settings("sipp: {}")(s) }, 2, "sipp"},
		"a plan":            {func() { plan("bad", "local x = = 1\n")(s) }, 1, "main.lua:1:11"},
		"an address": {func() {
			text := strings.Replace(string(config), "listen: [", fmt.Sprintf("listen: [\"tcp://%s\", ", taken.Addr()), 1)
			s.write("dialyard.yaml", text)
		}, 1, "address already in use"},
	} {
		c.spoil()
		h := s.sendHeir()
		select {
		case <-h.exited:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the successor neither failed nor ended", name)
		}
		if code := h.cmd.ProcessState.ExitCode(); code != c.status || !strings.Contains(s.logText(), c.words) {
			t.Errorf("%s: status %d, want %d and %q in the log", name, code, c.status, c.words)
		}
		s.write("dialyard.yaml", string(config))
		s.must(os.RemoveAll(filepath.Join(s.dir, "plans", "test", "bad")))
	}
	onlyStatus(t, calls.stop(), 302)
	if s.waitReady(); s.cmd.Process.Pid != pid || syscall.Kill(pid, 0) != nil {
		t.Error("the server in charge is not the one that was")
	}
	s.takeover()
}

// TestAPredecessorKilledAtAnyTime: the successor starts as after a crash.
func TestAPredecessorKilledAtAnyTime(t *testing.T) {
	s := startServer(t)
	for i := range 10 {
		asked := strings.Count(s.logText(), "asks to take over")
		h := s.sendHeir()
		if i < 4 {
			time.Sleep(time.Duration(i) * 80 * time.Millisecond)
		} else {
			s.eventually(5*time.Second, "it asks", func() bool { return strings.Count(s.logText(), "asks to take over") > asked })
			time.Sleep(time.Duration(i-4) * time.Millisecond)
		}
		s.cmd.Process.Kill() // it may have handed over already
		s.crown(h)
		if a := s.call("100"); a.Status != 302 {
			t.Errorf("answered %d, want 302", a.Status)
		}
	}
	log := s.logText()
	if strings.Contains(log, "damaged") {
		t.Error("something was damaged")
	}
	t.Logf("killed before it was asked %d times, while it handed over %d times, handed over %d times", strings.Count(log, "has gone: start"),
		strings.Count(log, "died while it handed over"), strings.Count(log, "took over"))
}

// TestNobodyToTakeOverFrom: then it is a start like any other, also where one that was
// killed has left its socket.
func TestNobodyToTakeOverFrom(t *testing.T) {
	s := startServer(t)
	s.crash()
	s.crown(s.sendHeir())
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("answered %d, want 302", a.Status)
	}
}
