package dialplans

import (
	"sync"
	"testing"

	"go.uber.org/goleak"

	"dialyard/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestNothingIsLeftOfARun executes plans twice in the same Lua state. Each tries
// to leave something behind, and raises an error if it finds it.
func TestNothingIsLeftOfARun(t *testing.T) {
	for _, source := range []string{
		`assert(x == nil) x = 1`,
		`assert(_G.x == nil) _G.x = 1`,
		`assert(rawget(_G, "x") == nil) rawset(_G, "x", 1)`,
		`assert(require("lib").n == 0) require("lib").n = 1`,
		`assert(string.format("%d", 1) == "1") string = nil`,
		`assert(tostring(1) == "1") function tostring() return "x" end`,
		`assert(pcall ~= 1) pcall = 1`,
		`pcall(function() string.rep = nil end) assert(("x"):rep(2) == "xx")`,
		`pcall(rawset, string, "rep", 1) assert(("x"):rep(2) == "xx")`,
		`assert(not pcall(setmetatable, string, {}))`,
		`local ok = pcall(function() getmetatable("").__index.x = 1 end) assert(not ok and ("").x == nil)`,
		`assert(not pcall(function() call.mark = 1 end) and not pcall(function() return call.mark end))`,
		`pcall(table.insert, string, 1) pcall(table.sort, string) pcall(table.remove, string) assert(#string == 0)`,
		`assert(("abc"):gsub("b", "x") == "axc") for k in pairs(string) do pcall(rawset, string, k, nil) end`,
		`for k, v in pairs(math) do assert(v) end local m = {} pcall(setmetatable, math, m) assert(math.pi)`,
		`assert(coroutine.running() == nil) leak = coroutine.create(function() coroutine.yield() end) coroutine.resume(leak)`,
		`local f = string.gmatch("a b", "%a") assert(f() == "a")`,
	} {
		p, err := Compile(map[string][]byte{mainFile: []byte(source), "lib.lua": []byte("return {n = 0}")})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if done := NewRun(demoStart(), discard{}, noon).Execute(p); done.Outcome != proto.Outcome_OUTCOME_FINISHED {
				t.Errorf("%s: %v", source, done.Error)
			}
		}
	}
}

// TestFactsAreOfTheRun shares a plan between goroutines with calls of their own.
func TestFactsAreOfTheRun(t *testing.T) {
	p := mustCompile(t, `
local user = call.to.user
for i = 1, 50 do assert(call.to.user == user and call.headers["X-User"] == user) end
call:reject(404, user)`)
	var all sync.WaitGroup
	for _, user := range []string{"100", "200", "300", "400"} {
		all.Go(func() {
			for range 200 {
				host := &recorder{}
				start := &proto.Start{Facts: &proto.Facts{ToUser: user, Headers: "X-User: " + user + "\r\n"}}
				done := NewRun(start, host, noon).Execute(p)
				if done.Outcome != proto.Outcome_OUTCOME_FINISHED || host.instructions[0].GetReject().GetReason() != user {
					t.Errorf("%v %v", done, host.instructions)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestStateIsDroppedAfterTrouble looks whether a state comes back to its plan.
func TestStateIsDroppedAfterTrouble(t *testing.T) {
	for _, source := range []string{
		`error("x")`,
		`while true do end`,
		`pcall(error, "x")`,
		`coroutine.wrap(function() end)()`,
		`local function f(...) return f(1, ...) end f()`,
	} {
		p := mustCompile(t, source)
		start := demoStart()
		start.Limits = &proto.Limits{CpuMs: 10}
		NewRun(start, discard{}, noon).Execute(p)
		if p.states.Get() != nil {
			t.Errorf("%s: the state is used again", source)
		}
	}
}

// TestInnocentRunsBesideHostileOnes answers calls while scripts of others burn
// all the CPU there is: time in which a run had no CPU is not held against it.
func TestInnocentRunsBesideHostileOnes(t *testing.T) {
	loop, plan := mustCompile(t, `while true do end`), mustCompile(t, benchPlan)
	var hogs sync.WaitGroup
	var runs []*Run
	for range 40 {
		run := NewRun(demoStart(), discard{}, noon)
		runs = append(runs, run)
		hogs.Go(func() { run.Execute(loop) })
	}
	for range 300 {
		if done := NewRun(demoStart(), discard{}, noon).Execute(plan); done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Fatal(done)
		}
	}
	for _, run := range runs {
		run.Stop(proto.Outcome_OUTCOME_CANCELLED, "enough")
	}
	hogs.Wait()
}
