package dialplans

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

var callFunctions = map[string]lua.LGFunction{
	"call:deadline": callDeadline, "call:header_values": callHeaderValues, "call:redirect": callRedirect,
	"call:reject": callReject, "call:remove_header": callRemoveHeader, "call:ring": callRing,
	"call:set_header": callSetHeader, "call:tag": callTag, "call:dial": callDial,
}

// callObject is the global call of all runs: what it shows is the call of the
// run that asks.
var callObject *lua.LUserData

// newCall makes the global call. fields holds its functions; the objects in it
// are the same for all runs and found there too, without a call into Go.
func newCall(fields *lua.LTable, m Module) *lua.LUserData {
	fields.RawSetString("from", fromObject)
	fields.RawSetString("to", toObject)
	fields.RawSetString("ruri", ruriObject)
	fields.RawSetString("headers", headersObject)
	names := m.names()
	fields.Metatable = meta(map[string]lua.LValue{"__index": function(func(L *lua.LState) int {
		name := lua.LVAsString(L.Get(2))
		value := fact(runOf(L), name)
		if value == nil {
			L.RaiseError("%s", unknownField("call", name, names))
		}
		L.Push(value)
		return 1
	})})
	callObject = object("call", fields, func(r *Run) string { return r.facts.GetCallId() })
	return callObject
}

// fact is a field of call that differs from run to run; nil if it has none of
// that name.
func fact(r *Run, name string) lua.LValue {
	switch name {
	case "id":
		return lua.LString(r.facts.GetCallId())
	case "account":
		return lua.LString(r.start.GetAccount())
	case "plan":
		return lua.LString(r.start.GetPlan())
	case "version":
		return lua.LNumber(r.start.GetVersion())
	case "source":
		return lua.LString(r.facts.GetSource())
	case "body":
		return lua.LString(r.facts.GetBody())
	}
	return nil
}

// What can have decided a call.
const (
	refused  = "the call was decided"
	answered = "the call was answered"
	givenUp  = "the caller gave up"
)

// decide notes that the call's final answer has been given: there is only one.
func decide(L *lua.LState, verb string) *Run {
	r := undecided(L, verb)
	r.decided = refused
	return r
}

// undecided is the run, whose call must not have had its final answer yet.
func undecided(L *lua.LState, verb string) *Run {
	r := runOf(L)
	if r.decided != "" {
		L.RaiseError("call:%s after %s", verb, r.decided)
	}
	return r
}

// instruct sends one instruction to the host.
func (r *Run) instruct(L *lua.LState, i *proto.Instruction) int {
	r.address(L, i)
	r.host.Instruct(i)
	return 0
}

// address puts the run and the next number on an instruction.
func (r *Run) address(L *lua.LState, i *proto.Instruction) {
	if r.seq++; r.seq > maxInstructions {
		r.budget.end(proto.Outcome_OUTCOME_LIMIT, "the script gave more than 100 instructions")
		pay(L, lookEvery)
	}
	i.Run, i.Seq = r.id, r.seq
}

// self checks that a verb was called as call:verb() and not call.verb().
func self(L *lua.LState, verb string) {
	if L.Get(1) != lua.LValue(callObject) {
		L.RaiseError("write call:%s(...), with a colon", verb)
	}
}

func callReject(L *lua.LState) int {
	self(L, "reject")
	reject := &proto.Reject{Code: code(L, 2, 0, 400, 699), Reason: L.OptString(3, "")}
	check(L, checkText("reason", reject.Reason, maxReason))
	if headers := L.OptTable(4, nil); headers != nil {
		reject.Headers = headersOf(L, headers, checkHeader)
	}
	return decide(L, "reject").instruct(L, &proto.Instruction{Is: &proto.Instruction_Reject{Reject: reject}})
}

func callRedirect(L *lua.LState) int {
	self(L, "redirect")
	redirect := &proto.Redirect{Targets: targetsOf(L, 2), Code: code(L, 3, 302, 300, 399)}
	return decide(L, "redirect").instruct(L, &proto.Instruction{Is: &proto.Instruction_Redirect{Redirect: redirect}})
}

func callRing(L *lua.LState) int {
	self(L, "ring")
	ring := &proto.Ring{Code: code(L, 2, 180, 180, 183)}
	return undecided(L, "ring").instruct(L, &proto.Instruction{Is: &proto.Instruction_Ring{Ring: ring}})
}

func callSetHeader(L *lua.LState) int {
	self(L, "set_header")
	name, value := L.CheckString(2), L.CheckString(3)
	if value == "" {
		L.RaiseError("the value of %s is empty; call:remove_header takes a header away", clip(name))
	}
	return setHeader(L, "set_header", name, value)
}

func callRemoveHeader(L *lua.LState) int {
	self(L, "remove_header")
	return setHeader(L, "remove_header", L.CheckString(2), "")
}

func setHeader(L *lua.LState, verb, name, value string) int {
	check(L, checkHeader(name, value))
	set := &proto.SetHeader{Header: &proto.Header{Name: name, Value: value}}
	return undecided(L, verb).instruct(L, &proto.Instruction{Is: &proto.Instruction_SetHeader{SetHeader: set}})
}

func callTag(L *lua.LState) int {
	self(L, "tag")
	tag := &proto.Tag{Name: L.CheckString(2), Value: textOf(L, L.CheckAny(3))}
	check(L, checkText("name of the tag", tag.Name, maxTag))
	check(L, checkText("value of the tag", tag.Value, maxTag))
	if tag.Name == "" {
		L.RaiseError("the name of the tag is empty")
	}
	return runOf(L).instruct(L, &proto.Instruction{Is: &proto.Instruction_Tag{Tag: tag}})
}

func callDeadline(L *lua.LState) int {
	self(L, "deadline")
	L.Push(lua.LNumber(runOf(L).budget.remaining().Seconds()))
	return 1
}

func callHeaderValues(L *lua.LState) int {
	self(L, "header_values")
	name := L.CheckString(2)
	values := L.NewTable()
	for _, h := range runOf(L).headerLines() {
		if sameHeader(h.name, name) {
			values.Append(lua.LString(h.value))
		}
	}
	L.Push(values)
	return 1
}

// code is a status at an argument; usual stands for an absent one if not 0.
func code(L *lua.LState, n, usual, low, high int) uint32 {
	value := lua.LNumber(usual)
	if usual == 0 || L.Get(n) != lua.LNil {
		value = L.CheckNumber(n)
	}
	if float64(value) != math.Trunc(float64(value)) {
		L.RaiseError("the code %s is not a whole number", numberText(float64(value)))
	}
	check(L, checkCode(int(value), low, high))
	return uint32(value)
}

// targetsOf is one target or a list of them at an argument.
func targetsOf(L *lua.LState, n int) []string {
	list, ok := L.Get(n).(*lua.LTable)
	if !ok {
		target := L.CheckString(n)
		check(L, checkTarget(target))
		return []string{target}
	}
	count := list.Len()
	if count < 1 || count > maxTargets {
		L.RaiseError("%d targets given, a redirect has 1 to %d", count, maxTargets)
	}
	targets := make([]string, count)
	for i := range targets {
		target, ok := list.RawGetInt(i + 1).(lua.LString)
		if !ok {
			L.RaiseError("target %d is a %s, not a string", i+1, list.RawGetInt(i+1).Type())
		}
		check(L, checkTarget(string(target)))
		targets[i] = string(target)
	}
	return targets
}

// headersOf is a table of header names and values, in the table's order; right
// says what is wrong with one.
func headersOf(L *lua.LState, t *lua.LTable, right func(name, value string) error) []*proto.Header {
	var list []*proto.Header
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		name, ok := k.(lua.LString)
		if !ok || !lua.LVCanConvToString(v) {
			L.RaiseError("headers are given as {[\"X-Name\"] = \"value\"}")
		}
		value := textOf(L, v)
		check(L, right(string(name), value))
		if list = append(list, &proto.Header{Name: string(name), Value: value}); len(list) > maxHeadersSet {
			L.RaiseError("more than %d headers", maxHeadersSet)
		}
	}
	return list
}
