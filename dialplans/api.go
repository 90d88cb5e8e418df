package dialplans

import "slices"

// Module is a part of the Lua API: a global table, the object call, or, with an
// empty name, the functions that are globals themselves.
type Module struct {
	Name      string
	Doc       string
	Object    bool // functions are called with a colon
	Standard  bool // as in the Lua 5.1 manual, with bounds
	Fields    []Field
	Functions []Function
	Records   []Record // tables that the functions take or give
	Chapter   string   // more to say in the manual
}

// Field is a value in a module.
type Field struct{ Name, Type, Doc string }

// Function is a function of a module.
type Function struct {
	Name    string
	Params  []Param
	Returns []Return
	Doc     string
	Example string // one line of Lua
}

// Param is one parameter; a Default makes it optional, "nil" if absence has a
// meaning of its own. The name "..." stands for any number of values.
type Param struct{ Name, Type, Default string }

// Return is one value that a function gives.
type Return struct{ Type, Doc string }

// API is the whole of what scripts can use: the binding, the stub for editors
// and the manual are derived from it.
var API = []Module{
	{
		Name:    "call",
		Object:  true,
		Records: DialRecords,
		Chapter: dialChapter,
		Doc: "The call to decide. Facts can be read, not changed; verbs take effect at once, in the order of the script. " +
			"A call is decided once: by `reject`, by `redirect`, or by a `dial` that is answered. A script that ends without deciding lets the call fail with 480.",
		Fields: []Field{
			{"id", "string", "Call-ID of the request."},
			{"account", "string", "Account that owns this plan."},
			{"plan", "string", "Name of this plan."},
			{"version", "integer", "Version of this plan, from 1."},
			{"from", "dialyard.Party", "Who calls, by the From header."},
			{"to", "dialyard.Party", "Who is called, by the To header."},
			{"ruri", "dialyard.Party", "Where the request goes, by its Request-URI; it has no name."},
			{"source", "string", "Where the request came from, as `udp:192.0.2.1:5060`."},
			{"headers", "table<string, string>", "First value of each header by name; case does not matter. `pairs` goes through all lines in order."},
			{"body", "string", "Body of the request."},
		},
		Functions: []Function{
			{Name: "ring", Params: []Param{{"code", "integer", "180"}},
				Doc:     "Answers provisionally, with 180 to 183.",
				Example: `call:ring()`},
			{Name: "reject", Params: []Param{{"code", "integer", ""}, {"reason", "string", "nil"}, {"headers", "table<string, string>", "nil"}},
				Doc:     "Decides: the call fails with a code from 400 to 699. Without a reason (at most 256 bytes) the usual phrase is sent. At most 20 headers.",
				Example: `call:reject(403, "Not from here", {["X-Rule"] = "blocked"})`},
			{Name: "redirect", Params: []Param{{"targets", "string|string[]", ""}, {"code", "integer", "302"}},
				Doc:     "Decides: the caller shall try these 1 to 10 URIs (sip:, sips: or tel:), the first one first. The code is 300 to 399.",
				Example: `call:redirect({"sip:100@gw1.example.net", "sip:100@gw2.example.net"})`},
			dialFunction,
			{Name: "set_header", Params: []Param{{"name", "string", ""}, {"value", "string", ""}},
				Doc:     "Adds a header to every answer to the caller sent from now on. Headers that belong to the server (Via, Route, Record-Route, CSeq, Call-ID, Max-Forwards, Content-Length, From, To, Contact, X-Dialyard-*) cannot be set.",
				Example: `call:set_header("X-Tariff", "night")`},
			{Name: "remove_header", Params: []Param{{"name", "string", ""}},
				Doc:     "Takes away a header that `set_header` added.",
				Example: `call:remove_header("X-Tariff")`},
			{Name: "tag", Params: []Param{{"name", "string", ""}, {"value", "string|number|boolean", ""}},
				Doc:     "Puts a name and a value, at most 256 bytes each, into the call's record.",
				Example: `call:tag("route", "gw1")`},
			{Name: "header_values", Params: []Param{{"name", "string", ""}}, Returns: []Return{{"string[]", "all values, in order"}},
				Doc:     "All values of a header; an empty list if the request has none.",
				Example: `for _, via in ipairs(call:header_values("Via")) do log(via) end`},
			{Name: "deadline", Returns: []Return{{"number", "seconds left"}},
				Doc:     "How many seconds the script has left before it is ended; the time of a `dial` does not count.",
				Example: `if call:deadline() < 1 then call:reject(480) end`},
		},
	},
	{
		Name: "log",
		Doc: "Lines for the plan's log: the arguments, separated by spaces. `log(...)` is `log.info(...)`, and so is `print`. " +
			"A run writes at most 200 lines and 64 KiB, a line has at most 1 KiB; past that one last line says so and the rest is dropped.",
		Functions: []Function{
			{Name: "debug", Params: []Param{{"...", "any", ""}}, Doc: "Detail for working on the plan.", Example: `log.debug("looked up", call.to.user)`},
			{Name: "info", Params: []Param{{"...", "any", ""}}, Doc: "What happened.", Example: `log.info("night service")`},
			{Name: "warn", Params: []Param{{"...", "any", ""}}, Doc: "What should not happen often.", Example: `log.warn("no route for", call.to.user)`},
			{Name: "error", Params: []Param{{"...", "any", ""}}, Doc: "What somebody has to look at.", Example: `log.error("empty gateway list")`},
		},
	},
	{
		Name: "re",
		Doc: "Regular expressions as in RE2: no look-around and no back-references, and time that grows with the text only. " +
			"Write them in long brackets, `[[^\\d+$]]`, so that no backslash has to be doubled. At most 512 bytes; long texts are refused for large expressions.",
		Functions: []Function{
			{Name: "match", Params: []Param{{"text", "string", ""}, {"expression", "string", ""}}, Returns: []Return{{"string?", "first group, or all of the match if there are no groups; nil if nothing matches"}, {"string?", "second group, and so on"}},
				Doc: "What the expression matches in the text.", Example: `local area, rest = re.match(call.to.user, [[^0(\d{3})(\d+)$]])`},
			{Name: "find", Params: []Param{{"text", "string", ""}, {"expression", "string", ""}}, Returns: []Return{{"integer?", "position of the first byte of the match, from 1; nil if nothing matches"}, {"integer?", "position of its last byte"}, {"string?", "first group, and so on"}},
				Doc: "Where the expression matches in the text.", Example: `local from, to = re.find("ext. 42", [[\d+]])`},
			{Name: "gsub", Params: []Param{{"text", "string", ""}, {"expression", "string", ""}, {"replacement", "string|function", ""}, {"limit", "integer", "nil"}}, Returns: []Return{{"string", "the new text"}, {"integer", "number of replacements"}},
				Doc: "Replaces matches. In the replacement %0 is the match and %1 to %9 are its groups; a function is called with the groups (the match if there are none) and returns the text, or nil to leave it.", Example: `local user = re.gsub(call.to.user, [[^00]], "+")`},
		},
	},
	{
		Name: "json",
		Doc:  "JSON text, at most 256 KiB and nested at most 32 deep.",
		Functions: []Function{
			{Name: "encode", Params: []Param{{"value", "any", ""}}, Returns: []Return{{"string", "the text"}},
				Doc: "A table with a first element is an array, any other an object with its keys in alphabetical order.", Example: `call:tag("choice", json.encode({gateway = "gw1", weight = 2}))`},
			{Name: "decode", Params: []Param{{"text", "string", ""}}, Returns: []Return{{"any", "the value, nil for null and for what is not JSON"}, {"string?", "what is wrong, if it is not JSON"}},
				Doc: "Null elements of arrays and objects are absent.", Example: `local body, err = json.decode(call.body)`},
		},
	},
	{
		Name: "time",
		Doc: "The time at which the run began: it stands still while the script runs. Zones have IANA names, `Europe/London`; " +
			"without one it is UTC.",
		Functions: []Function{
			{Name: "now", Params: []Param{{"zone", "string", "\"UTC\""}}, Returns: []Return{{"dialyard.Time", "year month day hour min sec, weekday (`mon` to `sun`) and iso (RFC 3339)"}},
				Doc: "The time in parts.", Example: `if time.now("Europe/London").month == 12 then log("december") end`},
			{Name: "unix", Returns: []Return{{"integer", "seconds since 1970-01-01 00:00 UTC"}},
				Doc: "The time as a number.", Example: `call:tag("at", time.unix())`},
			{Name: "weekday", Params: []Param{{"zone", "string", "\"UTC\""}}, Returns: []Return{{"string", "`mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`"}},
				Doc: "The day of the week.", Example: `if time.weekday("Europe/London") == "sun" then call:reject(480) end`},
			{Name: "between", Params: []Param{{"from", "string", ""}, {"to", "string", ""}, {"zone", "string", "\"UTC\""}}, Returns: []Return{{"boolean", "whether it is now"}},
				Doc: "Whether the time of day is at or after `from` and before `to`, both like `09:00`, up to `24:00`. If `to` is not after `from`, the span goes past midnight.", Example: `local night = time.between("22:00", "06:00", "Europe/London")`},
		},
	},
	{
		Name: "number",
		Doc:  "Telephone numbers. A number is a string: leading zeros matter.",
		Functions: []Function{
			{Name: "strip", Params: []Param{{"number", "string", ""}}, Returns: []Return{{"string", "the number without them"}},
				Doc: "Takes away spaces, dots, dashes, slashes and brackets.", Example: `number.strip("+44 (20) 7946-0000") -- "+442079460000"`},
			{Name: "is_e164", Params: []Param{{"number", "string", ""}}, Returns: []Return{{"boolean", "whether it is"}},
				Doc: "Whether this is + and 7 to 15 digits that do not begin with 0.", Example: `if not number.is_e164(call.from.user) then call:reject(403) end`},
			{Name: "e164", Params: []Param{{"number", "string", ""}, {"country", "string", ""}, {"trunk", "string", "\"0\""}, {"international", "string", "\"00\""}}, Returns: []Return{{"string?", "the number with +; nil if it cannot be one"}},
				Doc: "Makes an international number of one dialled in a country, given its country code, trunk prefix (\"\" where there is none) and international prefix.", Example: `number.e164("020 7946 0000", "44") -- "+442079460000"`},
			{Name: "has_prefix", Params: []Param{{"number", "string", ""}, {"...", "string|string[]", ""}}, Returns: []Return{{"boolean", "whether it begins with one of them"}},
				Doc: "Whether a number begins with one of these prefixes.", Example: `if number.has_prefix(call.to.user, "0900", "0901") then call:reject(403) end`},
			{Name: "longest_prefix", Params: []Param{{"number", "string", ""}, {"routes", "table<string, any>", ""}}, Returns: []Return{{"any", "the entry of the longest prefix; nil if none fits"}, {"string?", "that prefix"}},
				Doc: "Looks a number up in a table whose keys are prefixes; the key \"\" fits every number.", Example: `local gateway = number.longest_prefix(call.to.user, {["44"] = "uk", ["4420"] = "london"})`},
			{Name: "rewrite", Params: []Param{{"number", "string", ""}, {"rules", "string|table<string, string>", ""}, {"replacement", "string", "nil"}}, Returns: []Return{{"string", "the number with the prefix replaced, or as it was"}, {"boolean", "whether it was"}},
				Doc: "Replaces a prefix: one prefix and its replacement, or a table of them of which the longest that fits counts.", Example: `local user = number.rewrite(call.to.user, {["00"] = "+", ["0"] = "+44"})`},
		},
	},
	{
		Name: "hash",
		Doc:  "Hashes: the same text gives the same value on every worker, in every run and release.",
		Functions: []Function{
			{Name: "percent", Params: []Param{{"text", "string", ""}, {"salt", "string", "\"\""}}, Returns: []Return{{"integer", "0 to 99"}},
				Doc: "Spreads texts evenly over 0 to 99. Another salt spreads them anew.", Example: `local gw = hash.percent(call.from.user, "trial") < 20 and "new" or "old"`},
			{Name: "sha256", Params: []Param{{"text", "string", ""}}, Returns: []Return{{"string", "64 hexadecimal digits"}},
				Doc: "SHA-256 of a text.", Example: `call:tag("caller", hash.sha256(call.from.user))`},
			{Name: "crc32", Params: []Param{{"text", "string", ""}}, Returns: []Return{{"integer", "0 to 4294967295"}},
				Doc: "CRC-32 (IEEE) of a text.", Example: `local server = 1 + hash.crc32(call.id) % 3`},
		},
	},
	httpModule, dnsModule, enumModule, kvModule, limitModule, sysModule,
	standard("", "Functions of Lua 5.1. `require` knows the files of the plan only: `require \"gateways\"` is gateways.lua, `require \"lib.gateways\"` is lib/gateways.lua. "+
		"There is no io, os, debug, package, load, loadstring, dofile, collectgarbage, getfenv or setfenv. The library's tables and `call` are read-only.",
		"assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawset", "require",
		"select", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall"),
	standard("string", "As in Lua 5.1. A string has at most 1 MiB, all that a run builds together at most 64 MiB; a pattern at most 1 KiB. Case changes for ASCII letters only.",
		"byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper"),
	standard("table", "As in Lua 5.1. A list has at most 65535 elements.", "concat", "insert", "maxn", "remove", "sort"),
	standard("math", "As in Lua 5.1, with `math.pi` and `math.huge`. `math.random` needs no seed.",
		"abs", "ceil", "exp", "floor", "fmod", "log", "log10", "max", "min", "modf", "pow", "random", "sqrt"),
	standard("coroutine", "As in Lua 5.1. A run makes at most 100 coroutines, which resume each other at most 16 deep.",
		"create", "resume", "running", "status", "wrap", "yield"),
}

// standard is a module of Lua itself; its functions need no words here.
func standard(name, doc string, functions ...string) Module {
	m := Module{Name: name, Doc: doc, Standard: true}
	for _, f := range functions {
		m.Functions = append(m.Functions, Function{Name: f})
	}
	return m
}

// key is the name of a function of m in the bindings.
func (m Module) key(function string) string {
	switch {
	case m.Name == "":
		return function
	case m.Object:
		return m.Name + ":" + function
	}
	return m.Name + "." + function
}

// names are the names of all that m has, in alphabetical order.
func (m Module) names() []string {
	var names []string
	for _, f := range m.Fields {
		names = append(names, f.Name)
	}
	for _, f := range m.Functions {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// hasField reports whether m has a field of that name.
func (m Module) hasField(name string) bool {
	for _, f := range m.Fields {
		if f.Name == name {
			return true
		}
	}
	return false
}
