package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestASuccessorKilledBeforeItAsks costs nothing.
func TestASuccessorKilledBeforeItAsks(t *testing.T) {
	s := startServer(t)
	calls := s.load("100", 100, 20*time.Second)
	for i := range 4 {
		h := s.sendHeir()
		time.Sleep(time.Duration(i) * 20 * time.Millisecond)
		h.cmd.Process.Kill()
		<-h.exited
		if strings.Contains(s.logText(), "asks to take over") {
			break // this machine is too fast for the rest
		}
	}
	onlyStatus(t, calls.stop(), 302)
	s.takeover()
}

// TestASuccessorThatDiesOnTheWay costs no call: the server in charge goes on, or begins
// again with what it had left. The last may keep it waiting for as long as it waits.
func TestASuccessorThatDiesOnTheWay(t *testing.T) {
	s := startServer(t)
	conn, err := net.Dial("tcp", s.sip)
	s.must(err)
	defer conn.Close()
	calls := s.load("100", 100, 30*time.Second)
	for _, c := range []struct{ diesAfter, words string }{
		{"hello", "not handed over"},
		{"offer", "not handed over"},
		{"nonsense", "not handed over"},
		{"ready", "this process goes on"}, // it may be noticed before or after
		{"yours", "takeover failed"},
		{"yours", "takeover failed"},
	} {
		before := strings.Count(s.logText(), c.words)
		s.fakeSuccessor(c.diesAfter)
		s.eventually(5*time.Second, c.words+" after "+c.diesAfter, func() bool { return strings.Count(s.logText(), c.words) > before })
		s.waitReady()
	}
	r := calls.stop()
	onlyStatus(t, r, 302)
	s.oncePerCall(r.Sent)
	t.Logf("%v", r.Latency)
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, "\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 2)); err != nil {
		t.Errorf("the connection made before has not outlived this: %v", err)
	}
	s.takeover()
}

// fakeSuccessor asks for everything and dies after a step. It is a process of its own,
// because the server ends one that fails.
func (s *server) fakeSuccessor(diesAfter string) {
	s.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DIALYARD_FAKE_SUCCESSOR="+diesAfter)
	cmd.Dir = s.dir
	if text, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, text)
	}
}

func init() {
	if diesAfter := os.Getenv("DIALYARD_FAKE_SUCCESSOR"); diesAfter != "" {
		if err := askAndDie(diesAfter); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// askAndDie plays a successor up to a step.
func askAndDie(diesAfter string) error {
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: "data/upgrade.sock", Net: "unixpacket"})
	if err != nil {
		return err
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	say := func(kind string) bool {
		_, err = fmt.Fprintf(conn, `{"kind":%q}`, kind)
		return err != nil || kind == diesAfter
	}
	if say("hello") {
		return err
	}
	buf, rights := make([]byte, 128<<10), make([]byte, 64)
	for {
		n, _, _, _, err := conn.ReadMsgUnix(buf, rights) // the descriptors end with this process
		if err != nil {
			return err
		}
		var m struct{ Kind string }
		if err := json.Unmarshal(buf[:n], &m); err != nil {
			return err
		}
		if m.Kind == diesAfter {
			return nil
		}
		if m.Kind == "offer" {
			if diesAfter == "nonsense" {
				say("nonsense")
			} else if say("ready") {
				return nil
			}
		}
		if m.Kind == "no" {
			return nil
		}
	}
}
