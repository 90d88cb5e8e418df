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
