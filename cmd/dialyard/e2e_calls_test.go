package main_test

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialyard/health/probe"
)

func TestACallIsDecidedByAPlan(t *testing.T) {
	s := startServer(t, plan("busy", `call:ring() call:tag("why", "lunch") call:reject(486, "At lunch", {["X-Back"] = "13:00"})`),
		plan("silent", `log.info("nothing to say")`), plan("broken", `local x = nil; x.y = 1`))
	for _, c := range []struct {
		user   string
		status int
		header string
		value  string
	}{
		{"100", 302, "Contact", "<sip:100@gw.example.net>"},
		{"plan-busy", 486, "X-Back", "13:00"},
		{"plan-silent", 480, "", ""},
		{"plan-broken", 500, "Warning", `399 dialyard "the dialplan failed"`},
		{"nobody", 404, "", ""},
	} {
		a := s.call(c.user)
		if a.Status != c.status || c.header != "" && a.Get(c.header) != c.value {
			t.Errorf("%s: %d %s, %s: %q; want %d and %q", c.user, a.Status, a.Reason, c.header, a.Get(c.header), c.status, c.value)
		}
	}
	s.eventually(2*time.Second, "five records", func() bool { return len(s.records()) == 5 })
	log := s.logText()
	for _, want := range []string{`main.lua:1`, `"reason":"script error"`, `nothing to say`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

func TestACallOverTCP(t *testing.T) {
	s := startServer(t)
	out, status := s.run("call", "sip:100@"+s.sip+";transport=tcp")
	if status != 0 || !strings.Contains(out, "302 Moved Temporarily") {
		t.Errorf("exit %d:\n%s", status, out)
	}
}

func TestARepeatedInviteRunsOnce(t *testing.T) {
	s := startServer(t)
	conn, err := net.Dial("udp", s.sip)
	s.must(err)
	defer conn.Close()
	invite := strings.ReplaceAll(`INVITE sip:100@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKrepeated;rport
From: <sip:a@127.0.0.1>;tag=1
To: <sip:100@127.0.0.1>
Call-ID: repeated
CSeq: 1 INVITE
Max-Forwards: 70
Content-Length: 0

`, "\n", "\r\n")
	for range 10 {
		_, err := conn.Write([]byte(invite))
		s.must(err)
		time.Sleep(20 * time.Millisecond)
	}
	finals, tags := 0, map[string]bool{}
	buffer := make([]byte, 4096)
	conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			break
		}
		if text := string(buffer[:n]); strings.HasPrefix(text, "SIP/2.0 302") {
			finals++
			_, tag, _ := strings.Cut(text, "To: <sip:100@127.0.0.1>;tag=")
			tags[tag[:13]] = true
		}
	}
	if finals < 5 || len(tags) != 1 {
		t.Errorf("%d answers with %d To tags, want each repetition answered with one tag", finals, len(tags))
	}
	if n := len(s.records()); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}

func TestGarbageCostsNobodyACall(t *testing.T) {
	s := startServer(t)
	good := s.load("100", 100, 3*time.Second)
	conn, err := net.Dial("udp", s.sip)
	s.must(err)
	defer conn.Close()
	tcp, err := net.Dial("tcp", s.sip)
	s.must(err)
	defer tcp.Close()
	tcp.Write([]byte("INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127"))
	big := "INVITE sip:1@127.0.0.1 SIP/2.0\r\nX: " + strings.Repeat("x", 60000) + "\r\n\r\n"
	for i := range 200 {
		for _, bad := range []string{"\x00\xff\xfe", "GET / HTTP/1.1\r\n\r\n", big[:100+i], big, "SIP/2.0 999 X\r\n\r\n", strings.Repeat("\r\n", i)} {
			conn.Write([]byte(bad))
		}
		time.Sleep(5 * time.Millisecond)
	}
	onlyStatus(t, good.wait(), 302)
}

func TestDrainRefusesNewCallsAndEnds(t *testing.T) {
	s := startServer(t, plan("slow", `call:ring() local t = 0; for i = 1, 5e6 do t = t + i end call:reject(486)`))
	slow := make(chan *probe.Answer)
	go func() { slow <- s.call("plan-slow") }()
	s.eventually(2*time.Second, "a run under way", func() bool {
		total := 0
		for _, w := range s.workers() {
			total += w.RunsTotal
		}
		return total > 4 // more than the probes
	})
	s.must(s.cmd.Process.Signal(syscall.SIGTERM))
	if a := <-slow; a.Status != 486 {
		t.Errorf("the call under way was answered %d, want 486", a.Status)
	}
	select {
	case <-s.exited:
	case <-time.After(5 * time.Second):
		t.Fatal("the server did not end")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d, want 0", code)
	}
}

func TestReloadTakesRoutesAndPlansOrNothing(t *testing.T) {
	s := startServer(t)
	s.write("plans/test/main/main.lua", `call:reject(603)`)
	s.must(s.cmd.Process.Signal(syscall.SIGHUP))
	s.eventually(3*time.Second, "the new plan decides", func() bool { return s.call("100").Status == 603 })
	good, err := os.ReadFile(s.dir + "/dialyard.yaml")
	s.must(err)
	s.write("dialyard.yaml", string(good)+"\nnonsense: true\n")
	s.must(s.cmd.Process.Signal(syscall.SIGHUP))
	s.eventually(3*time.Second, "a word on the bad file", func() bool { return strings.Contains(s.logText(), "configuration unchanged") })
	if a := s.call("100"); a.Status != 603 {
		t.Errorf("after a bad reload: %d, want 603 as before", a.Status)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	s := startServer(t, plan("loop", `call:ring() while true do end`))
	slow := s.load("plan-loop", 20, time.Second)
	time.Sleep(500 * time.Millisecond)
	s.must(s.cmd.Process.Signal(syscall.SIGTERM))
	s.eventually(time.Second, "it drains", func() bool { return strings.Contains(s.logText(), "draining") })
	s.must(s.cmd.Process.Signal(syscall.SIGTERM))
	begun := time.Now()
	<-s.exited
	if took, code := time.Since(begun), s.cmd.ProcessState.ExitCode(); took > time.Second || code != 1 {
		t.Errorf("it ended after %v with %d, want at once with 1", took, code)
	}
	r := slow.stop()
	answered := 0
	for _, n := range r.Answered {
		answered += n
	}
	if n := len(s.records()); n != answered || n < 8 || r.Lost > 3 { // some come when nobody is there
		t.Errorf("%d records; of %d calls %v were answered, %d lost", n, r.Sent, r.Answered, r.Lost)
	}
}
