---@meta
-- What a Dialyard plan can use, for editors that read LuaCATS annotations.
-- Generated from api.go by "go test -run TestGenerated -update"; do not edit.

---@class dialyard.Party
---@field uri string
---@field user string
---@field host string
---@field name string Display name; empty for call.ruri.

---@class dialyard.Time
---@field year integer
---@field month integer 1 to 12
---@field day integer 1 to 31
---@field hour integer 0 to 23
---@field min integer 0 to 59
---@field sec integer 0 to 59
---@field weekday "mon"|"tue"|"wed"|"thu"|"fri"|"sat"|"sun"
---@field iso string RFC 3339

---What `call:dial` takes beside the targets.
---@class dialyard.DialOptions
---@field strategy? "parallel"|"serial" Whether the elements of a list are called together (the usual) or one after the other.
---@field total? number Seconds for the whole dial, at most 300; without it, what the run has left.
---@field timeout? number Ring time of a leg in seconds, at most 180; without it, the account's.
---@field delay? number Seconds after the start of its group at which a leg begins, at most 120.
---@field max? number Seconds after which an answered call is ended, at most 86400; without it, the account's limit.
---@field from? dialyard.From What the callee sees as From; parts that are absent are as the caller sent them.
---@field headers? table<string, string> Further headers of the INVITE, at most 20 and 4 KiB. Those that belong to the server cannot be set.
---@field redirect? "follow"|"return" What becomes of a 3xx: its contacts are called in the leg's place (`follow`), or the dial ends and `contacts` has them (`return`). Without it the leg has failed with that code.
---@field transfer? "none"|"pass"|"call" What becomes of a REFER in the call: refused, passed to the other party, or carried out by the server. The account's setting bounds it.

---One leg, as an element of a list. What it has goes before the options of the dial.
---@class dialyard.Target
---@field target string A sip: or sips: URI, `user@host` or `user@gateway`, taken as it is: it is no dial string.
---@field timeout? number Ring time of a leg in seconds, at most 180; without it, the account's.
---@field delay? number Seconds after the start of its group at which a leg begins, at most 120.
---@field max? number Seconds after which an answered call is ended, at most 86400; without it, the account's limit.
---@field from? dialyard.From What the callee sees as From; parts that are absent are as the caller sent them.
---@field headers? table<string, string> Further headers of the INVITE, at most 20 and 4 KiB. Those that belong to the server cannot be set.
---@field redirect? "follow"|"return" What becomes of a 3xx: its contacts are called in the leg's place (`follow`), or the dial ends and `contacts` has them (`return`). Without it the leg has failed with that code.
---@field transfer? "none"|"pass"|"call" What becomes of a REFER in the call: refused, passed to the other party, or carried out by the server. The account's setting bounds it.

---The From of a leg.
---@class dialyard.From
---@field name? string Display name, at most 128 bytes.
---@field user? string User of the URI.
---@field host? string Host of the URI.

---How a dial ended.
---@class dialyard.Dialled
---@field status "answered"|"busy"|"no_answer"|"failed"|"cancelled"|"redirected" What became of it; `cancelled` means that the caller has given up.
---@field code integer SIP status of the leg that answered, or the best of all that failed.
---@field reason string The phrase that came with it.
---@field leg integer The leg it came from, counted from 1 over all groups; 0 if from none.
---@field seconds number How long the dial took.
---@field contacts? string[] URIs of a 3xx that is returned; at most 10, and only those that `call:redirect` takes.

---What `http.get` and `http.post` take beside the rest.
---@class dialyard.RequestOptions
---@field headers? table<string, string> Headers of the request, at most 20 and 8 KiB. Those of the connection (Host, Content-Length, ...) cannot be set.
---@field timeout? number Seconds for all of it, redirects too, at most 30. The account's limit, and what the script has left, bound it.

---A request as `http.request` takes it.
---@class dialyard.Request
---@field method? "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE" GET if absent.
---@field url string An http: or https: URL, at most 2 KiB.
---@field body? string|table At most 64 KiB; none with GET and HEAD. A table is sent as JSON.
---@field headers? table<string, string> Headers of the request, at most 20 and 8 KiB. Those of the connection (Host, Content-Length, ...) cannot be set.
---@field timeout? number Seconds for all of it, redirects too, at most 30. The account's limit, and what the script has left, bound it.

---What a server answered.
---@class dialyard.Response
---@field status integer Its status; 404 and 500 are answers, too.
---@field headers table<string, string> First value of each header by name; case does not matter. `pairs` goes through all lines in order.
---@field body string The body, at most 192 KiB: a longer one is an error.
---@field json fun(self: dialyard.Response): any, string? `response:json()` is the body decoded, or nil and what is wrong, as from `json.decode`.

---A record of the DNS; what it has depends on its type.
---@class dialyard.DNSRecord
---@field value string The address, name or text; of NAPTR the replacement.
---@field ttl integer Seconds for which it holds.
---@field priority? integer Of MX and SRV, lower goes first.
---@field weight? integer Of SRV.
---@field port? integer Of SRV.
---@field order? integer Of NAPTR, lower goes first.
---@field preference? integer Of NAPTR, among those of one order.
---@field flags? string Of NAPTR.
---@field service? string Of NAPTR.
---@field regexp? string Of NAPTR.

---The call to decide. Facts can be read, not changed; verbs take effect at once, in the order of the script. A call is decided once: by `reject`, by `redirect`, or by a `dial` that is answered. A script that ends without deciding lets the call fail with 480.
---@class dialyard.call
---@field id string Call-ID of the request.
---@field account string Account that owns this plan.
---@field plan string Name of this plan.
---@field version integer Version of this plan, from 1.
---@field from dialyard.Party Who calls, by the From header.
---@field to dialyard.Party Who is called, by the To header.
---@field ruri dialyard.Party Where the request goes, by its Request-URI; it has no name.
---@field source string Where the request came from, as `udp:192.0.2.1:5060`.
---@field headers table<string, string> First value of each header by name; case does not matter. `pairs` goes through all lines in order.
---@field body string Body of the request.
call = {}

---Answers provisionally, with 180 to 183.
---@param code? integer
function call:ring(code) end

---Decides: the call fails with a code from 400 to 699. Without a reason (at most 256 bytes) the usual phrase is sent. At most 20 headers.
---@param code integer
---@param reason? string
---@param headers? table<string, string>
function call:reject(code, reason, headers) end

---Decides: the caller shall try these 1 to 10 URIs (sip:, sips: or tel:), the first one first. The code is 300 to 399.
---@param targets string|string[]
---@param code? integer
function call:redirect(targets, code) end

---Calls others, connects the caller with the first that answers, and waits for the outcome. A target is a sip: or sips: URI, `user@host`, `user@gateway` with the name of one of the account's gateways, or a dial string. A host with neither a dot nor a colon in it is a gateway's name, but for localhost. All dials of a run have at most 20 legs. A call that is answered is decided: the script has one second left, for `log` and `call:tag`. Otherwise it may dial again, reject or redirect.
---@param targets string|dialyard.Target|(string|dialyard.Target)[]
---@param options? dialyard.DialOptions
---@return dialyard.Dialled # how it ended; what the world does is never an error
function call:dial(targets, options) end

---Adds a header to every answer to the caller sent from now on. Headers that belong to the server (Via, Route, Record-Route, CSeq, Call-ID, Max-Forwards, Content-Length, From, To, Contact, X-Dialyard-*) cannot be set.
---@param name string
---@param value string
function call:set_header(name, value) end

---Takes away a header that `set_header` added.
---@param name string
function call:remove_header(name) end

---Puts a name and a value, at most 256 bytes each, into the call's record.
---@param name string
---@param value string|number|boolean
function call:tag(name, value) end

---All values of a header; an empty list if the request has none.
---@param name string
---@return string[] # all values, in order
function call:header_values(name) end

---How many seconds the script has left before it is ended; the time of a `dial` does not count.
---@return number # seconds left
function call:deadline() end

---Lines for the plan's log: the arguments, separated by spaces. `log(...)` is `log.info(...)`, and so is `print`. A run writes at most 200 lines and 64 KiB, a line has at most 1 KiB; past that one last line says so and the rest is dropped.
---@class dialyard.log
---@overload fun(...: any)
log = {}

---Detail for working on the plan.
---@param ... any
function log.debug(...) end

---What happened.
---@param ... any
function log.info(...) end

---What should not happen often.
---@param ... any
function log.warn(...) end

---What somebody has to look at.
---@param ... any
function log.error(...) end

---Regular expressions as in RE2: no look-around and no back-references, and time that grows with the text only. Write them in long brackets, `[[^\d+$]]`, so that no backslash has to be doubled. At most 512 bytes; long texts are refused for large expressions.
---@class dialyard.re
re = {}

---What the expression matches in the text.
---@param text string
---@param expression string
---@return string? # first group, or all of the match if there are no groups; nil if nothing matches
---@return string? # second group, and so on
function re.match(text, expression) end

---Where the expression matches in the text.
---@param text string
---@param expression string
---@return integer? # position of the first byte of the match, from 1; nil if nothing matches
---@return integer? # position of its last byte
---@return string? # first group, and so on
function re.find(text, expression) end

---Replaces matches. In the replacement %0 is the match and %1 to %9 are its groups; a function is called with the groups (the match if there are none) and returns the text, or nil to leave it.
---@param text string
---@param expression string
---@param replacement string|function
---@param limit? integer
---@return string # the new text
---@return integer # number of replacements
function re.gsub(text, expression, replacement, limit) end

---JSON text, at most 256 KiB and nested at most 32 deep.
---@class dialyard.json
json = {}

---A table with a first element is an array, any other an object with its keys in alphabetical order.
---@param value any
---@return string # the text
function json.encode(value) end

---Null elements of arrays and objects are absent.
---@param text string
---@return any # the value, nil for null and for what is not JSON
---@return string? # what is wrong, if it is not JSON
function json.decode(text) end

---The time at which the run began: it stands still while the script runs. Zones have IANA names, `Europe/London`; without one it is UTC.
---@class dialyard.time
time = {}

---The time in parts.
---@param zone? string
---@return dialyard.Time # year month day hour min sec, weekday (`mon` to `sun`) and iso (RFC 3339)
function time.now(zone) end

---The time as a number.
---@return integer # seconds since 1970-01-01 00:00 UTC
function time.unix() end

---The day of the week.
---@param zone? string
---@return string # `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`
function time.weekday(zone) end

---Whether the time of day is at or after `from` and before `to`, both like `09:00`, up to `24:00`. If `to` is not after `from`, the span goes past midnight.
---@param from string
---@param to string
---@param zone? string
---@return boolean # whether it is now
function time.between(from, to, zone) end

---Telephone numbers. A number is a string: leading zeros matter.
---@class dialyard.number
number = {}

---Takes away spaces, dots, dashes, slashes and brackets.
---@param number string
---@return string # the number without them
function number.strip(number) end

---Whether this is + and 7 to 15 digits that do not begin with 0.
---@param number string
---@return boolean # whether it is
function number.is_e164(number) end

---Makes an international number of one dialled in a country, given its country code, trunk prefix ("" where there is none) and international prefix.
---@param number string
---@param country string
---@param trunk? string
---@param international? string
---@return string? # the number with +; nil if it cannot be one
function number.e164(number, country, trunk, international) end

---Whether a number begins with one of these prefixes.
---@param number string
---@param ... string|string[]
---@return boolean # whether it begins with one of them
function number.has_prefix(number, ...) end

---Looks a number up in a table whose keys are prefixes; the key "" fits every number.
---@param number string
---@param routes table<string, any>
---@return any # the entry of the longest prefix; nil if none fits
---@return string? # that prefix
function number.longest_prefix(number, routes) end

---Replaces a prefix: one prefix and its replacement, or a table of them of which the longest that fits counts.
---@param number string
---@param rules string|table<string, string>
---@param replacement? string
---@return string # the number with the prefix replaced, or as it was
---@return boolean # whether it was
function number.rewrite(number, rules, replacement) end

---Hashes: the same text gives the same value on every worker, in every run and release.
---@class dialyard.hash
hash = {}

---Spreads texts evenly over 0 to 99. Another salt spreads them anew.
---@param text string
---@param salt? string
---@return integer # 0 to 99
function hash.percent(text, salt) end

---SHA-256 of a text.
---@param text string
---@return string # 64 hexadecimal digits
function hash.sha256(text) end

---CRC-32 (IEEE) of a text.
---@param text string
---@return integer # 0 to 4294967295
function hash.crc32(text) end

---Requests to the web servers that the account may reach, at most 20 in a run. Whatever the server or the network does is a return value: a plan should go on without an answer. The script's time goes on while it waits.
---@class dialyard.http
http = {}

---Fetches a page.
---@param url string
---@param options? dialyard.RequestOptions
---@return dialyard.Response? # the answer; nil if there is none
---@return string? # what went wrong, such as "timeout" or "not allowed: host"
function http.get(url, options) end

---Posts a body: text as it is, a table as JSON.
---@param url string
---@param body string|table
---@param options? dialyard.RequestOptions
---@return dialyard.Response? # the answer; nil if there is none
---@return string? # what went wrong, such as "timeout" or "not allowed: host"
function http.post(url, body, options) end

---Makes any request.
---@param request dialyard.Request
---@return dialyard.Response? # the answer; nil if there is none
---@return string? # what went wrong, such as "timeout" or "not allowed: host"
function http.request(request) end

---Makes text fit to be a part of a URL; do this with all that comes from the caller.
---@param text string
---@return string # the text with %XX for what a URL may not have
function http.escape(text) end

---Questions to the DNS.
---@class dialyard.dns
dns = {}

---The records of a name. The name may be any text: what is no name is an outcome, not an error.
---@param name string
---@param type? "A"|"AAAA"|"CNAME"|"MX"|"NAPTR"|"PTR"|"SRV"|"TXT"
---@return dialyard.DNSRecord[]? # its records, at most 50; none if the name has none of that type
---@return string? # what went wrong
function dns.lookup(name, type) end

---Telephone numbers in the DNS, RFC 6116.
---@class dialyard.enum
enum = {}

---The SIP URIs of an international number, with or without +.
---@param number string
---@param zone? string
---@return string[]? # sip: and sips: URIs, the best first; none if the number has none
---@return string? # what went wrong
function enum.lookup(number, zone) end

---Values that outlast the call, by key. All plans of an account share them. A key has 1 to 256 bytes, a value at most 16 KiB; a time to live is in whole seconds, at most a year, and without one the key stays.
---@class dialyard.kv
kv = {}

---The value of a key.
---@param key string
---@return string? # the value; nil if there is none
---@return string? # what went wrong
function kv.get(key) end

---Gives a key a value. Numbers become strings.
---@param key string
---@param value string|number
---@param ttl? integer
---@return boolean? # true; nil if it could not be set
---@return string? # what went wrong
function kv.set(key, value, ttl) end

---Takes a key away.
---@param key string
---@return boolean? # whether it was there; nil if nobody knows
---@return string? # what went wrong
function kv.delete(key) end

---Adds to a number, 0 if the key is not there. Calls that do this at the same time all count.
---@param key string
---@param by? integer
---@param ttl? integer
---@return integer? # the new number; nil if there is none
---@return string? # what went wrong, such as a value that is no whole number
function kv.incr(key, by, ttl) end

---Limits by name, for all calls of the account. Without an answer there is no place: both functions give false, and why. A name has 1 to 64 bytes; calls that share a limit should ask for the same number of places.
---@class dialyard.limit
limit = {}

---Takes one of so many places, 1 to 1000000, until the call ends, however it does. A call that has one is granted it again.
---@param name string
---@param places integer
---@return boolean # whether there was one
---@return string? # what went wrong, if that is why
function limit.slot(name, places) end

---Takes one of so many places, 1 to 1000000, per time, at most a day.
---@param name string
---@param count integer
---@param seconds number
---@return boolean # whether there was one
---@return string? # what went wrong, if that is why
function limit.rate(name, count, seconds) end

---The names that scripts of 2009 use, over `call`, `log`, `http`, `enum` and `kv`; new plans need none of them. Once a dial has been answered, `sys.Dial` and `sys.Respond` do nothing but log that; the script has one second left, as after any `call:dial`.
---@class dialyard.sys
---@field Username string The account, `call.account`.
---@field DialPlanName string The plan, `call.plan`.
---@field LastDialled string? What was last given to `sys.Dial`.
---@field LastFailureStatus integer? SIP status of the last `sys.Dial` that was not answered.
---@field LastFailureReason string? The phrase that came with it.
---@field Trace boolean Can be set: if true, each `sys.Dial` logs its outcome.
sys = {}

---Writes a line to the log, as `log` does.
---@param text any
function sys.Log(text) end

---Dials a dial string, with the headers and the From set before. Times are in seconds, 0 stands for none.
---@param data string
---@param ringTimeout? number
---@param answeredLimit? number
---@return dialyard.Dialled # how it ended, as from `call:dial`
function sys.Dial(data, ringTimeout, answeredLimit) end

---`call:reject`, or `call:ring` for 180 to 183. Headers may be a string, `Name: value` with `|` between several.
---@param code integer
---@param reason? string
---@param headers? string|table<string, string>
function sys.Respond(code, reason, headers) end

---Sets what callees of later dials see as From; what is absent or empty is as the caller sent it.
---@param name? string
---@param user? string
---@param host? string
function sys.SetFromHeader(name, user, host) end

---Adds a header, `Name: value`, to the INVITEs of later dials, in the place of one of that name.
---@param line string
function sys.SetCustomSIPHeader(line) end

---Takes such a header away.
---@param name string
function sys.RemoveCustomSIPHeader(name) end

---Takes them all away.
function sys.ClearCustomSIPHeaders() end

---The first of what `enum.lookup` finds.
---@param number string
---@return string? # the first URI; nil if there is none
---@return string? # what went wrong
function sys.ENUMLookup(number) end

---Fetches a page, with `http.get`.
---@param url string
---@param timeout? number
---@return string? # the page's first 8192 bytes
---@return string? # what went wrong, also a status that is not 2xx
function sys.WebGet(url, timeout) end

---`kv.get`.
---@param key string
---@return string? # the value; nil if there is none
---@return string? # what went wrong
function sys.DBRead(key) end

---`kv.set`.
---@param key string
---@param value string|number
---@return boolean? # true
---@return string? # what went wrong
function sys.DBWrite(key, value) end

---`kv.delete`.
---@param key string
---@return boolean? # whether it was there
---@return string? # what went wrong
function sys.DBDelete(key) end
