package dialplans

import (
	"fmt"
	"strings"
)

// sysModule is the API of 2009, over that of today: sys.lua.
var sysModule = Module{
	Name: "sys",
	Doc: "The names that scripts of 2009 use, over `call`, `log`, `http`, `enum` and `kv`; new plans need none of them. " +
		"Once a dial has been answered, `sys.Dial` and `sys.Respond` do nothing but log that; the script has one second left, as after any `call:dial`.",
	Fields: []Field{
		{"Username", "string", "The account, `call.account`."},
		{"DialPlanName", "string", "The plan, `call.plan`."},
		{"LastDialled", "string?", "What was last given to `sys.Dial`."},
		{"LastFailureStatus", "integer?", "SIP status of the last `sys.Dial` that was not answered."},
		{"LastFailureReason", "string?", "The phrase that came with it."},
		{"Trace", "boolean", "Can be set: if true, each `sys.Dial` logs its outcome."},
	},
	Functions: []Function{
		{Name: "Log", Params: []Param{{"text", "any", ""}},
			Doc: "Writes a line to the log, as `log` does.", Example: `sys.Log("call from " .. call.from.user)`},
		{Name: "Dial", Params: []Param{{"data", "string", ""}, {"ringTimeout", "number", "nil"}, {"answeredLimit", "number", "nil"}}, Returns: []Return{{"dialyard.Dialled", "how it ended, as from `call:dial`"}},
			Doc: "Dials a dial string, with the headers and the From set before. Times are in seconds, 0 stands for none.", Example: `sys.Dial("${dst}@gw1&100@gw2[dt=5]|200@gw1", 20)`},
		{Name: "Respond", Params: []Param{{"code", "integer", ""}, {"reason", "string", "nil"}, {"headers", "string|table<string, string>", "nil"}},
			Doc: "`call:reject`, or `call:ring` for 180 to 183. Headers may be a string, `Name: value` with `|` between several.", Example: `sys.Respond(486, "On another call", "X-Rule: busy|X-Queue: 2")`},
		{Name: "SetFromHeader", Params: []Param{{"name", "string", "nil"}, {"user", "string", "nil"}, {"host", "string", "nil"}},
			Doc: "Sets what callees of later dials see as From; what is absent or empty is as the caller sent it.", Example: `sys.SetFromHeader("Front desk", "100", "example.net")`},
		{Name: "SetCustomSIPHeader", Params: []Param{{"line", "string", ""}},
			Doc: "Adds a header, `Name: value`, to the INVITEs of later dials, in the place of one of that name.", Example: `sys.SetCustomSIPHeader("X-Tariff: night")`},
		{Name: "RemoveCustomSIPHeader", Params: []Param{{"name", "string", ""}},
			Doc: "Takes such a header away.", Example: `sys.RemoveCustomSIPHeader("X-Tariff")`},
		{Name: "ClearCustomSIPHeaders",
			Doc: "Takes them all away.", Example: `sys.ClearCustomSIPHeaders()`},
		{Name: "ENUMLookup", Params: []Param{{"number", "string", ""}}, Returns: []Return{{"string?", "the first URI; nil if there is none"}, {"string?", "what went wrong"}},
			Doc: "The first of what `enum.lookup` finds.", Example: `local uri = sys.ENUMLookup("+442079460000")`},
		{Name: "WebGet", Params: []Param{{"url", "string", ""}, {"timeout", "number", "nil"}}, Returns: []Return{{"string?", "the page's first 8192 bytes"}, {"string?", "what went wrong, also a status that is not 2xx"}},
			Doc: "Fetches a page, with `http.get`.", Example: `local page = sys.WebGet("https://example.net/open", 2)`},
		{Name: "DBRead", Params: []Param{{"key", "string", ""}}, Returns: []Return{{"string?", "the value; nil if there is none"}, {"string?", "what went wrong"}},
			Doc: "`kv.get`.", Example: `local target = sys.DBRead("forward:" .. call.to.user)`},
		{Name: "DBWrite", Params: []Param{{"key", "string", ""}, {"value", "string|number", ""}}, Returns: []Return{{"boolean?", "true"}, {"string?", "what went wrong"}},
			Doc: "`kv.set`.", Example: `sys.DBWrite("last caller", call.from.user)`},
		{Name: "DBDelete", Params: []Param{{"key", "string", ""}}, Returns: []Return{{"boolean?", "whether it was there"}, {"string?", "what went wrong"}},
			Doc: "`kv.delete`.", Example: `sys.DBDelete("forward:" .. call.to.user)`},
	},
	Chapter: sysChapter(),
}

// sysAbsent is what sys had in 2009 and has not here, and what there is in its
// place.
var sysAbsent = []Field{
	{"In", "", "look at call.source or call.from"},
	{"Out", "", "look at call.source or call.from"},
	{"FromSIPAccount", "", "look at call.from"},
	{"Callback", "", "a script can only decide the call it runs for"},
	{"IsAvailable", "", "dial the user and look at the outcome"},
	{"IsMine", "", "look at call.to.host"},
	{"GetCurrentCallCount", "", "limit.slot bounds how many calls there are at once"},
	{"ExtendScriptTimeout", "", "the time of a dial does not count, and the account's limits bound the rest"},
}

// sysChapter is the table of what is absent.
func sysChapter() string {
	var b strings.Builder
	b.WriteString("\nThese raise an error:\n\n| of 2009 | in its place |\n|---|---|\n")
	for _, f := range sysAbsent {
		fmt.Fprintf(&b, "| `sys.%s` | %s |\n", f.Name, f.Doc)
	}
	return b.String()
}
