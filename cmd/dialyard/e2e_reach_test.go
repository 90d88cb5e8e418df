package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// directory is an HTTP service in the house, and the settings that let account test
// reach it.
func directory(t *testing.T, serve http.HandlerFunc) (url string, allow setup) {
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	return server.URL, settings(fmt.Sprintf("accounts: [{name: test, http: [%q], private: [127.0.0.0/8]}]", host))
}

func TestPlansReachWhatTheirAccountMay(t *testing.T) {
	var asked atomic.Int64
	url, allow := directory(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		fmt.Fprintf(w, "Name of %s", r.URL.Query().Get("number"))
	})
	s := startServer(t, allow,
		plan("name", `local r, err = http.get("`+url+`/?number=" .. call.from.user) call:reject(486, r and r.body or err)`),
		plan("inside", `local r, err = http.get("http://169.254.169.254/latest") call:reject(486, r and r.body or err)`),
		plan("count", `local n = kv.incr("calls") call:reject(486, "call " .. n)`),
		plan("rate", `if limit.rate("night", 2, 60) then call:reject(486) else call:reject(480, "too many") end`),
	)
	for _, c := range []struct{ user, reason string }{
		{"plan-name", "Name of "},
		{"plan-inside", "not allowed: host"},
		{"plan-count", "call 1"}, {"plan-count", "call 2"},
		{"plan-rate", "Busy Here"}, {"plan-rate", "Busy Here"}, {"plan-rate", "too many"},
	} {
		if a := s.call(c.user); !strings.HasPrefix(a.Reason, c.reason) {
			t.Errorf("%s: answered %d %q, want %q", c.user, a.Status, a.Reason, c.reason)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the directory was asked %d times", asked.Load())
	}
	s.cmd.Process.Kill()
	<-s.exited
	s.start()
	s.waitReady()
	if a := s.call("plan-count"); a.Reason != "call 3" {
		t.Errorf("after a kill: answered %q, want call 3", a.Reason)
	}
}

// TestAServiceThatHangsCostsItsOwnPlanOnly while 200 calls wait for it.
func TestAServiceThatHangsCostsItsOwnPlanOnly(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	url, allow := directory(t, func(http.ResponseWriter, *http.Request) { <-hang })
	s := startServer(t, allow, plan("hang", `local r, err = http.get("`+url+`") call:reject(486, err)`))
	bad := s.load("plan-hang", 50, 6*time.Second)
	good := s.load("100", 100, 6*time.Second)
	time.Sleep(time.Second)
	begun := time.Now()
	if a := s.call("plan-hang"); a.Status != 486 || a.Reason != "timeout" && a.Reason != "busy" {
		t.Errorf("answered %d %q, want 486 timeout", a.Status, a.Reason)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("the black hole took %v of the limit of 2 s", took)
	}
	r := good.wait()
	onlyStatus(t, r, 302)
	if r.Latency.P99 > 500*time.Millisecond {
		t.Errorf("others waited: %v", r.Latency)
	}
	onlyStatus(t, bad.wait(), 486)
}

// TestAPostIsNotRepeated: the worker dies after it, and the caller hears so.
func TestAPostIsNotRepeated(t *testing.T) {
	var posts atomic.Int64
	url, allow := directory(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
		}
	})
	s := startServer(t, withFaults, allow, plan("post", `http.post("`+url+`", "order") fault.exit()`))
	if a := s.call("plan-post"); a.Status != 500 {
		t.Errorf("answered %d, want 500", a.Status)
	}
	if posts.Load() != 1 {
		t.Errorf("%d posts", posts.Load())
	}
}
