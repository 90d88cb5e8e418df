package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// attacks are more plans like those in hostile: each caller hears 500 within the limits
// of a run and some seconds, and no worker ends for it.
var attacks = map[string]string{
	"repeat":     `repeat until false`,
	"tail-call":  `local function a() return pcall(a) end while true do a() end`,
	"gsub":       `local s = ("a"):rep(1000) while true do s:gsub(".", function(c) return c end) end`,
	"iterator":   `for _ in function() return 1 end do end`,
	"fast-bomb":  `local t = {} for i = 1, 1e9 do t[i] = {i, i, i, i, i, i, i, i} end`,
	"slow-bomb":  `local t = {} while true do for i = 1, 200 do t[#t + 1] = {} end kv.get("wait") end`,
	"closures":   `local f = function() end while true do local g = f f = function() return g() end end`,
	"coroutines": `local t = {} while true do local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co) t[#t + 1] = co end`,
	"brackets":   `("["):rep(10000):find(("[a"):rep(10000))`,
	"captures":   `("x"):rep(30000):find(("(.-)"):rep(30) .. "y")`,
	"stack":      `local function f(n) local a, b, c = f(n + 1) return a, b, c end f(1)`,
	"unpack":     `local t = {} for i = 1, 60000 do t[i] = i end string.char(unpack(t)) error("held")`,
	"log-flood":  `while true do log.info(("x"):rep(1000)) end`,
	"tag-flood":  `while true do call:tag("a" .. math.random(1e9), ("x"):rep(250)) end`,
	"kv-flood":   `for i = 1, 1e9 do kv.set("k" .. i, ("x"):rep(16000)) end`,
}

func TestAnAttackCostsOnlyItsOwnCaller(t *testing.T) {
	t.Parallel()
	var plans []setup
	for name, attack := range attacks {
		plans = append(plans, plan(name, attack))
	}
	s := startServer(t, plans...)
	good := s.load("100", 50, 90*time.Second)
	for name := range attacks {
		begun := time.Now()
		a := s.call("plan-" + name)
		if took := time.Since(begun); a.Status != 500 || took > 13*time.Second {
			t.Errorf("%s: answered %d after %v, want 500", name, a.Status, took)
		}
	}
	onlyStatus(t, good.stop(), 302)
	for _, w := range s.workers() {
		if strings.Contains(w.Reason, "after") {
			t.Errorf("worker %s was replaced: %s", w.name(), w.Reason)
		}
	}
	s.smallLog()
}

// smallLog fails the test if what scripts logged is more than their limits allow: 64 KiB
// for each of the few calls.
func (s *server) smallLog() {
	s.t.Helper()
	info, err := os.Stat(filepath.Join(s.dir, "log"))
	s.must(err)
	if info.Size() > 4<<20 {
		s.t.Errorf("the log has %d bytes", info.Size())
	}
}

// bombs are sources that a naive compiler does not survive.
var bombs = map[string]string{
	"chain":    "local s = \"\"" + strings.Repeat(" .. \"a\"", 30000),
	"brackets": "local a = " + strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000),
	"tables":   "local a = " + strings.Repeat("{", 100_000) + strings.Repeat("}", 100_000),
	"blocks":   strings.Repeat("do ", 60_000) + strings.Repeat("end ", 60_000),
	"minus":    "local a = " + strings.Repeat("- ", 120_000) + "1",
	"calls":    "f" + strings.Repeat("()", 120_000),
	"locals":   "local a" + strings.Repeat(", a", 80_000),
	"elseifs":  "if a then" + strings.Repeat(" elseif a then", 15_000) + " end",
	"binary":   "\x1bLua\x51\x00",
}

// TestABombForTheCompilerIsRefused when it is published: the check answers in time, no
// worker ends, and calls go on.
func TestABombForTheCompilerIsRefused(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	first := s.children()
	good := s.load("100", 50, 90*time.Second)
	for name, source := range bombs {
		begun := time.Now()
		status, text := s.request("PUT", "/v1/accounts/test/plans/bomb", s.token(), source)
		if took := time.Since(begun); status == http.StatusServiceUnavailable || status >= 500 || took > 6*time.Second {
			t.Errorf("%s: %d after %v: %.200s", name, status, took, text)
		}
	}
	r := good.stop()
	onlyStatus(t, r, 302)
	if r.Latency.P99 > 500*time.Millisecond {
		t.Errorf("others waited: %v", r.Latency)
	}
	if now := s.children(); len(now) != len(first) || strings.Contains(s.logText(), `"state":"down"`) {
		t.Errorf("workers ended: %d at first, now %d", len(first), len(now))
	}
}

// TestServicesThatAreTraps for whoever asks them: each is an answer for the script in
// good time, and none reaches what is private.
func TestServicesThatAreTraps(t *testing.T) {
	t.Parallel()
	url, allow := directory(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/drip":
			for range 60 {
				fmt.Fprint(w, "x")
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Second):
				}
			}
		case "/inside":
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/endless":
			for r.Context().Err() == nil {
				w.Write(make([]byte, 64<<10))
			}
		}
	})
	get := func(path string) string {
		return `local r, err = http.get("` + url + path + `") call:reject(486, err or "got it")`
	}
	s := startServer(t, allow, plan("drip", get("/drip")), plan("inside", get("/inside")), plan("round", get("/round")), plan("endless", get("/endless")))
	good := s.load("100", 50, 60*time.Second)
	for path, why := range map[string]string{"drip": "timeout", "inside": "not allowed", "round": "redirect", "endless": "too large"} {
		begun := time.Now()
		a := s.call("plan-" + path)
		if took := time.Since(begun); a.Status != 486 || !strings.Contains(a.Reason, why) || took > 6*time.Second {
			t.Errorf("%s: answered %d %q after %v, want 486 with %q", path, a.Status, a.Reason, took, why)
		}
	}
	onlyStatus(t, good.stop(), 302)
}

// TestOutsideOfLuaThereIsTheJail: whoever has broken out of the interpreter finds
// nothing that it may do.
func TestOutsideOfLuaThereIsTheJail(t *testing.T) {
	t.Parallel()
	var plans []setup
	tries := []string{"exec", "fork", "socket", "read", "kill"}
	for _, what := range tries {
		plans = append(plans, plan(what, `call:reject(486, fault.try("`+what+`"))`))
	}
	s := startServer(t, append(plans, withFaults)...)
	jail := s.metricsJail()
	if !strings.Contains(jail, "seccomp") {
		t.Skip("this system has no seccomp: " + jail)
	}
	for _, what := range tries {
		if a := s.call("plan-" + what); a.Status != 486 || a.Reason == "ok" || a.Reason == "Busy Here" {
			t.Errorf("%s: answered %d %q, want 486 and why it is refused", what, a.Status, a.Reason)
		}
	}
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("afterwards a call is answered %d", a.Status)
	}
}

// metricsJail is what holds the workers, as they say.
func (s *server) metricsJail() string {
	s.t.Helper()
	_, text := s.request("GET", "/v1/workers", "", "")
	_, jail, _ := strings.Cut(text, `"jail":"`)
	jail, _, _ = strings.Cut(jail, `"`)
	return jail
}
