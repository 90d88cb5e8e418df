package main_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"dialyard/health/probe"
)

// ownHeaders are the answer's headers in this program's name.
func ownHeaders(a *probe.Answer) (list []string) {
	for _, f := range a.Headers {
		if strings.HasPrefix(strings.ToLower(f.Name), "x-dialyard-") {
			list = append(list, f.Name)
		}
	}
	return list
}

func TestProbeShowsTheWorkersHealth(t *testing.T) {
	s := startServer(t)
	out, status := s.run("probe", "--worker", "w2")
	if status != 0 {
		t.Fatalf("exit %d: %s", status, out)
	}
	for _, name := range []string{"Worker: w2", "Generation: 1", "Pid: ", "State: ready", "Uptime: ", "Rss-Bytes: ", "Heap-Bytes: ",
		"Goroutines: ", "Fds: ", "Runs: ", "Runs-Total: ", "Script-Ms: ", "Nonce: "} {
		if !strings.Contains(out, "X-Dialyard-"+name) {
			t.Errorf("no X-Dialyard-%s in\n%s", name, out)
		}
	}
	if out, status := s.run("probe", "--worker", "w9"); status == 0 {
		t.Errorf("a probe of no worker: exit %d: %s", status, out)
	}
	if n := len(s.records()); n != 0 {
		t.Errorf("probes left %d records", n)
	}
}

func TestATokenIsGoodOnceAndForNothingElse(t *testing.T) {
	s := startServer(t)
	token, status := s.run("probe", "--token")
	token = strings.TrimSpace(token)
	if status != 0 {
		t.Fatal(token)
	}
	with := func(token string) *probe.Answer {
		return s.call("health", probe.Field{Name: "X-Dialyard-Probe", Value: token}, probe.Field{Name: "X-Dialyard-Nonce", Value: "n"})
	}
	if a := with(token); a.Status != 420 || a.Reason != "Healthy" || a.Get("X-Dialyard-Nonce") != "n" || len(ownHeaders(a)) < 12 {
		t.Errorf("a good token: %d %s with %v", a.Status, a.Reason, ownHeaders(a))
	}
	for what, bad := range map[string]string{"used": token, "forged": token[:len(token)-1] + "x", "none": "none"} {
		if a := with(bad); a.Status != 404 || len(ownHeaders(a)) > 0 {
			t.Errorf("a token that is %s: %d with %v, want the routes' 404 and no header", what, a.Status, ownHeaders(a))
		}
	}
}

func TestAnUntrustedPeerSeesNoHealth(t *testing.T) {
	s := startServer(t, func(s *server) {
		_, port, err := net.SplitHostPort(s.sip)
		s.must(err)
		text := "sip: {listen: [\"udp://0.0.0.0:" + port + "\"], trusted: [192.0.2.0/24]}\nhttp: {listen: \"" + s.web + "\"}\nplans: {dir: plans}\n"
		s.write("dialyard.yaml", text)
	})
	token, _ := s.run("probe", "--token")
	trusted := s.options("127.0.0.1")
	if trusted.GetHeader("X-Dialyard-State") == nil || trusted.GetHeader("X-Dialyard-Workers").Value() != "2/2" {
		t.Errorf("a trusted peer's OPTIONS lacks the state:\n%s", trusted)
	}
	if other := s.options("127.0.0.2"); other.StatusCode != 200 || other.GetHeader("X-Dialyard-State") != nil {
		t.Errorf("an untrusted peer's OPTIONS:\n%s", other)
	}
	if text := s.rawFrom("127.0.0.2", "INVITE sip:health@127.0.0.1 SIP/2.0", "X-Dialyard-Probe: "+strings.TrimSpace(token)); strings.Contains(text, "X-Dialyard-") || strings.Contains(text, " 420 ") {
		t.Errorf("an untrusted peer's probe:\n%s", text)
	}
}

// options asks the front how it is, from a given address of this host.
func (s *server) options(from string) *sip.Response {
	s.t.Helper()
	text := s.rawFrom(from, "OPTIONS sip:127.0.0.1 SIP/2.0")
	m, err := sip.ParseMessage([]byte(text))
	s.must(err)
	return m.(*sip.Response)
}

// rawFrom sends one request from an address and returns its final answer.
func (s *server) rawFrom(from string, line string, headers ...string) string {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.sip)
	s.must(err)
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "udp", net.JoinHostPort("127.0.0.1", port))
	s.must(err)
	defer conn.Close()
	method, _, _ := strings.Cut(line, " ")
	text := strings.Join(append([]string{
		line, "Via: SIP/2.0/UDP " + conn.LocalAddr().String() + ";branch=z9hG4bK" + method + from + ";rport",
		"From: <sip:t@127.0.0.1>;tag=1", "To: <sip:x@127.0.0.1>", "Call-ID: " + method + from, "CSeq: 1 " + method,
		"Max-Forwards: 70", "Content-Length: 0",
	}, headers...), "\r\n") + "\r\n\r\n"
	_, err = conn.Write([]byte(text))
	s.must(err)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buffer := make([]byte, 8192)
	for {
		n, err := conn.Read(buffer)
		s.must(err)
		if answer := string(buffer[:n]); !strings.HasPrefix(answer, "SIP/2.0 1") {
			return answer
		}
	}
}
