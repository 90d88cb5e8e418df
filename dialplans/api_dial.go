package dialplans

import "slices"

// Record is a table that a function of the API takes or gives.
type Record struct {
	Name   string
	Doc    string
	Fields []Field
}

// legFields are the options that a dial has for all legs and a leg for itself.
var legFields = []Field{
	{"timeout?", "number", "Ring time of a leg in seconds, at most 180; without it, the account's."},
	{"delay?", "number", "Seconds after the start of its group at which a leg begins, at most 120."},
	{"max?", "number", "Seconds after which an answered call is ended, at most 86400; without it, the account's limit."},
	{"from?", "dialyard.From", "What the callee sees as From; parts that are absent are as the caller sent them."},
	{"headers?", "table<string, string>", "Further headers of the INVITE, at most 20 and 4 KiB. Those that belong to the server cannot be set."},
	{"redirect?", "\"follow\"|\"return\"", "What becomes of a 3xx: its contacts are called in the leg's place (`follow`), or the dial ends and `contacts` has them (`return`). Without it the leg has failed with that code."},
	{"transfer?", "\"none\"|\"pass\"|\"call\"", "What becomes of a REFER in the call: refused, passed to the other party, or carried out by the server. The account's setting bounds it."},
}

// DialRecords are the tables of call:dial.
var DialRecords = []Record{
	{"dialyard.DialOptions", "What `call:dial` takes beside the targets.", append([]Field{
		{"strategy?", "\"parallel\"|\"serial\"", "Whether the elements of a list are called together (the usual) or one after the other."},
		{"total?", "number", "Seconds for the whole dial, at most 300; without it, what the run has left."},
	}, legFields...)},
	{"dialyard.Target", "One leg, as an element of a list. What it has goes before the options of the dial.", append([]Field{
		{"target", "string", "A sip: or sips: URI, `user@host` or `user@gateway`, taken as it is: it is no dial string."},
	}, legFields...)},
	{"dialyard.From", "The From of a leg.", []Field{
		{"name?", "string", "Display name, at most 128 bytes."},
		{"user?", "string", "User of the URI."},
		{"host?", "string", "Host of the URI."},
	}},
	{"dialyard.Dialled", "How a dial ended.", []Field{
		{"status", "\"answered\"|\"busy\"|\"no_answer\"|\"failed\"|\"cancelled\"|\"redirected\"", "What became of it; `cancelled` means that the caller has given up."},
		{"code", "integer", "SIP status of the leg that answered, or the best of all that failed."},
		{"reason", "string", "The phrase that came with it."},
		{"leg", "integer", "The leg it came from, counted from 1 over all groups; 0 if from none."},
		{"seconds", "number", "How long the dial took."},
		{"contacts?", "string[]", "URIs of a 3xx that is returned; at most 10, and only those that `call:redirect` takes."},
	}},
}

// record is one of the records of the API.
func record(name string) Record {
	for _, r := range slices.Concat(DialRecords, ReachRecords) {
		if r.Name == name {
			return r
		}
	}
	panic("no record " + name)
}

// dialFunction is call:dial in the API.
var dialFunction = Function{
	Name:    "dial",
	Params:  []Param{{"targets", "string|dialyard.Target|(string|dialyard.Target)[]", ""}, {"options", "dialyard.DialOptions", "nil"}},
	Returns: []Return{{"dialyard.Dialled", "how it ended; what the world does is never an error"}},
	Doc: "Calls others, connects the caller with the first that answers, and waits for the outcome. " +
		"A target is a sip: or sips: URI, `user@host`, `user@gateway` with the name of one of the account's gateways, or a dial string. A host with neither a dot nor a colon in it is a gateway's name, but for localhost. " +
		"All dials of a run have at most 20 legs. " +
		"A call that is answered is decided: the script has one second left, for `log` and `call:tag`. Otherwise it may dial again, reject or redirect.",
	Example: `local r = call:dial({"100@gw1", "100@gw2.example.net"}, {strategy = "serial", timeout = 20})`,
}

// dialChapter explains dialling in the manual.
const dialChapter = `
## Dial strings

A target of ` + "`call:dial`" + ` that is a string can name several legs:

` + "```lua" + `
local r = call:dial("100@gw1 & 101@gw1[dt=5] | ${dst:1}@gw2[rt=30,fd=Front desk]")
if r.status ~= "answered" then
  call:reject(r.code >= 400 and r.code or 480)
end
` + "```" + `

- ` + "`&`" + ` calls together, ` + "`|`" + ` goes on if the whole group before it has failed. In the user of a target, ` + "`&`" + ` is written ` + "`%26`" + `.
- ` + "`${dst}`" + ` is the user of the Request-URI, ` + "`${dst:2}`" + ` what is left of it without its first 2 characters.
- A leg's options stand behind it in brackets: ` + "`rt`" + ` ring time, ` + "`dt`" + ` delay, ` + "`cd`" + ` limit of the answered call (all in
  seconds), ` + "`rm`" + ` what becomes of a 3xx (` + "`n`" + ` its contacts are called, ` + "`m`" + ` the script is told), ` + "`tr`" + ` transfers (` + "`n`" + ` none,
  ` + "`p`" + ` passed on, ` + "`c`" + ` carried out), ` + "`fd fu fh`" + ` name, user and host of From. A value has no comma and no ` + "`]`" + ` in it.

In a list with ` + "`strategy = \"serial\"`" + ` the groups of its elements are tried one after the other. Elements of a list that
is called in parallel cannot have ` + "`|`" + `.

The time of a dial does not count as time of the script; 300 seconds, dials included, is all that a run has. A dial ends
in time for the script to say what is next. While a run waits, none of its coroutines goes on. When the caller gives up,
the script is ended, or finds ` + "`cancelled`" + ` and has one second left; a further dial ends it.
`
