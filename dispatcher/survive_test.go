package dispatcher

import (
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dialyard/dispatcher/call"
	"dialyard/proto"
)

// flawed are workers with a flaw in the shard's own goroutine: placing a run for
// the user "panic" panics, for any other it finds no room.
type flawed struct{}

func (flawed) Start(run *proto.Start, _, _ string, _ bool) (string, bool) {
	if run.Facts.RuriUser == "panic" {
		panic("a flaw")
	}
	return "", false
}
func (flawed) Cancel(string, uint64, string) {}
func (flawed) Result(string, *proto.Result)  {}
func (flawed) Ready() int                    { return 1 }

// ask sends an INVITE for a user and returns the status line of its final answer.
func ask(t *testing.T, conn net.Conn, user string) string {
	t.Helper()
	invite := strings.ReplaceAll("INVITE sip:"+user+"@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK"+user+";rport\n"+
		"From: <sip:t@127.0.0.1>;tag=1\nTo: <sip:"+user+"@127.0.0.1>\nCall-ID: "+user+"\nCSeq: 1 INVITE\nContent-Length: 0\n\n", "\n", "\r\n")
	if _, err := conn.Write([]byte(invite)); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(buffer[:n]), "\r\n")
		if strings.Contains(string(buffer[:n]), "Call-ID: "+user+"\r\n") && !strings.HasPrefix(line, "SIP/2.0 1") {
			return line
		}
	}
}

func TestAPanicCostsOneCall(t *testing.T) {
	defer goleak.VerifyNone(t)
	outcomes := map[string][]call.Outcome{} // the chronicle's goroutine's until Close
	policy := call.DefaultPolicy()
	policy.Tries = 1
	d := New(Options{Shards: 1, Workers: flawed{}, Policy: policy, Log: slog.New(slog.DiscardHandler),
		Record: func(r *call.Record, _ func()) { outcomes[r.CallID] = append(outcomes[r.CallID], r.Outcome) }})
	closed := sync.OnceFunc(d.Close)
	defer closed()
	name := PlanName{Account: "a", Plan: "p"}
	d.SetTable(&Table{Routes: []Route{{To: name}}, Plans: map[PlanName]Plan{name: {Version: 1}}, Accounts: map[string]*Account{"a": {Runs: 1}}})
	if err := d.Serve([]string{"udp://127.0.0.1:0"}, nil); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", strings.TrimPrefix(d.Edge.Addresses()[0], "udp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if line := ask(t, conn, "panic"); line != "SIP/2.0 500 Server Internal Error" {
		t.Errorf("the call that panicked: %s", line)
	}
	if line := ask(t, conn, "next"); line != "SIP/2.0 503 Service Unavailable" {
		t.Errorf("the call after it: %s", line)
	}
	if n := d.Stats.Panics.Load(); n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
	if n := d.Table().Accounts["a"].Running(); n != 0 {
		t.Errorf("the account is left with %d calls", n)
	}
	closed()
	if got := outcomes["panic"]; len(got) != 1 || got[0] != call.Flaw {
		t.Errorf("records of the call that panicked: %v", got)
	}
	if got := outcomes["next"]; len(got) != 1 || got[0] != call.NotAble {
		t.Errorf("records of the call after it: %v", got)
	}
}
