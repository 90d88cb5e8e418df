package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// caller places all calls of these tests: sipgo's logger is one for the process
// and does not bear a second Caller beside the first.
var caller *Caller

func TestMain(m *testing.M) {
	var err error
	if caller, err = NewCaller("monitor"); err != nil {
		panic(err)
	}
	code := m.Run()
	caller.Close()
	os.Exit(code)
}

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]string{
		"sip:100@127.0.0.1":                    "sip:100@127.0.0.1",
		"sip:100@127.0.0.1:5070;transport=tcp": "sip:100@127.0.0.1:5070;transport=tcp",
		"sips:100@example.net":                 "sips:100@example.net",
		"100@127.0.0.1":                        "sip:100@127.0.0.1",
		"100@127.0.0.1:5070":                   "sip:100@127.0.0.1:5070",
		"127.0.0.1":                            "sip:127.0.0.1",
	} {
		if uri, err := ParseTarget(text); err != nil || uri.String() != want {
			t.Errorf("%q is %v, %v; want %s", text, uri.String(), err, want)
		}
	}
	for _, text := range []string{"", "sip:", "sip:100@", "sip:100@127.0.0.1:port"} {
		if uri, err := ParseTarget(text); err == nil {
			t.Errorf("%q is %v", text, uri.String())
		}
	}
}

// TestHealth: only 420 with the nonce that was sent is healthy.
func TestHealth(t *testing.T) {
	for name, c := range map[string]struct {
		answer  string
		trouble string // empty: healthy
	}{
		"healthy":       {"420 Healthy|X-Dialyard-Worker: w2|X-Dialyard-Nonce: n1", ""},
		"another nonce": {"420 Healthy|X-Dialyard-Nonce: n0", "nonce"},
		"no nonce":      {"420 Bad Extension", "nonce"},
		"busy":          {"486 Busy Here|X-Dialyard-Nonce: n1", "486"},
		"redirected":    {"302 Moved Temporarily|Contact: <sip:a@127.0.0.1>", "302"},
		"not able":      {"503 Service Unavailable", "503"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, "100 Trying", c.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			a, err := caller.Health(ctx, f.uri(t), "w2~1~2~3", "n1")
			if a == nil || (err == nil) != (c.trouble == "") || err != nil && !strings.Contains(err.Error(), c.trouble) {
				t.Fatalf("%+v, %v", a, err)
			}
			if invite := f.first(); !strings.HasPrefix(invite, "INVITE sip:health@") || headerOf(invite, "X-Dialyard-Probe") != "w2~1~2~3" {
				t.Errorf("the probe was:\n%s", invite)
			}
			if c.trouble == "" && a.Get("x-dialyard-worker") != "w2" {
				t.Errorf("the headers are %v", a.Headers)
			}
		})
	}
}

// TestCallSteps: a call that rings and is refused, as its caller sees it.
func TestCallSteps(t *testing.T) {
	f := newFront(t, "180 Ringing")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var lines []string
	a, err := caller.Call(ctx, f.uri(t), nil, func(s Step) {
		if lines = append(lines, s.Line); s.Line == "180 Ringing" {
			f.answer(f.first(), "486 Busy Here|Retry-After: 5")
		}
	})
	if err != nil || a.Status != 486 || a.Reason != "Busy Here" || a.Get("Retry-After") != "5" || a.Get("X-Absent") != "" {
		t.Fatalf("%+v, %v", a, err)
	}
	uri := f.uri(t)
	if got, want := strings.Join(lines, ", "), "INVITE "+uri.String()+", 180 Ringing, 486 Busy Here, ACK"; got != want || len(a.Steps) != 4 {
		t.Errorf("the steps are %s, want %s", got, want)
	}
}

// TestCallAnswered: a call that connects is acknowledged and hung up.
func TestCallAnswered(t *testing.T) {
	f := newFront(t, "200 OK")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	a, err := caller.Call(ctx, f.uri(t), nil, nil)
	if err != nil || a.Status != 200 {
		t.Fatalf("%+v, %v", a, err)
	}
	if got := f.methods(); got != "INVITE ACK BYE" {
		t.Errorf("the front heard %s", got)
	}
}

// TestNobodyAnswers: a front that says nothing is unreachable after as long as the
// context gives it, and not later.
func TestNobodyAnswers(t *testing.T) {
	f := newFront(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	a, err := caller.Call(ctx, f.uri(t), nil, nil)
	if !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) || a != nil {
		t.Errorf("%+v, %v", a, err)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestNobodyListens: a TCP port that is shut is told at once.
func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	uri, err := ParseTarget("sip:100@" + address + ";transport=tcp")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if a, err := caller.Call(ctx, uri, nil, nil); !errors.Is(err, ErrUnreachable) || ctx.Err() != nil {
		t.Errorf("%+v, %v", a, err)
	}
}
