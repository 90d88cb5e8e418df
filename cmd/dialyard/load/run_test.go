package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// uas is a tiny SIP server on loopback: its script says which responses a request gets, as status lines
// without the version. It answers an INVITE with these, counts what comes and drops the rest.
type uas struct {
	conn   *net.UDPConn
	script func(method string, call int) []string
	got    map[string]int // requests by method
	done   chan struct{}
}

func startUAS(t *testing.T, script func(method string, call int) []string) *uas {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	u := &uas{conn: conn, script: script, got: map[string]int{}, done: make(chan struct{})}
	go u.serve()
	t.Cleanup(func() { u.stop() })
	return u
}

// stop ends the server; its counts can be read then.
func (u *uas) stop() {
	u.conn.Close()
	<-u.done
}

func (u *uas) target() string { return "sip:100@" + u.conn.LocalAddr().String() }

func (u *uas) serve() {
	defer close(u.done)
	buffer := make([]byte, 65536)
	for {
		n, peer, err := u.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		request := string(buffer[:n])
		method, _, _ := strings.Cut(request, " ")
		for _, status := range u.script(method, u.got["INVITE"]) {
			u.conn.WriteToUDPAddrPort([]byte(respondTo(request, status)), peer)
		}
		u.got[method]++
	}
}

// respondTo copies what RFC 3261 section 8.2.6.2 wants in a response.
func respondTo(request, status string) string {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for line := range strings.SplitSeq(request, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Via", "From", "Call-ID", "CSeq":
			b.WriteString(line + "\r\n")
		case "To":
			if !strings.Contains(line, ";tag=") {
				line += ";tag=uas"
			}
			b.WriteString(line + "\r\n")
		}
	}
	b.WriteString("Contact: <sip:uas@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n")
	return b.String()
}

func always(statuses ...string) func(string, int) []string {
	return func(method string, _ int) []string {
		switch method {
		case "INVITE":
			return statuses
		case "BYE":
			return []string{"200 OK"}
		}
		return nil
	}
}

func mustRun(t *testing.T, o Options) Report {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRedirectedCalls(t *testing.T) {
	u := startUAS(t, always("100 Trying", "302 Moved"))
	r := mustRun(t, Options{Target: u.target(), Rate: 1000, Duration: 300 * ms, Sockets: 3})
	u.stop()
	if r.Err() != nil || r.Sent != 300 || r.Answered[302] != 300 || r.Provisional != 300 || r.Duplicates != 0 {
		t.Errorf("%v\n%+v", r.Err(), r)
	}
	if u.got["INVITE"] != 300 || u.got["ACK"] != 300 || u.got["BYE"] != 0 {
		t.Errorf("the server got %v", u.got)
	}
	if r.Latency.P50 <= 0 || r.Latency.P50 > r.Latency.P999 || r.CPU <= 0 {
		t.Errorf("latency %v, CPU %v", r.Latency, r.CPU)
	}
}

func TestAnsweredCalls(t *testing.T) {
	u := startUAS(t, always("180 Ringing", "200 OK"))
	r := mustRun(t, Options{Target: u.target(), Rate: 500, Duration: 100 * ms, Grain: ms})
	u.stop()
	if r.Err() != nil || r.Answered[200] != 50 || r.Byes != 50 || r.ByesAnswered != 50 {
		t.Errorf("%v\n%+v", r.Err(), r)
	}
	if u.got["ACK"] != 50 || u.got["BYE"] != 50 {
		t.Errorf("the server got %v", u.got)
	}
}

func TestFaultsAreCounted(t *testing.T) {
	u := startUAS(t, func(method string, call int) []string {
		switch {
		case method != "INVITE":
			return nil
		case call%10 == 0:
			return nil
		case call%10 == 1:
			return []string{"486 Busy", "486 Busy"}
		case call%10 == 2:
			return []string{"486 Busy", "603 Decline"}
		case call%10 == 3:
			return []string{"42 Nonsense", "486 Busy"}
		}
		return []string{"486 Busy"}
	})
	r := mustRun(t, Options{Target: u.target(), Rate: 1000, Duration: 100 * ms, Timeout: 100 * ms})
	if r.Lost != 10 || r.Duplicates != 10 || r.Unexpected != 20 || r.Answered[486] != 90 || r.Clean() {
		t.Errorf("%+v", r)
	}
	if want := "10 of 100 calls lost, 20 unexpected messages"; r.Err() == nil || r.Err().Error() != want {
		t.Errorf("error %v, want %s", r.Err(), want)
	}
	if r.FirstUnexpected == "" {
		t.Error("no sample of what was unexpected")
	}
}

func TestTimerAFindsAForgetfulServer(t *testing.T) {
	u := startUAS(t, func(method string, call int) []string {
		if method == "INVITE" && call >= 20 {
			return []string{"302 Moved"}
		}
		return nil
	})
	r := mustRun(t, Options{Target: u.target(), Rate: 1000, Duration: 20 * ms, Timeout: time.Second, Retransmit: true})
	const least = timerT1 - timerT1/1000 // latencies are kept to three digits, rounded down
	if r.Err() != nil || r.Retransmitted != 20 || r.Answered[302] != 20 || r.Latency.Min < least {
		t.Errorf("%v, least %v\n%+v", r.Err(), r.Latency.Min, r)
	}
}

func TestClosedPortEndsTheRun(t *testing.T) {
	u := startUAS(t, always())
	u.stop()
	_, err := Run(t.Context(), Options{Target: u.target(), Rate: 100, Duration: time.Minute})
	if !errors.Is(err, errNobodyListens) {
		t.Errorf("error %v, want %v", err, errNobodyListens)
	}
}

func TestRequestsTooLargeForADatagramAreCounted(t *testing.T) {
	u := startUAS(t, always("302 Moved"))
	header := "X-Large: " + strings.Repeat("x", 70_000)
	r := mustRun(t, Options{Target: u.target(), Rate: 1000, Duration: 100 * ms, Timeout: 50 * ms, Headers: []string{header}})
	if r.SendErrors != 100 || r.Lost != 100 || r.Clean() {
		t.Errorf("%+v", r)
	}
}

func TestInterruptedRunReports(t *testing.T) {
	u := startUAS(t, always("302 Moved"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*ms)
	defer cancel()
	r, err := Run(ctx, Options{Target: u.target(), Rate: 100, Duration: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if r.Err() != nil || r.Planned != 6000 || r.Sent == 0 || r.Sent > 1000 || r.Clean() {
		t.Errorf("%+v", r)
	}
}

func TestCommand(t *testing.T) {
	u := startUAS(t, always("302 Moved"))
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		c := Command()
		c.SetOut(&out)
		c.SetErr(&bytes.Buffer{})
		c.SetArgs(append(args, "--rate", "200", "--duration", "50ms", u.target()))
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}
	text, err := run()
	if err != nil || !strings.Contains(text, "302: 10") {
		t.Errorf("%v\n%s", err, text)
	}
	text, err = run("--json")
	var r Report
	if err != nil || json.Unmarshal([]byte(text), &r) != nil || r.Answered[302] != 10 {
		t.Errorf("%v\n%s", err, text)
	}
	u.stop()
	if _, err := run(); !errors.Is(err, errNobodyListens) {
		t.Errorf("error %v, want %v", err, errNobodyListens)
	}
}
