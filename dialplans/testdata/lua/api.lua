local eq = require "eq"
-- facts
eq(call.id, "a84b4c76e66710")
eq(call.account, "demo")
eq(call.plan, "main")
eq(call.version, 3)
eq(call.from.user, "alice")
eq(call.from.name, "Alice")
eq(call.from.uri, "sip:alice@example.net")
eq(call.to.host, "127.0.0.1")
eq(call.ruri.user, "100")
eq(tostring(call.ruri), "sip:100@127.0.0.1")
eq(tostring(call.from), "sip:alice@example.net")
eq(call.source, "udp:192.0.2.1:5060")
eq(call.headers["user-AGENT"], "tester")
eq(call.headers.V, "SIP/2.0/UDP 192.0.2.1")
eq(call.headers["X-None"], nil)
eq(#call:header_values("Via"), 2)
eq(#call:header_values("X-None"), 0)
eq(call.body, "")
local names = {}
for name in pairs(call.headers) do names[#names + 1] = name end
eq(table.concat(names, " "), "Via X-Dialyard-Nonce User-Agent Via")
assert(call:deadline() > 9 and call:deadline() <= 10)
---
call:rejct(403) --> call has no field 'rejct'; did you mean 'reject'?
---
print(call.form.user) --> call has no field 'form'; did you mean 'from'?
---
print(call.to.usr) --> call.to has no field 'usr'; did you mean 'user'?
---
print(call.zzzzz) --> call has no field 'zzzzz'; it has account, body, deadline, dial, from, header_values, headers, id, plan, redirect, reject, remove_header, ring, ruri, set_header, source, tag, to, version
---
call.to = "x" --> call is read-only
---
call.to.user = "x" --> call.to is read-only
---
call.reject(403) --> write call:reject(...), with a colon
---
call:reject(200) --> the code 200 is not one of 400 to 699
---
call:reject(403.5) --> the code 403.5 is not a whole number
---
call:reject() --> bad argument #2 to reject (number expected, got nil)
---
call:reject(403, "a\r\nX: y") --> the reason contains a line break or control character at byte 2
---
call:reject(403, nil, { Via = "x" }) --> the header Via belongs to the server, a script cannot set it
---
call:reject(403, nil, { v = "x" }) --> the header v belongs to the server, a script cannot set it
---
call:reject(403, nil, { "x" }) --> headers are given as {["X-Name"] = "value"}
---
call:set_header("Bad Name", "x") --> "Bad Name" is not a header name
---
call:set_header("X-A", "a\nb") --> the value of X-A contains a line break or control character at byte 2
---
call:set_header("X-A", "") --> the value of X-A is empty; call:remove_header takes a header away
---
call:redirect("http://x") --> the target "http://x" is not a sip:, sips: or tel: URI
---
call:redirect("sip:a b@c") --> the target "sip:a b@c" contains a character at byte 6 that no URI may have
---
call:redirect({}) --> 0 targets given, a redirect has 1 to 10
---
call:redirect("sip:a@b", 200) --> the code 200 is not one of 300 to 399
---
call:ring(200) --> the code 200 is not one of 180 to 183
---
call:reject(403)
call:redirect("sip:a@b") --> call:redirect after the call was decided
---
call:reject(403)
call:tag("still", "allowed")
---
call:reject(403)
call:set_header("X-A", "b") --> call:set_header after the call was decided
---
call:tag("", 1) --> the name of the tag is empty
---
call:tag("a", ("x"):rep(257)) --> the value of the tag is 257 bytes long, the limit is 256
---
for i = 1, 101 do
  call:tag("n", i) --> the script gave more than 100 instructions
end
---
time.nwo() --> time has no field 'nwo'; did you mean 'now'?
---
log.infos("x") --> log has no field 'infos'; did you mean 'info'?
---
log("a", 1, nil, true, {})
log.warn("x")
print("x")
---
local eq = require "eq"
-- re
eq(re.match("0201234567", [[^0(\d{3})(\d+)$]]), "201")
eq(re.match("abc", "b"), "b")
eq(re.match("abc", "x"), nil)
eq(select("#", re.match("ab", "(a)|(b)")), 2)
eq(re.find("ext. 42", [[\d+]]), 6)
eq(select(3, re.find("ext. 42", [[(\d)(\d)]])), "4")
eq(re.gsub("0049123", "^00", "+"), "+49123")
eq(re.gsub("a1b22", [[\d+]], "<%0>"), "a<1>b<22>")
eq(re.gsub("ab", "(a)(b)", "%2%1%%"), "ba%")
eq(re.gsub("abc", ".", function(c) return c == "b" and "B" or nil end), "aBc")
eq(select(2, re.gsub("aaa", "a", "b", 2)), 2)
eq(re.gsub("abc", "x*", "-"), "-a-b-c-")
eq(re.gsub("abc", "b*", "-"), "-a-c-")
---
re.match("a", "(") --> error parsing regexp: missing closing ): `(`
---
re.match(("a"):rep(1000000), "a{1,500}x") --> text of 1000000 bytes is too long for this regular expression, the limit is 4185
---
re.match("a", "(abcdefghijklmnopqrst){1,500}") --> the regular expression is too large once its repetitions are written out
---
local eq = require "eq"
-- json
eq(json.encode({ b = 1, a = { 1, 2, "x" }, c = true }), '{"a":[1,2,"x"],"b":1,"c":true}')
eq(json.encode("a\"b\n<"), '"a\\"b\\n<"')
eq(json.encode({}), "{}")
eq(json.decode('{"a":[1,{"b":null}],"c":"\\u00e4"}').c, "ä")
eq(json.decode("[1,2,3]")[3], 3)
eq(select(2, json.decode("{")), "not JSON: EOF")
eq(json.decode("nonsense"), nil)
eq(json.decode("1 2"), nil)
eq(json.decode(("["):rep(100)), nil)
---
local t = {}
t.t = t
json.encode(t) --> a value for JSON is nested more than 32 deep, or contains itself
---
json.encode(print) --> JSON has no way to write a function
---
json.encode(0 / 0) --> JSON has no way to write nan
---
local eq = require "eq"
-- time: the run is at 12:00 UTC on Friday, 20 November 2026
eq(time.unix(), 1795176000)
eq(time.now().hour, 12)
eq(time.now("Europe/Berlin").hour, 13)
eq(time.now("Asia/Kolkata").min, 30)
eq(time.now("America/New_York").iso, "2026-11-20T07:00:00-05:00")
eq(time.now().weekday, "fri")
eq(time.weekday("Pacific/Auckland"), "sat")
eq(time.between("09:00", "17:00"), true)
eq(time.between("12:00", "12:01"), true)
eq(time.between("11:00", "12:00"), false)
eq(time.between("22:00", "06:00"), false)
eq(time.between("22:00", "13:00"), true)
eq(time.between("00:00", "24:00"), true)
eq(time.between("09:00", "17:00", "Asia/Tokyo"), false)
---
time.now("Mars/Base") --> there is no time zone "Mars/Base"; zones are called like "Europe/London"
---
time.now("../../etc/passwd") --> there is no time zone "../../etc/passwd"; zones are called like "Europe/London"
---
time.between("9", "17:00") --> "9" is not a time of day; write it like "09:00"
---
local eq = require "eq"
-- number
eq(number.strip("+44 (20) 7946-0000"), "+442079460000")
eq(number.is_e164("+442079460000"), true)
eq(number.is_e164("442079460000"), false)
eq(number.is_e164("+0123456789"), false)
eq(number.e164("020 7946 0000", "44"), "+442079460000")
eq(number.e164("0049 30 1234567", "44"), "+49301234567")
eq(number.e164("+49301234567", "44"), "+49301234567")
eq(number.e164("011 44 2079460000", "1", "1", "011"), "+442079460000")
eq(number.e164("100", "44"), nil)
eq(number.e164("abc", "44"), nil)
eq(number.has_prefix("0900123", "0901", "0900"), true)
eq(number.has_prefix("0800123", { "0901", "0900" }), false)
local v, p = number.longest_prefix("442079", { ["44"] = "uk", ["4420"] = "london", [""] = "rest" })
eq(v, "london")
eq(p, "4420")
eq(number.longest_prefix("1", { ["44"] = "uk", [""] = "rest" }), "rest")
eq(number.rewrite("0049", "00", "+"), "+49")
eq(select(2, number.rewrite("49", "00", "+")), false)
eq(number.rewrite("0049", { ["00"] = "+", ["0"] = "+44" }), "+49")
---
number.e164("1", "xx") --> "xx" is not a country code
---
local eq = require "eq"
-- hash: these values are for ever
eq(hash.sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
eq(hash.crc32("123456789"), 3421780262)
eq(hash.percent("alice"), hash.percent("alice", ""))
local low = 0
for i = 1, 1000 do
  local p = hash.percent("caller" .. i, "salt")
  assert(p >= 0 and p <= 99)
  if p < 20 then low = low + 1 end
end
assert(low > 150 and low < 250, low)
