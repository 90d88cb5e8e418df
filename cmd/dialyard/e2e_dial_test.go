package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dialyard/dispatcher/call"
)

// A phone is one sipp process that calls, or waits to be called.
type phone struct {
	t        *testing.T
	scenario string
	address  string // of a callee, host:port
	messages string // the file of what it sent and heard
	output   bytes.Buffer
	ended    chan error
}

// phoneTime bounds a scenario.
const phoneTime = 20 * time.Second

// newPhone starts a scenario of testdata/sipp. It is ended with the test at the
// latest.
func newPhone(t *testing.T, scenario string, args ...string) *phone {
	t.Helper()
	needTool(t, "sipp")
	path := scenario
	if !filepath.IsAbs(path) {
		var err error
		if path, err = filepath.Abs(filepath.Join("..", "..", "testdata", "sipp", scenario+".xml")); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	p := &phone{t: t, scenario: scenario, messages: filepath.Join(dir, "messages"), ended: make(chan error, 1)}
	ctx, cancel := context.WithTimeout(context.Background(), phoneTime+5*time.Second)
	args = append([]string{"-sf", path, "-i", "127.0.0.1", "-m", "1", "-nostdin", "-trace_msg", "-message_file", p.messages,
		"-timeout", fmt.Sprint(int(phoneTime.Seconds())) + "s", "-timeout_error"}, args...)
	cmd := exec.CommandContext(ctx, "sipp", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &p.output, &p.output
	cmd.Env = append(os.Environ(), "TERM=dumb")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		p.ended <- cmd.Wait()
		close(gone)
	}()
	t.Cleanup(func() {
		cancel()
		<-gone
	})
	return p
}

// newCallee starts a scenario that waits for calls at an address of its own. Over
// TCP it is told so by "-t", "t1".
func newCallee(t *testing.T, scenario string, args ...string) *phone {
	t.Helper()
	address := freePort(t, "udp")
	_, port, _ := strings.Cut(address, ":")
	p := newPhone(t, scenario, append(args, "-p", port)...)
	p.address = address
	table := "/proc/net/udp"
	if strings.Contains(strings.Join(args, " "), "-t t") {
		table = "/proc/net/tcp"
	}
	bound := regexp.MustCompile(fmt.Sprintf(`: 0100007F:%04X `, number(t, port)))
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if sockets, err := os.ReadFile(table); err != nil || bound.Match(sockets) {
			return p // where there is no such table, an INVITE is repeated until it is heard
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen at %s", scenario, address)
		}
	}
}

func number(t *testing.T, text string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// uri is where a callee is called.
func (p *phone) uri() string { return "sip:callee@" + p.address }

// wait fails the test unless the scenario ran to its end as it is written.
func (p *phone) wait() {
	p.t.Helper()
	if err := p.end(); err != nil {
		output := p.output.Bytes()
		p.t.Errorf("sipp %s: %v\n%s\n%s", p.scenario, err, output[max(0, len(output)-1500):], tail(p.heard(), 6000))
	}
}

// end waits for the end of the scenario, whatever it is; it is called once.
func (p *phone) end() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(phoneTime + 10*time.Second):
		p.t.Fatalf("sipp %s has not ended", p.scenario)
		return nil
	}
}

// heard is all that the phone has sent and received so far, with lines ended by \n.
func (p *phone) heard() string {
	text, err := os.ReadFile(p.messages)
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// received is every message that came and begins with the given words.
func (p *phone) received(start string) []string { return p.logged("received", start) }

func (p *phone) sent(start string) []string { return p.logged("sent", start) }

func (p *phone) logged(way, start string) (found []string) {
	for _, entry := range strings.Split(p.heard(), "\n-----------------------------------------------") {
		head, message, _ := strings.Cut(entry, "\n\n")
		if strings.Contains(head, " message "+way) && strings.HasPrefix(message, start) {
			found = append(found, message)
		}
	}
	return found
}

// got is a header of the first message that came and begins with the given words.
func (p *phone) got(start, header string) string {
	return field(append(p.received(start), "")[0], header)
}

// field is the first value of a header, empty if the message has none.
func field(message, header string) string {
	head, _, _ := strings.Cut(message, "\n\n")
	_, value, _ := strings.Cut(head, "\n"+header+": ")
	value, _, _ = strings.Cut(value, "\n")
	return value
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }

// dial starts a caller of the plan "plan-NAME".
func (s *server) dial(scenario, plan string, args ...string) *phone {
	s.t.Helper()
	return newPhone(s.t, scenario, append([]string{s.sip, "-s", "plan-" + plan}, args...)...)
}

// dials is a plan that dials one target and leaves the rest to the server.
func dials(name, target string) setup {
	return plan(name, fmt.Sprintf("call:dial(%q)", target))
}

// oneRecord waits until nothing is left of the calls so far and returns the record
// of the last, of which there must be n.
func (s *server) oneRecord(n int) call.Record {
	s.t.Helper()
	s.eventually(10*time.Second, fmt.Sprintf("%d records", n), func() bool { return len(s.records()) >= n })
	s.empty()
	records := s.records()
	if len(records) != n {
		s.t.Fatalf("%d records of %d calls", len(records), n)
	}
	return records[n-1]
}

// empty fails the test if the server still holds a call, or has lost anything.
// Transactions may linger: they absorb what is repeated.
func (s *server) empty() {
	s.t.Helper()
	for _, gauge := range []string{"dialyard_calls", "dialyard_answered_calls", "dialyard_runs"} {
		s.eventually(3*time.Second, gauge+" is 0", func() bool { return strings.Contains(s.metrics(), "\n"+gauge+" 0\n") })
	}
	all := s.metrics()
	for _, zero := range []string{"dialyard_panics_total", `dialyard_lost_total{what="record"}`, `dialyard_lost_total{what="report"}`} {
		if !strings.Contains(all, "\n"+zero+" 0\n") {
			s.t.Errorf("%s is not 0", zero)
		}
	}
}

// workerRuns is how many runs the workers themselves count.
func (s *server) workerRuns() (n int) {
	s.t.Helper()
	for line := range strings.Lines(s.metrics()) {
		if strings.HasPrefix(line, "dialyard_worker_runs{") {
			_, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
			n += number(s.t, value)
		}
	}
	return n
}

// legs writes the statuses of a record's legs, such as "503 200".
func legs(r call.Record) string {
	var words []string
	for _, l := range r.Legs {
		words = append(words, fmt.Sprint(l.Status))
	}
	return strings.Join(words, " ")
}

// expect compares what counts in a record: the status the caller heard, who ended
// the call, and the legs' statuses.
func expect(t *testing.T, r call.Record, status int, endedBy, statuses string) {
	t.Helper()
	if r.Status != status || r.EndedBy != endedBy || legs(r) != statuses {
		t.Errorf("record: %d, ended by %q, legs %s; want %d, %q, %s", r.Status, r.EndedBy, legs(r), status, endedBy, statuses)
	}
	if status < 300 && r.Duration() <= 0 || status >= 300 && r.Duration() != 0 {
		t.Errorf("record: %d and a duration of %v", status, r.Duration())
	}
	for i, l := range r.Legs {
		if l.Status != 0 && (l.Start.IsZero() || l.End.Before(l.Start)) {
			t.Errorf("leg %d: from %v to %v", i+1, l.Start, l.End)
		}
	}
}
