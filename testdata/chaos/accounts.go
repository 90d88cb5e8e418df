package main

import "fmt"

// account is one of those on the server, with its only plan.
type account struct {
	name    string
	source  string
	status  int  // that each of its callers is to hear; unused if it is hostile
	dials   bool // CALLEE in the source
	hostile bool
}

// behaved are the plans of those who do no harm, by turns.
var behaved = []account{
	{source: `call:redirect("sip:" .. call.to.user .. "@gw.example.net")`, status: 302},
	{source: `call:reject(486, "Not now")`, status: 486},
	{source: `call:ring() call:reject(603)`, status: 603},
	{source: `call:dial("sip:callee@CALLEE")`, status: 200, dials: true},
	{source: `kv.incr("calls") if limit.slot("all", 100000) then call:redirect("sip:1@gw.example.net") else call:reject(486) end`, status: 302},
}

const behavedAccounts = 20

// arsenals are what each of the hostile accounts does, one thing at a time: what Lua lets it do, what
// ends or spoils its worker, and what a worker says that nobody holds any longer.
var arsenals = [][]string{
	{
		`while true do end`,
		`while true do pcall(function() while true do end end) end`,
		`local t = {} while true do t[#t + 1] = {t} end`,
		`local s = "x" while true do s = s .. s end`,
		`("a"):rep(30000):find(("a-"):rep(30) .. "b")`,
		`while true do log.info(("x"):rep(1000)) end`,
		`for i = 1, 1e9 do kv.set("k" .. i, ("x"):rep(16000)) end`,
		`local function f() return coroutine.wrap(f)() end f()`,
	},
	{
		`fault.exit()`,
		`fault.crash()`,
		hang,
		`fault.spin()`,
		`fault.leak(8000000) call:reject(486)`,
		`fault.goroutines(10000) call:reject(486)`,
		`call:ring() fault.exit()`,
		`if math.random(20) == 1 then fault.exit() end call:reject(486)`,
	},
	{
		`call:reject(486, fault.try("exec"))`,
		`call:reject(486, fault.try("fork"))`,
		`call:reject(486, fault.try("socket"))`,
		`fault.lie("garbage")`,
		`fault.lie("no run")`,
		`fault.lie("large")`,
		`fault.lie("flood")`,
		`fault.lie("deaf") call:reject(486)`,
		`fault.lie("all well") fault.leak(8000000) call:reject(486)`,
	},
}

// hang is the attack whose end is timed.
const hang = `fault.hang()`

// everybody is every account there is.
func everybody() (list []account) {
	for i := range behavedAccounts {
		a := behaved[i%len(behaved)]
		a.name = fmt.Sprintf("good%02d", i+1)
		list = append(list, a)
	}
	for i := range arsenals {
		list = append(list, account{name: fmt.Sprintf("bad%d", i+1), source: `call:reject(486)`, hostile: true})
	}
	return list
}
