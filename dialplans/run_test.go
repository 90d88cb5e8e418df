package dialplans

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dialyard/proto"
)

// recorder is a host that keeps what a run wants, and tells it line by line.
type recorder struct {
	instructions []*proto.Instruction
	logs         []*proto.Log
	lines        []string
}

func (h *recorder) Instruct(i *proto.Instruction) {
	h.instructions = append(h.instructions, i)
	h.lines = append(h.lines, describe(i))
}

func (h *recorder) Log(l *proto.Log) {
	h.logs = append(h.logs, l)
	h.lines = append(h.lines, l.Level+" "+l.Text)
}

// noon is the time of runs that do not care, a Friday.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func mustCompile(t testing.TB, source string) *Plan {
	t.Helper()
	p, err := Compile(map[string][]byte{mainFile: []byte(source)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// demoStart is a call to 100.
func demoStart() *proto.Start {
	return &proto.Start{
		Run: 7, Account: "demo", Plan: "main", Version: 3,
		Facts: &proto.Facts{
			CallId: "a84b4c76e66710", Ruri: "sip:100@127.0.0.1", RuriUser: "100", RuriHost: "127.0.0.1",
			FromUri: "sip:alice@example.net", FromUser: "alice", FromHost: "example.net", FromName: "Alice",
			ToUri: "sip:100@127.0.0.1", ToUser: "100", ToHost: "127.0.0.1", Source: "udp:192.0.2.1:5060",
			Headers: "Via: SIP/2.0/UDP 192.0.2.1\r\nX-Dialyard-Nonce: n0nce\r\nUser-Agent: tester\r\nVia: SIP/2.0/UDP 192.0.2.2\r\n",
		},
	}
}

func TestLimitsOfLog(t *testing.T) {
	for _, c := range []struct {
		limits      *proto.Limits
		lines, size int
	}{
		{nil, 200, 1},
		{&proto.Limits{LogLines: 5}, 5, 1},
		{&proto.Limits{LogBytes: 1000}, 11, 100},
		{nil, 65, 5000},
	} {
		host := &recorder{}
		start := demoStart()
		start.Limits = c.limits
		source := fmt.Sprintf(`for i = 1, 1000 do log(("x"):rep(%d)) end call:reject(403)`, c.size)
		done := NewRun(start, host, noon).Execute(mustCompile(t, source))
		if done.Outcome != proto.Outcome_OUTCOME_FINISHED || len(host.logs) != c.lines {
			t.Errorf("%v: %d lines, %v", c, len(host.logs), done)
		}
		if last := host.logs[len(host.logs)-1]; last.Level != "warn" || !strings.HasPrefix(last.Text, "log limit reached") {
			t.Errorf("%v: ends with %q", c, last.Text)
		}
	}
}

func TestSyntaxErrorsPointAtTheirPlace(t *testing.T) {
	for source, want := range map[string]string{
		"local x = = 1":             "main.lua:1:11: unexpected '='\nlocal x = = 1\n          ^",
		"x = 1\n\tif then":          "main.lua:2:5: unexpected 'then'\n\tif then\n\t   ^",
		"if true then\n  x = 1\n\n": "main.lua:2:8: the file ends too early: is an 'end' or a bracket missing?\n  x = 1\n       ^",
		"x = 'abc":                  "main.lua:1:9: the file ends too early: is an 'end' or a bracket missing?\nx = 'abc\n        ^",
		"goto nowhere":              "main.lua:2: no visible label 'nowhere' for <goto> at line 1\n",
		"break":                     "main.lua:1: no loop to break\n",
	} {
		_, err := Compile(map[string][]byte{mainFile: []byte(source)})
		e, ok := err.(*Error)
		if !ok {
			t.Errorf("%q compiles", source)
			continue
		}
		if got := e.Error() + "\n" + e.Caret(); got != want {
			t.Errorf("%q:\n%s\nwant:\n%s", source, got, want)
		}
	}
}

func TestBundleIsChecked(t *testing.T) {
	for want, files := range map[string]map[string][]byte{
		"main.lua: the bundle has no main.lua":                                         {"x.lua": nil},
		"../x.lua: a file of a bundle is called like gateways.lua or lib/gateways.lua": {mainFile: nil, "../x.lua": nil},
		"the bundle has 262145 bytes, the limit is 262144":                             {mainFile: make([]byte, maxBundle+1)},
		"lib.lua:1:1: unexpected 'end'":                                                {mainFile: nil, "lib.lua": []byte("end")},
	} {
		if _, err := Compile(files); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestErrorSurvivesTheWire(t *testing.T) {
	run := NewRun(demoStart(), discard{}, noon)
	done := run.Execute(mustCompile(t, "local function f()\n  error('no')\nend\nf()"))
	e := ErrorFromProto(done.Error)
	if e.Error() != "main.lua:2: no" || !strings.Contains(e.Stack, "main.lua:4: in main chunk") {
		t.Errorf("%v\n%s", e, e.Stack)
	}
	if again := ErrorFromProto(e.Proto()); *again != *e {
		t.Errorf("%v became %v", e, again)
	}
	if run.Active() <= 0 {
		t.Error("a run that has ended took no time")
	}
}

func TestHealthPlanEchoesNonce(t *testing.T) {
	p, err := Compile(Health())
	if err != nil {
		t.Fatal(err)
	}
	host := &recorder{}
	done := NewRun(demoStart(), host, noon).Execute(p)
	if done.Outcome != proto.Outcome_OUTCOME_FINISHED {
		t.Fatal(done)
	}
	reject := host.instructions[0].GetReject()
	if reject.GetCode() != 420 || reject.GetReason() != "Healthy" || reject.GetHeaders()[0].GetValue() != "n0nce" {
		t.Fatalf("health plan answers %v", reject)
	}
}

type discard struct{}

func (discard) Instruct(*proto.Instruction) {}
func (discard) Log(*proto.Log)              {}

// benchPlan is a plan of 20 lines as people write them: one match, a few
// comparisons, one redirect.
const benchPlan = `
local gateways = { "gw1.example.net", "gw2.example.net" }
local user = call.to.user

if user:match("^00") then
  return call:reject(403, "International calls are off")
end

local function target(host)
  return "sip:" .. user .. "@" .. host
end

if call.from.user == "anonymous" then
  call:tag("caller", "anonymous")
elseif user == "100" then
  call:tag("extension", user)
end

local list = {}
for i, host in ipairs(gateways) do list[i] = target(host) end
call:redirect(list)
`

func BenchmarkRun(b *testing.B) {
	p := mustCompile(b, benchPlan)
	start := demoStart()
	b.ReportAllocs()
	for b.Loop() {
		if d := NewRun(start, discard{}, noon).Execute(p); d.Outcome != proto.Outcome_OUTCOME_FINISHED {
			b.Fatal(d)
		}
	}
}

func BenchmarkRunSimple(b *testing.B) {
	p := mustCompile(b, `
if call.to.user:match("^00") then
  return call:reject(403, "International calls are off")
end
call:redirect("sip:" .. call.to.user .. "@gw1.example.net")`)
	start := demoStart()
	b.ReportAllocs()
	for b.Loop() {
		if d := NewRun(start, discard{}, noon).Execute(p); d.Outcome != proto.Outcome_OUTCOME_FINISHED {
			b.Fatal(d)
		}
	}
}

func BenchmarkFirstRun(b *testing.B) {
	p := mustCompile(b, benchPlan)
	start := demoStart()
	b.ReportAllocs()
	for b.Loop() {
		p.states.Get()
		NewRun(start, discard{}, noon).Execute(p)
	}
}
