package dialplans

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dialyard/proto"
)

const (
	limited = proto.Outcome_OUTCOME_LIMIT
	failed  = proto.Outcome_OUTCOME_ERROR
)

// hostile are scripts that try to stay for ever or to take all there is. Those
// without an outcome may end in any way, but they must end.
var hostile = []struct {
	name    string
	outcome proto.Outcome
	source  string
}{
	{"loop", limited, `while true do end`},
	{"repeat until", limited, `repeat until false`},
	{"goto", limited, `::top:: goto top`},
	{"caught loop", limited, `while true do pcall(function() while true do end end) end`},
	{"caught by handler", limited, `while true do xpcall(function() while true do end end, function() while true do end end) end`},
	{"pcall of pcall", limited, `local function f() while true do pcall(pcall, f) end end f()`},
	{"recursion", failed, `local function f() return 1 + f() end f()`},
	{"tail recursion", failed, `local function f() return f() end f()`},
	{"growing tail call", failed, `local function f(...) return f(1, ...) end f()`},
	{"growing arguments", failed, `local function f(...) return f(..., ...) end f(1)`},
	{"caught recursion", limited, `local function f() f() end while true do pcall(f) end`},
	{"index metamethod", failed, `local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x`},
	{"index chain", failed, `local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x`},
	{"call metamethod", 0, `local t = setmetatable({}, {}) getmetatable(t).__call = t t()`},
	{"tostring metamethod", failed, `local t t = setmetatable({}, {__tostring = function() return tostring(t) end}) tostring(t)`},
	{"concat metamethod", failed, `local t t = setmetatable({}, {__concat = function(a, b) return a .. b end}) return t .. t`},
	{"equality metamethod", failed, `local m = {} m.__eq = function(a, b) return a == b end return setmetatable({}, m) == setmetatable({}, m)`},
	{"loop in comparator", limited, `table.sort({3, 2, 1}, function() while true do end end)`},
	{"sort for ever", limited, `local t = {} for i = 1, 60000 do t[i] = i % 7 end while true do table.sort(t, function(a, b) return true end) end`},
	{"sort of long strings", limited, `local t, s = {}, ("a"):rep(1000000) for i = 1, 60000 do t[i] = s end while true do table.sort(t) end`},
	{"loop in gsub", limited, `("a"):gsub(".", function() while true do end end)`},
	{"backtracking", limited, `("a"):rep(60):match(("a-"):rep(60) .. "b")`},
	{"backtracking stars", limited, `("a"):rep(10000):match((".*"):rep(20) .. "b")`},
	{"backtracking in find", limited, `while true do ("x"):rep(100000):find("(.-)(.-)(.-)(.-)%4y") end`},
	{"balance", limited, `local s = ("("):rep(1000000) while true do s:find("%b()") end`},
	{"captures", limited, `local s = ("a"):rep(1000000) while true do s:match(("(a*)"):rep(32) .. "%1b") end`},
	{"gmatch", limited, `local s = ("a"):rep(1000000) while true do for x in s:gmatch("a-") do end end`},
	{"gsub of everything", 0, `local s = ("a"):rep(1000000) while true do s:gsub(".", "%0%0") end`},
	{"regular expression", 0, `local s = ("a"):rep(50000) while true do re.match(s, "(a*)*b") end`},
	{"regular expression in gsub", 0, `local s = ("a"):rep(50000) while true do re.gsub(s, "a*?x|a", "b") end`},
	{"regular expressions", limited, `local i = 0 while true do i = i + 1 re.match("x", "(a{1,100}){1,9}" .. i) end`},
	{"doubling", failed, `local s = "x" while true do s = s .. s end`},
	{"caught doubling", limited, `local s = ("x"):rep(500000) while true do pcall(function() return s .. s end) end`},
	{"rep", failed, `("x"):rep(1e18)`},
	{"rep of rep", failed, `("x"):rep(1e6):rep(1e6)`},
	{"rep for ever", limited, `local t = {} while true do t[#t + 1] = ("x"):rep(1e6) end`},
	{"format width", failed, `("%999999999d"):format(1)`},
	{"format", failed, `local s = ("x"):rep(1000000) ("%s%s"):format(s, s)`},
	{"upper", limited, `local s = ("x"):rep(1000000) while true do s:upper() end`},
	{"concat of list", failed, `local s, t = ("x"):rep(1000), {} for i = 1, 60000 do t[i] = s end table.concat(t)`},
	{"far store", 0, `local t = {} t[67108863] = 1 t[2^31] = 1 t[65535] = 1`},
	{"long list", failed, `local t = {} while true do table.insert(t, 1) end`},
	{"insert at front", 0, `local t = {} while true do table.insert(t, 1, 1) end`},
	{"trailing nils", limited, `local t = {} t[65535] = 1 t[65535] = nil while true do local n = #t end`},
	{"unpack", failed, `unpack({}, 1, 1e9)`},
	{"unpack range", failed, `unpack({}, -2^62, 2^62)`},
	{"bytes", failed, `("x"):rep(1000000):byte(1, -1)`},
	{"select", 0, `select(-2^63, 1)`},
	{"next over removed keys", limited, `local t = {} for i = 1, 50000 do t["k" .. i] = i end for i = 1, 50000 do t["k" .. i] = nil end while true do next(t) end`},
	{"coroutines", failed, `while true do coroutine.wrap(function() coroutine.yield() end)() end`},
	{"nested coroutines", failed, `local function f() coroutine.wrap(f)() end f()`},
	{"caught nested coroutines", 0, `local function f() while true do pcall(coroutine.wrap(f)) end end f()`},
	{"loop in coroutine", limited, `coroutine.wrap(function() while true do end end)()`},
	{"loop in resumed coroutine", limited, `while true do coroutine.resume(coroutine.create(function() while true do end end)) end`},
	{"yield outside", failed, `coroutine.yield()`},
	{"yield across pcall", 0, `coroutine.wrap(function() pcall(coroutine.yield) end)()`},
	{"yield in metamethod", 0, `coroutine.wrap(function() local t = setmetatable({}, {__index = coroutine.yield}) return t.x end)()`},
	{"yield in sort", 0, `coroutine.wrap(function() table.sort({3, 2, 1}, coroutine.yield) end)()`},
	{"resume itself", 0, `local co co = coroutine.create(function() coroutine.resume(co) end) coroutine.resume(co)`},
	{"wrap of wrap", 0, `local co co = coroutine.wrap(function() co() end) co()`},
	{"instructions", limited, `while true do call:tag("a", "b") end`},
	{"log", limited, `while true do log(("x"):rep(2000)) end`},
	{"log of long values", limited, `local s = ("x"):rep(1000000) while true do log(s, s, s) end`},
	{"json encode", 0, `local t = {} for i = 1, 60000 do t[i] = "x" end while true do json.encode(t) end`},
	{"json decode", 0, `local s = "[" .. ("1,"):rep(100000) .. "1]" while true do json.decode(s) end`},
	{"require itself", failed, `require "main"`},
	{"error object", failed, `error(setmetatable({}, {__tostring = function() while true do end end}))`},
	{"error nil", failed, `error(nil)`},
	{"for with nan step", 0, `for i = 1, 2, 0/0 do end`},
	{"for with zero step", 0, `for i = 1, 2, 0 do end`},
	{"closures", limited, `local t = {} local i = 0 while true do i = (i + 1) % 1000 t[i] = function() return t end end`},
	{"string keys", limited, `local t, s = {}, ("x"):rep(500000) while true do t[s] = 1 end`},
	{"number text", limited, `local s = ("1"):rep(1000000) while true do local n = tonumber(s) end`},
	{"large expression", failed, `re.match("x", "((((a{1,30}){1,30}){1,30}){1,30})")`},
	{"unicode expression", failed, `re.match("x", ([[\pL\pN\pS]]):rep(50))`},
	{"many large expressions", limited, `local i = 0 while true do i = i + 1 re.match("x", "(a{1,450}){1,2}" .. i) end`},
	{"many large patterns", limited, `local i = 0 while true do i = i + 1 ("x"):match(("a?"):rep(500) .. i) end`},
	{"spellings of zones", failed, `time.now("Europe" .. ("/"):rep(10) .. "London")`},
	{"coroutine of a library function", 0, `assert(coroutine.wrap(string.rep)("x", 3) == "xxx")`},
	{"coroutine of pcall", 0, `assert(coroutine.wrap(pcall)(error, "x") == false)`},
	{"coroutine of coroutine", 0, `coroutine.wrap(coroutine.wrap)(coroutine.yield)()`},
	{"error in tostring of error", failed, `error(setmetatable({}, {__tostring = error}))`},
	{"long error", failed, `error(("x"):rep(1000000))`},
	{"errors", limited, `local function f(n) if n == 0 then error("x") end f(n - 1) end while true do pcall(f, 150) end`},
	{"set metatable of nothing", failed, `setmetatable(nil, {})`},
	{"environment chain", 0, `local e = _G for i = 1, 1000 do e = setmetatable({}, {__index = e}) end return e.x`},
	{"pairs while growing", 0, `local t = {1} for k in pairs(t) do t[k + 1] = 1 end`},
	{"body again and again", limited, `while true do local b = call.body end`},
	{"headers again and again", limited, `while true do local h = call.headers["X-None"] call:header_values("Via") end`},
	{"many upvalues", limited, `local a = 1 local t = {} while true do local b = a t[1] = function() a = b return a end t[1]() end`},
	{"string compare", limited, `local a, b = ("x"):rep(1000000), ("x"):rep(999999) .. "x" while true do if a == b then end end`},
	{"numbers", limited, `while true do number.strip(("1-"):rep(500000)) end`},
	{"hash", limited, `local s = ("x"):rep(1000000) while true do hash.sha256(s) hash.crc32(s) hash.percent(s) end`},
	{"prefix list", limited, `local t = {} for i = 1, 60000 do t[i] = "x" end while true do number.has_prefix("1", t, t, t, t) end`},
	{"arithmetic on text", 0, `local s = ("1"):rep(1000000) while true do local n = s + 1 end`},
}

// TestHostileScriptsEnd lets each hostile script run under a limit of 200 ms,
// with a watcher that, as the worker's does, stops it when the heap has grown.
func TestHostileScriptsEnd(t *testing.T) {
	for _, h := range hostile {
		t.Run(strings.ReplaceAll(h.name, " ", "-"), func(t *testing.T) {
			p := mustCompile(t, h.source)
			start := demoStart()
			start.Limits = &proto.Limits{CpuMs: 200, WallMs: 1000}
			run := NewRun(start, discard{}, noon)
			peak := watchHeap(t, run)
			began := time.Now()
			done := run.Execute(p)
			took := time.Since(began)
			if took > 1500*time.Millisecond {
				t.Errorf("took %v", took)
			}
			if grown := peak(); grown > 160<<20 {
				t.Errorf("heap grew by %d MiB", grown>>20)
			}
			if h.outcome != 0 && done.Outcome != h.outcome {
				t.Errorf("ended with %v", done)
			}
		})
	}
}

// watchHeap stops the run when the heap has grown by 64 MiB; the function it
// gives ends the watch and tells the peak of the growth.
func watchHeap(t *testing.T, run *Run) func() uint64 {
	runtime.GC()
	var before, peak atomic.Uint64
	before.Store(heapBytes())
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case <-quit:
				return
			case <-time.After(2 * time.Millisecond):
			}
			if now := heapBytes(); now > before.Load() {
				peak.Store(max(peak.Load(), now-before.Load()))
				if now-before.Load() > 64<<20 {
					run.Stop(limited, "the worker is short of memory")
				}
			}
		}
	}()
	t.Cleanup(func() { <-gone })
	return func() uint64 { close(quit); <-gone; return peak.Load() }
}

func heapBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestStopEndsRunAtOnce stops runs from outside while they are in the library's
// own loops as well as in Lua.
func TestStopEndsRunAtOnce(t *testing.T) {
	for _, source := range []string{
		`while true do end`,
		`("a"):rep(60):match(("a-"):rep(60) .. "b")`,
		`while true do pcall(function() while true do end end) end`,
	} {
		p := mustCompile(t, source)
		run := NewRun(demoStart(), discard{}, noon)
		time.AfterFunc(20*time.Millisecond, func() {
			run.Stop(proto.Outcome_OUTCOME_CANCELLED, "the caller hung up")
			run.Stop(proto.Outcome_OUTCOME_LIMIT, "too late to matter")
		})
		began := time.Now()
		done := run.Execute(p)
		if took := time.Since(began); took > 300*time.Millisecond {
			t.Errorf("%s: took %v", source, took)
		}
		if done.Outcome != proto.Outcome_OUTCOME_CANCELLED || done.Error.GetMessage() != "the caller hung up" || done.Error.GetLine() != 1 {
			t.Errorf("%s: %v", source, done)
		}
	}
}

func TestStopBeforeExecute(t *testing.T) {
	run := NewRun(demoStart(), discard{}, noon)
	run.Stop(proto.Outcome_OUTCOME_CANCELLED, "gone")
	if done := run.Execute(mustCompile(t, `call:reject(403)`)); done.Outcome != proto.Outcome_OUTCOME_CANCELLED {
		t.Error(done)
	}
}
