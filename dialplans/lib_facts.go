package dialplans

import (
	lua "github.com/yuin/gopher-lua"
)

// address is a URI of the request and its parts, as the script sees it.
type address struct{ uri, user, host, name string }

// The parts of call that have fields of their own. Like call they belong to no
// run: they show the facts of the run that asks.
var (
	fromObject = party("call.from", func(r *Run) address {
		return address{r.facts.GetFromUri(), r.facts.GetFromUser(), r.facts.GetFromHost(), r.facts.GetFromName()}
	})
	toObject = party("call.to", func(r *Run) address {
		return address{r.facts.GetToUri(), r.facts.GetToUser(), r.facts.GetToHost(), r.facts.GetToName()}
	})
	ruriObject = party("call.ruri", func(r *Run) address {
		return address{uri: r.facts.GetRuri(), user: r.facts.GetRuriUser(), host: r.facts.GetRuriHost()}
	})
	headersObject = object("call.headers", function(headerIndex), func(r *Run) string { return r.facts.GetHeaders() })
)

// partyFields are the fields of an address.
var partyFields = []string{"uri", "user", "host", "name"}

// object makes a read-only value: index, a table or a function, answers for its
// fields, text is what tostring gives.
func object(name string, index lua.LValue, text func(*Run) string) *lua.LUserData {
	return &lua.LUserData{Metatable: meta(map[string]lua.LValue{
		"__index":     index,
		"__newindex":  function(func(L *lua.LState) int { L.RaiseError("%s is read-only", name); return 0 }),
		"__metatable": lua.LString(name),
		"__tostring": function(func(L *lua.LState) int {
			L.Push(lua.LString(text(runOf(L))))
			return 1
		}),
	})}
}

// party makes the object for one address of the request.
func party(name string, of func(*Run) address) *lua.LUserData {
	index := func(L *lua.LState) int {
		a := of(runOf(L))
		switch field := lua.LVAsString(L.Get(2)); field {
		case "user":
			L.Push(lua.LString(a.user))
		case "host":
			L.Push(lua.LString(a.host))
		case "uri":
			L.Push(lua.LString(a.uri))
		case "name":
			L.Push(lua.LString(a.name))
		default:
			L.RaiseError("%s", unknownField(name, field, partyFields))
		}
		return 1
	}
	return object(name, function(index), func(r *Run) string { return of(r).uri })
}

// headerLines are the request's headers, parsed when first asked for.
func (r *Run) headerLines() []header {
	if !r.parsed {
		r.headers, r.parsed = parseHeaders(r.facts.GetHeaders()), true
	}
	return r.headers
}

// headerIndex answers call.headers["Name"]: the first value, or nil.
func headerIndex(L *lua.LState) int {
	value, ok := firstHeader(runOf(L).headerLines(), L.CheckString(2))
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LString(value))
	return 1
}

// headersIn are the lines in an object that holds headers: those of the request,
// or of a response.
func headersIn(L *lua.LState, u *lua.LUserData) (lines []header, ok bool) {
	if u == headersObject {
		return runOf(L).headerLines(), true
	}
	lines, ok = u.Value.([]header)
	return lines, ok
}

// headerPairs makes pairs of headers go through all lines in order.
func headerPairs(L *lua.LState, lines []header) int {
	at := 0
	L.Push(function(func(L *lua.LState) int {
		if at == len(lines) {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(lua.LString(lines[at].name))
		L.Push(lua.LString(lines[at].value))
		at++
		return 2
	}))
	return 1
}
