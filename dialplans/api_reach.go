package dialplans

// What scripts can reach beside their call. The dispatcher does it for them: a
// worker has no network and no files.

// requestFields are the options of every request.
var requestFields = []Field{
	{"headers?", "table<string, string>", "Headers of the request, at most 20 and 8 KiB. Those of the connection (Host, Content-Length, ...) cannot be set."},
	{"timeout?", "number", "Seconds for all of it, redirects too, at most 30. The account's limit, and what the script has left, bound it."},
}

// ReachRecords are the tables of http and dns.
var ReachRecords = []Record{
	{"dialyard.RequestOptions", "What `http.get` and `http.post` take beside the rest.", requestFields},
	{"dialyard.Request", "A request as `http.request` takes it.", append([]Field{
		{"method?", "\"GET\"|\"HEAD\"|\"POST\"|\"PUT\"|\"PATCH\"|\"DELETE\"", "GET if absent."},
		{"url", "string", "An http: or https: URL, at most 2 KiB."},
		{"body?", "string|table", "At most 64 KiB; none with GET and HEAD. A table is sent as JSON."},
	}, requestFields...)},
	{"dialyard.Response", "What a server answered.", []Field{
		{"status", "integer", "Its status; 404 and 500 are answers, too."},
		{"headers", "table<string, string>", "First value of each header by name; case does not matter. `pairs` goes through all lines in order."},
		{"body", "string", "The body, at most 192 KiB: a longer one is an error."},
		{"json", "fun(self: dialyard.Response): any, string?", "`response:json()` is the body decoded, or nil and what is wrong, as from `json.decode`."},
	}},
	{"dialyard.DNSRecord", "A record of the DNS; what it has depends on its type.", []Field{
		{"value", "string", "The address, name or text; of NAPTR the replacement."},
		{"ttl", "integer", "Seconds for which it holds."},
		{"priority?", "integer", "Of MX and SRV, lower goes first."},
		{"weight?", "integer", "Of SRV."},
		{"port?", "integer", "Of SRV."},
		{"order?", "integer", "Of NAPTR, lower goes first."},
		{"preference?", "integer", "Of NAPTR, among those of one order."},
		{"flags?", "string", "Of NAPTR."},
		{"service?", "string", "Of NAPTR."},
		{"regexp?", "string", "Of NAPTR."},
	}},
}

var (
	responseReturns = []Return{{"dialyard.Response?", "the answer; nil if there is none"}, {"string?", "what went wrong, such as \"timeout\" or \"not allowed: host\""}}
	urlParam        = Param{"url", "string", ""}
	optionsParam    = Param{"options", "dialyard.RequestOptions", "nil"}
)

var httpModule = Module{
	Name: "http",
	Doc: "Requests to the web servers that the account may reach, at most 20 in a run. Whatever the server or the network does is a return value: " +
		"a plan should go on without an answer. The script's time goes on while it waits.",
	Functions: []Function{
		{Name: "get", Params: []Param{urlParam, optionsParam}, Returns: responseReturns,
			Doc: "Fetches a page.", Example: `local r, err = http.get("https://example.net/names/" .. http.escape(call.from.user), {timeout = 1})`},
		{Name: "post", Params: []Param{urlParam, {"body", "string|table", ""}, optionsParam}, Returns: responseReturns,
			Doc: "Posts a body: text as it is, a table as JSON.", Example: `local r = http.post("https://example.net/calls", {from = call.from.user, to = call.to.user})`},
		{Name: "request", Params: []Param{{"request", "dialyard.Request", ""}}, Returns: responseReturns,
			Doc: "Makes any request.", Example: `http.request{method = "DELETE", url = "https://example.net/queue/1", headers = {Authorization = "Bearer secret"}}`},
		{Name: "escape", Params: []Param{{"text", "string", ""}}, Returns: []Return{{"string", "the text with %XX for what a URL may not have"}},
			Doc: "Makes text fit to be a part of a URL; do this with all that comes from the caller.", Example: `http.escape("+44 20/7") -- "%2B44%2020%2F7"`},
	},
	Records: ReachRecords[:3],
}

var dnsModule = Module{
	Name: "dns",
	Doc:  "Questions to the DNS.",
	Functions: []Function{
		{Name: "lookup", Params: []Param{{"name", "string", ""}, {"type", "\"A\"|\"AAAA\"|\"CNAME\"|\"MX\"|\"NAPTR\"|\"PTR\"|\"SRV\"|\"TXT\"", "\"A\""}}, Returns: []Return{{"dialyard.DNSRecord[]?", "its records, at most 50; none if the name has none of that type"}, {"string?", "what went wrong"}},
			Doc: "The records of a name. The name may be any text: what is no name is an outcome, not an error.", Example: `for _, r in ipairs(dns.lookup("_sip._udp.example.net", "SRV") or {}) do log(r.value, r.port) end`},
	},
	Records: ReachRecords[3:],
}

var enumModule = Module{
	Name: "enum",
	Doc:  "Telephone numbers in the DNS, RFC 6116.",
	Functions: []Function{
		{Name: "lookup", Params: []Param{{"number", "string", ""}, {"zone", "string", "\"e164.arpa\""}}, Returns: []Return{{"string[]?", "sip: and sips: URIs, the best first; none if the number has none"}, {"string?", "what went wrong"}},
			Doc: "The SIP URIs of an international number, with or without +.", Example: `local uris = enum.lookup("+44 20 7946 0000")`},
	},
}

var kvModule = Module{
	Name: "kv",
	Doc: "Values that outlast the call, by key. All plans of an account share them. A key has 1 to 256 bytes, a value at most 16 KiB; " +
		"a time to live is in whole seconds, at most a year, and without one the key stays.",
	Functions: []Function{
		{Name: "get", Params: []Param{{"key", "string", ""}}, Returns: []Return{{"string?", "the value; nil if there is none"}, {"string?", "what went wrong"}},
			Doc: "The value of a key.", Example: `local target = kv.get("forward:" .. call.to.user)`},
		{Name: "set", Params: []Param{{"key", "string", ""}, {"value", "string|number", ""}, {"ttl", "integer", "nil"}}, Returns: []Return{{"boolean?", "true; nil if it could not be set"}, {"string?", "what went wrong"}},
			Doc: "Gives a key a value. Numbers become strings.", Example: `kv.set("last caller of " .. call.to.user, call.from.user, 86400)`},
		{Name: "delete", Params: []Param{{"key", "string", ""}}, Returns: []Return{{"boolean?", "whether it was there; nil if nobody knows"}, {"string?", "what went wrong"}},
			Doc: "Takes a key away.", Example: `kv.delete("forward:" .. call.to.user)`},
		{Name: "incr", Params: []Param{{"key", "string", ""}, {"by", "integer", "1"}, {"ttl", "integer", "nil"}}, Returns: []Return{{"integer?", "the new number; nil if there is none"}, {"string?", "what went wrong, such as a value that is no whole number"}},
			Doc: "Adds to a number, 0 if the key is not there. Calls that do this at the same time all count.", Example: `local calls = kv.incr("calls to " .. call.to.user)`},
	},
}

var limitModule = Module{
	Name: "limit",
	Doc: "Limits by name, for all calls of the account. Without an answer there is no place: both functions give false, and why. " +
		"A name has 1 to 64 bytes; calls that share a limit should ask for the same number of places.",
	Functions: []Function{
		{Name: "slot", Params: []Param{{"name", "string", ""}, {"places", "integer", ""}}, Returns: []Return{{"boolean", "whether there was one"}, {"string?", "what went wrong, if that is why"}},
			Doc: "Takes one of so many places, 1 to 1000000, until the call ends, however it does. A call that has one is granted it again.", Example: `if not limit.slot("gw1", 30) then log.warn("gw1 is full") end`},
		{Name: "rate", Params: []Param{{"name", "string", ""}, {"count", "integer", ""}, {"seconds", "number", ""}}, Returns: []Return{{"boolean", "whether there was one"}, {"string?", "what went wrong, if that is why"}},
			Doc: "Takes one of so many places, 1 to 1000000, per time, at most a day.", Example: `if not limit.rate("calls of " .. call.from.host, 5, 60) then log.warn("too many calls") end`},
	},
}
