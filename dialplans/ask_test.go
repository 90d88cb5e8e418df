package dialplans

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dialyard/proto"
)

// TestAsked looks at what is sent of what a script asks.
func TestAsked(t *testing.T) {
	for source, want := range map[string]string{
		`http.get("https://example.net/a?b=1")`:                                           `http GET https://example.net/a?b=1`,
		`http.get("http://[2001:db8::1]:8080", {timeout = 0.5, headers = {["X-A"] = 5}})`: `http GET http://[2001:db8::1]:8080 [X-A: 5] within 0.5s`,
		`http.post("http://example.net", "a=b")`:                                          `http POST http://example.net "a=b"`,
		`http.post("http://example.net", 5)`:                                              `http POST http://example.net "5"`,
		`http.post("http://example.net", {b = {1}})`:                                      `http POST http://example.net [Content-Type: application/json] "{\"b\":[1]}"`,
		`http.post("http://example.net", {}, {headers = {["content-type"] = "a/b"}})`:     `http POST http://example.net [content-type: a/b] "{}"`,
		`http.request{method = "PUT", url = "http://example.net", body = "x"}`:            `http PUT http://example.net "x"`,
		`http.request{url = "http://example.net", headers = {From = "a"}, timeout = 2}`:   `http GET http://example.net [From: a] within 2s`,
		`dns.lookup("example.net")`:                                                       `dns A example.net`,
		`dns.lookup("_sip._udp.example.net", "srv")`:                                      `dns SRV _sip._udp.example.net`,
		`enum.lookup("+44 20")`:                                                           `dns NAPTR 0.2.4.4.e164.arpa`,
		`enum.lookup("4420", "enum.example.net")`:                                         `dns NAPTR 0.2.4.4.enum.example.net`,
		`kv.get("a b")`:                       `kv get a b`,
		`kv.get(5)`:                           `kv get 5`,
		`kv.set("a", "b\0c")`:                 `kv set a "b\x00c"`,
		`kv.set("a", 1.5, 60)`:                `kv set a "1.5" for 60s`,
		`kv.delete("a")`:                      `kv delete a`,
		`kv.incr("a")`:                        `kv increment a by 1`,
		`kv.incr("a", -5, 31536000)`:          `kv increment a by -5 for 31536000s`,
		`limit.slot("gw1", 30)`:               `limit gw1: 30`,
		`limit.rate("calls", 5, 0.5)`:         `limit calls: 5 in 0.5s`,
		`sys.WebGet("http://example.net", 2)`: `http GET http://example.net within 2s`,
		`sys.DBWrite("a", 1, 5)`:              `kv set a "1"`,
	} {
		host := &switchboard{}
		done := host.execute(demoStart(), noon, mustCompile(t, source))
		if done.Outcome != proto.Outcome_OUTCOME_FINISHED || len(host.lines) != 1 || host.lines[0] != want {
			t.Errorf("%s:\n got %s %v\nwant %s", source, host.lines, trouble(done), want)
		}
	}
}

// TestSysSent looks at what sys makes of its calls.
func TestSysSent(t *testing.T) {
	for source, want := range map[string]string{
		`sys.Dial("${dst}@gw1&a@gw2", 20, 60)`: `dial 100@gw1[ring=20s; max=60s] & a@gw2[ring=20s; max=60s]`,
		`sys.Dial("a@gw", 0, 0)`:               `dial a@gw`,
		`sys.SetFromHeader("Front", "", "c.d") sys.SetCustomSIPHeader("X-A: b: c ") sys.Dial("a@gw")`:                                                          `dial a@gw[from="Front",,c.d; X-A: b: c]`,
		`sys.SetCustomSIPHeader("X-A: 1") sys.SetCustomSIPHeader("x-a: 2") sys.SetCustomSIPHeader("X-B: 3") sys.RemoveCustomSIPHeader("x-b") sys.Dial("a@gw")`: `dial a@gw[x-a: 2]`,
		`sys.SetCustomSIPHeader("X-A: 1") sys.ClearCustomSIPHeaders() sys.SetFromHeader("x") sys.SetFromHeader() sys.Dial("a@gw")`:                             `dial a@gw`,
		`sys.Trace = true sys.Dial("a@gw")`:      "dial a@gw\ninfo sys.Dial a@gw failed 480 ",
		`sys.Respond(486, "Busy")`:               `reject 486 Busy`,
		`sys.Respond(486, "", "X-A: b|X-C: d")`:  `reject 486  [X-A: b] [X-C: d]`,
		`sys.Respond(486, nil, {["X-A"] = "b"})`: `reject 486  [X-A: b]`,
		`sys.Respond(183)`:                       `ring 183`,
		`sys.Log("a")`:                           `info a`,
	} {
		host := &switchboard{}
		done := host.execute(demoStart(), noon, mustCompile(t, source))
		if got := strings.Join(host.lines, "\n"); done.Outcome != proto.Outcome_OUTCOME_FINISHED || got != want {
			t.Errorf("%s:\n got %s %v\nwant %s", source, got, trouble(done), want)
		}
	}
}

// TestSysIsNotLoaded runs a plan without sys: there must be nothing of it in the run.
func TestSysIsNotLoaded(t *testing.T) {
	run := NewRun(demoStart(), discard{}, noon)
	if done := run.Execute(mustCompile(t, benchPlan)); done.Outcome != proto.Outcome_OUTCOME_FINISHED || run.sys != nil {
		t.Error(done, run.sys)
	}
}

// TestSysOfEachRun runs a plan twice in one state: the second finds nothing of
// the first.
func TestSysOfEachRun(t *testing.T) {
	p := mustCompile(t, `
		assert(sys.LastDialled == nil and not sys.Trace)
		sys.Trace = true
		sys.SetCustomSIPHeader("X-A: b")
		sys.Dial("a@gw")`)
	for range 3 {
		if done := new(switchboard).execute(demoStart(), noon, p); done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Fatal(done)
		}
	}
}

// TestHostileAnswers gives answers that no broker should give: the script gets an
// error as a value.
func TestHostileAnswers(t *testing.T) {
	fetched := func(f *proto.Fetched) *proto.Answer { return &proto.Answer{Is: &proto.Answer_Fetched{Fetched: f}} }
	const get, lookup, number, value, slot = `http.get("http://example.net")`, `dns.lookup("example.net")`, `enum.lookup("+4420")`, `kv.get("a")`, `limit.slot("a", 1)`
	for _, c := range []struct {
		source string
		answer *proto.Answer
		want   string
	}{
		{get, nil, "no answer"},
		{get, &proto.Answer{}, "no answer"},
		{get, keptAnswer(&proto.Kept{}), "no answer"},
		{get, fetched(nil), "no answer"},
		{get, fetched(&proto.Fetched{Body: make([]byte, maxFetchedBody+1)}), "the answer is too large"},
		{get, fetched(&proto.Fetched{Headers: make([]*proto.Header, maxFetchedHeaders+1)}), "the answer is too large"},
		{get, &proto.Answer{Error: "a\r\nb\xff" + strings.Repeat("x", 300)}, "ab" + strings.Repeat("x", 254)},
		{get, &proto.Answer{Error: "both", Is: fetched(&proto.Fetched{}).Is}, "both"},
		{lookup, fetched(&proto.Fetched{}), "no answer"},
		{lookup, &proto.Answer{Is: &proto.Answer_Found{Found: &proto.Found{Records: make([]*proto.DNSRecord, maxRecords+1)}}}, "the answer is too large"},
		{number, keptAnswer(&proto.Kept{}), "no answer"},
		{value, fetched(&proto.Fetched{}), "no answer"},
		{value, keptAnswer(&proto.Kept{Found: true, Value: make([]byte, maxValue+1)}), "the answer is too large"},
		{`kv.set("a", "b")`, fetched(&proto.Fetched{}), "no answer"},
		{`kv.delete("a")`, fetched(&proto.Fetched{}), "no answer"},
		{`kv.incr("a")`, fetched(&proto.Fetched{}), "no answer"},
		{slot, keptAnswer(&proto.Kept{}), "no answer"},
		{slot, &proto.Answer{}, "no answer"},
	} {
		host := &switchboard{told: []*proto.Answer{c.answer}}
		done := host.execute(demoStart(), noon, mustCompile(t, `local v, err = `+c.source+` log(tostring(v), err)`))
		if got := host.logs; len(got) != 1 || !strings.HasSuffix(got[0].Text, " "+c.want) || !strings.HasPrefix(got[0].Text, "nil ") && !strings.HasPrefix(got[0].Text, "false ") {
			t.Errorf("%s, %v: %v %v", c.source, c.answer, got, done)
		}
	}
	// Records that are nil, and a dial's answer to what is no dial.
	for _, answer := range []*proto.Answer{
		{Is: &proto.Answer_Found{Found: &proto.Found{Records: make([]*proto.DNSRecord, 3)}}},
		fetched(&proto.Fetched{Headers: make([]*proto.Header, 3)}),
	} {
		host := &switchboard{told: []*proto.Answer{answer, answer, answer}}
		done := host.execute(demoStart(), noon, mustCompile(t, lookup+number+` local r = `+get+` if r then log(r.headers["X-A"]) end`))
		if done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Errorf("%v: %v", answer, done)
		}
	}
}

// TestAnswersOfTheWrongKind crosses the answers of a dial and a question.
func TestAnswersOfTheWrongKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newAsking()
		run, ended := executing(t, host, `
			local value, err = kv.get("a")
			assert(value == nil and err == "no answer", err)
			assert(call:dial("a@gw").status == "failed")`)
		run.Result(resultOf(<-host.asked, success))
		run.Result(answerTo(<-host.asked, keptAnswer(&proto.Kept{Found: true})))
		if done := <-ended; done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Error(done)
		}
	})
}

// TestManyAnswersAreCounted lets a script collect large answers: they count as
// strings that it builds, and requests end at the twentieth.
func TestManyAnswersAreCounted(t *testing.T) {
	host := &asker{answer: &proto.Answer{Is: &proto.Answer_Fetched{Fetched: &proto.Fetched{Status: 200, Body: make([]byte, maxFetchedBody)}}}}
	host.run = NewRun(demoStart(), host, noon)
	done := host.run.Execute(mustCompile(t, `
		local all = {}
		for i = 1, 1000 do
		  local r, err = http.get("http://example.net")
		  if not r then assert(i == 21 and err == "limit: more than 20 HTTP requests") break end
		  all[i] = r
		end
		assert(#all == 20)`))
	if done.Outcome != proto.Outcome_OUTCOME_FINISHED || host.asked != maxFetches || host.run.budget.built < maxFetches*maxFetchedBody {
		t.Error(done, host.asked, host.run.budget.built)
	}
}

// TestThousandAsks ends a script that does nothing else.
func TestThousandAsks(t *testing.T) {
	for source, want := range map[string]string{
		`for i = 1, 1000 do kv.incr("n") end`:              "the script gave more than 100 instructions",
		`while true do pcall(kv.incr, "n") end`:            "the script gave more than 100 instructions",
		`while true do pcall(limit.rate, "n", 1, 1) end`:   "the script gave more than 100 instructions",
		`while true do http.get("http://example.net") end`: "the script used more than 100ms of CPU time",
	} {
		host := &asker{answer: keptAnswer(&proto.Kept{})}
		start := demoStart()
		start.Limits = &proto.Limits{CpuMs: 100, WallMs: 2000}
		host.run = NewRun(start, host, noon)
		done := host.run.Execute(mustCompile(t, source))
		if done.Outcome != limited || done.Error.GetMessage() != want || host.asked > maxInstructions {
			t.Errorf("%s: %v after %d", source, done, host.asked)
		}
	}
}

// asker is a host that always gives the same answer, twice.
type asker struct {
	discard
	run    *Run
	answer *proto.Answer
	asked  int
}

func (h *asker) Instruct(i *proto.Instruction) {
	if i.GetAsk() == nil {
		return
	}
	h.asked++
	h.run.Result(answerTo(i, h.answer))
	h.run.Result(answerTo(i, &proto.Answer{Error: "the second answer"}))
}

// asking is a host that shows what a run asks and dials to the test, which answers.
type asking struct {
	discard
	asked chan *proto.Instruction
}

func newAsking() *asking { return &asking{asked: make(chan *proto.Instruction, 10)} }

func (h *asking) Instruct(i *proto.Instruction) {
	if i.GetAsk() != nil || i.GetDial() != nil {
		h.asked <- i
	}
}

// TestAskIsTimeOfTheScript has answers come late: their wait is wall time and no
// CPU time. Dials between them are neither.
func TestAskIsTimeOfTheScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newAsking()
		run, ended := executing(t, host, `
			kv.get("a")
			assert(call:deadline() == 7, call:deadline())
			call:dial("a@gw")
			assert(call:deadline() == 7, call:deadline())
			kv.get("b")
			assert(call:deadline() == 1, call:deadline())
			kv.get("c")`)
		wait := func(d time.Duration) {
			i := <-host.asked
			time.Sleep(d)
			synctest.Wait()
			if !run.Waiting() || run.Active() > time.Second {
				t.Errorf("waiting %v, active for %v", run.Waiting(), run.Active())
			}
			if i.GetDial() != nil {
				run.Result(resultOf(i, busy))
				return
			}
			run.Result(answerTo(i, keptAnswer(&proto.Kept{})))
		}
		wait(3 * time.Second)
		wait(time.Minute)
		wait(6 * time.Second)
		i, began := <-host.asked, time.Now()
		done := <-ended // no answer
		if done.Outcome != limited || done.Error.GetMessage() != "the script took longer than 10s" || done.Error.GetLine() != 8 || done.CpuUs > 1e6 {
			t.Error(done)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("ended after %v", took)
		}
		run.Result(answerTo(i, keptAnswer(&proto.Kept{})))
		if run.Waiting() || run.Active() > time.Second {
			t.Errorf("ended, but waiting %v, active for %v", run.Waiting(), run.Active())
		}
	})
}

// TestAskWithinTotal never gets an answer and has little of all its time left.
func TestAskWithinTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newAsking()
		run, ended := executing(t, host, `call:dial("a@gw") kv.get("a")`)
		began := time.Now()
		i := <-host.asked
		time.Sleep(totalLimit - 5*time.Second)
		run.Result(resultOf(i, busy))
		done := <-ended
		if done.Outcome != limited || done.Error.GetMessage() != "the script and its dials took longer than 5m0s" || time.Since(began) != totalLimit {
			t.Error(done, time.Since(began))
		}
	})
}

// TestAskAfterAnswer has the last second for it.
func TestAskAfterAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newAsking()
		run, ended := executing(t, host, `call:dial("a@gw") http.get("http://example.net", {timeout = 5}) http.get("http://example.net")`)
		run.Result(resultOf(<-host.asked, success))
		first := <-host.asked
		if ms := first.GetAsk().GetFetch().GetTimeoutMs(); ms != 750 {
			t.Errorf("the request may take %d ms", ms)
		}
		time.Sleep(900 * time.Millisecond)
		run.Result(answerTo(first, &proto.Answer{Error: "timeout"}))
		second := <-host.asked
		if ms := second.GetAsk().GetFetch().GetTimeoutMs(); ms != 1 {
			t.Errorf("the request may take %d ms", ms)
		}
		began := time.Now()
		done := <-ended
		if done.Outcome != limited || done.Error.GetMessage() != "the script went on for more than 1s after the call was answered" || time.Since(began) != 100*time.Millisecond {
			t.Error(done, time.Since(began))
		}
	})
}

// TestStopWakesAskingRun cancels runs that wait for an answer, in every disguise.
func TestStopWakesAskingRun(t *testing.T) {
	for _, source := range []string{
		`kv.get("a") log("no")`,
		`pcall(kv.get, "a") call:tag("not", "here")`,
		`while true do pcall(function() http.get("http://example.net") end) end`,
		`xpcall(function() kv.get("a") end, function() kv.get("b") end)`,
		`coroutine.wrap(function() dns.lookup("a.b") end)() kv.get("b")`,
		`coroutine.resume(coroutine.create(function() limit.slot("a", 1) end)) kv.get("b")`,
		`table.sort({1, 2, 3}, function() enum.lookup("+4420") return true end)`,
		`return tostring(setmetatable({}, {__tostring = function() kv.get("a") return "x" end}))`,
		`return setmetatable({}, {__index = function() return kv.get("a") end}).x`,
		`pcall(sys.WebGet, "http://example.net") sys.DBRead("a")`,
	} {
		synctest.Test(t, func(t *testing.T) {
			host := newAsking()
			run, ended := executing(t, host, source)
			i := <-host.asked
			synctest.Wait()
			began := time.Now()
			run.Stop(proto.Outcome_OUTCOME_CANCELLED, "the caller hung up")
			run.Result(answerTo(i, keptAnswer(&proto.Kept{}))) // too late
			done := <-ended
			if done.Outcome != proto.Outcome_OUTCOME_CANCELLED || done.Error.GetMessage() != "the caller hung up" || time.Since(began) != 0 {
				t.Errorf("%s: %v after %v", source, done, time.Since(began))
			}
			if len(host.asked) != 0 {
				t.Errorf("%s: asked again", source)
			}
		})
	}
}
