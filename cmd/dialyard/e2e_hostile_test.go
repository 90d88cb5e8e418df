package main_test

import (
	"testing"
	"time"
)

// hostile are plans that attack the worker they run in. Each caller must hear 500
// within the limit and a second.
var hostile = map[string]string{
	"loop":      `while true do end`,
	"recurse":   `local function f() return 1 + f() end f()`,
	"tail":      `local function f(...) return f(1, ...) end f()`,
	"error":     `error("no")`,
	"pcall":     `while true do pcall(function() while true do end end) end`,
	"string":    `local s = "x" while true do s = s .. s end`,
	"table":     `local t = {} while true do t[#t + 1] = {t} end`,
	"hole":      `local t = {} t[67108863] = 1 error("held")`,
	"rep":       `local t = {} for i = 1, 1e9 do t[i] = string.rep("x", 1e6) end`,
	"backtrack": `("a"):rep(30000):find(("a-"):rep(30) .. "b")`,
	"coroutine": `while true do local co = coroutine.wrap(function() while true do coroutine.yield() end end) co() end`,
	"nest":      `local function f() return coroutine.wrap(f)() end f()`,
	"sort":      `local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function() return true end) end`,
	"meta":      `local t = setmetatable({}, {__index = function(t, k) return t[k .. "x"] end}) local x = t.a`,
}

func TestAHostilePlanCostsOnlyItsOwnCaller(t *testing.T) {
	var plans []setup
	for name, source := range hostile {
		plans = append(plans, plan(name, source))
	}
	s := startServer(t, plans...)
	good := s.load("100", 50, 60*time.Second)
	const limit = time.Second // limits.cpu
	for name := range hostile {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			a := s.call("plan-" + name)
			if took := time.Since(begun); a.Status != 500 || took > limit+time.Second {
				t.Errorf("answered %d after %v, want 500 within %v", a.Status, took, limit+time.Second)
			}
		})
	}
	onlyStatus(t, good.stop(), 302)
	for _, r := range s.records() {
		if r.Attempts > 2 {
			t.Errorf("call %s ran %d times", r.CallID, r.Attempts)
		}
	}
}

func TestHostilePlansTogetherCostNobodyElseACall(t *testing.T) {
	s := startServer(t, plan("loop", hostile["loop"]), plan("eat", hostile["table"]), plan("string", hostile["string"]))
	good := s.load("100", 50, 10*time.Second)
	for _, user := range []string{"plan-loop", "plan-eat", "plan-string"} {
		bad := s.load(user, 1, 8*time.Second)
		defer func() { onlyStatus(t, bad.wait(), 500) }()
	}
	onlyStatus(t, good.wait(), 302)
}
