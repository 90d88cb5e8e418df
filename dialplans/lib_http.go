package dialplans

import (
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

var httpFunctions = map[string]lua.LGFunction{
	"http.escape": httpEscape, "http.get": httpGet, "http.post": httpPost, "http.request": httpRequest,
}

func httpGet(L *lua.LState) int {
	r := newRequest(L, "GET")
	r.url(L.CheckString(1))
	r.given(2, "request options", "dialyard.RequestOptions", r.option)
	return r.send()
}

func httpPost(L *lua.LState) int {
	r := newRequest(L, "POST")
	r.url(L.CheckString(1))
	L.CheckTypes(2, lua.LTString, lua.LTNumber, lua.LTTable)
	r.given(3, "request options", "dialyard.RequestOptions", r.option)
	r.body(L.Get(2))
	return r.send()
}

func httpRequest(L *lua.LState) int {
	r := newRequest(L, "GET")
	L.CheckTable(1)
	body := lua.LValue(lua.LNil)
	r.given(1, "request", "dialyard.Request", func(name string, v lua.LValue) {
		switch name {
		case "method":
			r.fetch.Method = pick(r.options, name, v, methods)
		case "url":
			r.url(r.text(name, v))
		case "body":
			body = v
		default:
			r.option(name, v)
		}
	})
	if r.fetch.Url == "" {
		L.RaiseError("the request has no url")
	}
	if body != lua.LNil {
		r.body(body)
	}
	return r.send()
}

func httpEscape(L *lua.LState) int {
	text := L.CheckString(1)
	check(L, runOf(L).budget.tooLong(3*len(text)))
	pushBuilt(L, escapeURL(text))
	return 1
}

// request is an HTTP request as its arguments are read.
type request struct {
	options
	fetch *proto.Fetch
}

func newRequest(L *lua.LState, method string) *request {
	return &request{options: options{L}, fetch: &proto.Fetch{Method: method}}
}

func (r *request) url(text string) {
	check(r.lua, checkURL(text))
	r.fetch.Url = text
}

// option takes one option that every request may have.
func (r *request) option(name string, v lua.LValue) {
	switch name {
	case "headers":
		r.fetch.Headers = headersOf(r.lua, r.table(name, v), checkRequestHeader)
		check(r.lua, checkRequestHeaders(r.fetch.Headers))
	case "timeout":
		r.fetch.TimeoutMs = r.seconds(name, v, fetchRange)
	}
}

// body takes the body: text as it is, a table as JSON, which its headers then
// say unless the script did.
func (r *request) body(v lua.LValue) {
	if t, ok := v.(*lua.LTable); ok {
		r.fetch.Body = encodeValue(r.lua, nil, t, 0)
		if !slices.ContainsFunc(r.fetch.Headers, func(h *proto.Header) bool { return strings.EqualFold(h.Name, "Content-Type") }) {
			r.fetch.Headers = append(r.fetch.Headers, &proto.Header{Name: "Content-Type", Value: "application/json"})
		}
	} else if lua.LVCanConvToString(v) {
		r.fetch.Body = []byte(textOf(r.lua, v))
	} else {
		r.wrong("body", v, "string or a table")
	}
	check(r.lua, checkRequestBody(r.fetch))
}

// send makes the request and pushes the response, or nil and why there is none.
func (r *request) send() int {
	run := runOf(r.lua)
	if run.fetches == maxFetches {
		return pushOutcome(r.lua, nil, errFetches)
	}
	run.fetches++
	left := uint32(max(time.Millisecond, run.budget.remaining()-lastMoment) / time.Millisecond)
	if r.fetch.TimeoutMs == 0 || r.fetch.TimeoutMs > left {
		r.fetch.TimeoutMs = left
	}
	answer, err := run.ask(r.lua, &proto.Ask{Is: &proto.Ask_Fetch{Fetch: r.fetch}})
	fetched := answer.GetFetched()
	switch {
	case err == nil && fetched == nil:
		err = errNoAnswer
	case len(fetched.GetBody()) > maxFetchedBody || len(fetched.GetHeaders()) > maxFetchedHeaders:
		err = errTooLarge
	}
	if err != nil {
		return pushOutcome(r.lua, nil, err)
	}
	return pushOutcome(r.lua, responseTable(r.lua, fetched), nil)
}

// responseTable is the answer to a request for the script.
func responseTable(L *lua.LState, f *proto.Fetched) *lua.LTable {
	pay(L, lookEvery*len(f.GetHeaders()))
	lines := make([]header, len(f.GetHeaders()))
	for i, h := range f.GetHeaders() {
		lines[i] = header{h.GetName(), h.GetValue()}
	}
	t := L.NewTable()
	t.RawSetString("status", lua.LNumber(f.GetStatus()))
	t.RawSetString("headers", &lua.LUserData{Value: lines, Metatable: responseHeaders})
	t.RawSetString("body", built(L, f.GetBody()))
	t.Metatable = response
	return t
}

// response is the metatable of responses, responseHeaders that of their headers.
var (
	response = meta(map[string]lua.LValue{
		"__index":     function(responseIndex),
		"__metatable": lua.LString("response"),
	})
	responseHeaders = meta(map[string]lua.LValue{
		"__index":     function(responseHeader),
		"__newindex":  function(func(L *lua.LState) int { L.RaiseError("the headers of a response are read-only"); return 0 }),
		"__metatable": lua.LString("response.headers"),
	})
	responseJSON = function(func(L *lua.LState) int {
		body := L.CheckTable(1).RawGetString("body")
		L.SetTop(0)
		L.Push(body)
		return jsonDecode(L)
	})
)

// responseIndex answers for what a response does not hold itself.
func responseIndex(L *lua.LState) int {
	name := lua.LVAsString(L.Get(2))
	if name != "json" {
		L.RaiseError("%s", unknownField("the response", name, fieldNames("dialyard.Response")))
	}
	L.Push(responseJSON)
	return 1
}

// responseHeader answers response.headers["Name"]: the first value, or nil.
func responseHeader(L *lua.LState) int {
	lines, name := L.CheckUserData(1).Value.([]header), L.CheckString(2)
	for _, h := range lines {
		if strings.EqualFold(h.name, name) {
			L.Push(lua.LString(h.value))
			return 1
		}
	}
	L.Push(lua.LNil)
	return 1
}
