local eq = require "eq"
-- http: the response
--answer http 200 [Content-Type:application/json] [X-A:one] [x-a:two] {"name":"Alice","tags":[1,2]}
--answer http 404
--answer http 200 not json
--answer error timeout
local r, err = http.get("https://example.net/a")
eq(err, nil)
eq(r.status, 200)
eq(r.headers["content-type"], "application/json")
eq(r.headers["X-A"], "one")
eq(r.headers.c, nil) -- no compact forms here
local lines = {}
for name, value in pairs(r.headers) do lines[#lines + 1] = name .. "=" .. value end
eq(table.concat(lines, " "), "Content-Type=application/json X-A=one x-a=two")
eq(r:json().name, "Alice")
eq(r:json().tags[2], 2)
eq(r.body, '{"name":"Alice","tags":[1,2]}')
r = http.get("https://example.net/b")
eq(r.status, 404)
eq(r.body, "")
eq(r:json(), nil)
eq(select(2, http.get("https://example.net/c"):json()), "not JSON: invalid character 'o' in literal null (expecting 'u')")
r, err = http.post("https://example.net/c", { b = 2, a = "x" })
eq(r, nil)
eq(err, "timeout")
---
--answer http 200
local r = http.get("https://example.net")
print(r.code) --> the response has no field 'code'; did you mean 'body'?
---
--answer http 200
local r = http.get("https://example.net")
r.headers["X-A"] = "b" --> the headers of a response are read-only
---
--answer http 200
local r = http.get("https://example.net")
setmetatable(r, {}) --> cannot change a protected metatable
---
http.get() --> bad argument #1 to get (string expected, got nil)
---
http.get("example.net/a") --> "example.net/a" is not a http: or https: URL
---
http.get("ftp://example.net/a") --> "ftp://example.net/a" is not a http: or https: URL
---
http.get("http:///a") --> "http:///a" is not a http: or https: URL
---
http.get("file:///etc/passwd") --> "file:///etc/passwd" is not a http: or https: URL
---
http.get("http://example.net/a b") --> the URL "http://example.net/a b" contains a character at byte 21 that no URL may have; http.escape makes text fit
---
http.get("http://example.net/a\r\nX: y") --> the URL "http://example.net/a\r\nX: y" contains a character at byte 21 that no URL may have; http.escape makes text fit
---
http.get("http://example.net/" .. ("a"):rep(2048)) --> the URL is 2067 bytes long, the limit is 2048
---
http.get("http://example.net", { timout = 1 }) --> request options has no field 'timout'; did you mean 'timeout'?
---
http.get("http://example.net", { timeout = 31 }) --> the time of a request is more than 0 to 30 seconds, not 31
---
http.get("http://example.net", { timeout = "1" }) --> timeout is a string, not a number
---
http.get("http://example.net", { body = "x" }) --> request options has no field 'body'; it has headers, timeout
---
http.get("http://example.net", { headers = { Host = "x" } }) --> the header Host of a request belongs to the server, a script cannot set it
---
http.get("http://example.net", { headers = { ["Proxy-Authorization"] = "x" } }) --> the header Proxy-Authorization of a request belongs to the server, a script cannot set it
---
http.get("http://example.net", { headers = { ["X A"] = "x" } }) --> "X A" is not a header name
---
http.get("http://example.net", { headers = { ["X-A"] = "a\r\nb" } }) --> the value of X-A contains a line break or control character at byte 2
---
http.get("http://example.net", { headers = { ["X-A"] = ("x"):rep(5000), ["X-B"] = ("x"):rep(5000) } }) --> the headers of a request are 10006 bytes, the limit is 8192
---
http.post("http://example.net") --> bad argument #2 to post (string or number or table expected, got nil)
---
http.post("http://example.net", ("x"):rep(65537)) --> the body is 65537 bytes long, the limit is 65536
---
http.post("http://example.net", { print }) --> JSON has no way to write a function
---
http.request{ method = "CONNECT", url = "http://example.net" } --> method: "CONNECT" is not one of DELETE, GET, HEAD, PATCH, POST, PUT
---
http.request{ method = "GET" } --> the request has no url
---
http.request{ url = 5 } --> url is a number, not a string
---
http.request{ body = "x", url = "http://example.net" } --> a GET request has no body
---
http.get("http://user:word@example.net") --> the URL "http://user:word@example.net" has a user in it; send a header, such as Authorization
---
http.request{ url = "http://example.net", body = true } --> body is a boolean, not a string or a table
---
http.request() --> bad argument #1 to request (table expected, got nil)
---
-- the 21st request is refused and the script goes on
local eq = require "eq"
for i = 1, 20 do eq(select(2, http.get("http://example.net")), "nobody answers") end
local r, err = http.get("http://example.net")
eq(r, nil)
eq(err, "limit: more than 20 HTTP requests")
---
local eq = require "eq"
eq(http.escape("a b&c=d/é?"), "a%20b%26c%3Dd%2F%C3%A9%3F")
eq(http.escape("AZaz09-._~"), "AZaz09-._~")
eq(http.escape(5), "5")
---
http.escape() --> bad argument #1 to escape (string expected, got nil)
---
local eq = require "eq"
-- dns
--answer found value=192.0.2.1 ttl=60 ; value=192.0.2.2
--answer found
--answer found value=sip.example.net ttl=60 priority=10 weight=5 port=5061
--answer found value=mx.example.net priority=20
--answer found value=. priority=100 weight=10 flags=u service=E2U+sip regexp=!^.*$!sip:a@b!
--answer error timeout
local list = dns.lookup("example.net")
eq(#list, 2)
eq(list[1].value, "192.0.2.1")
eq(list[1].ttl, 60)
eq(list[1].port, nil)
eq(list[2].value, "192.0.2.2")
eq(#dns.lookup("example.net", "AAAA"), 0)
local srv = dns.lookup("_sip._udp.example.net.", "srv")[1]
eq(srv.value .. " " .. srv.priority .. " " .. srv.weight .. " " .. srv.port, "sip.example.net 10 5 5061")
local mx = dns.lookup("example.net", "MX")[1]
eq(mx.priority, 20)
eq(mx.weight, nil)
local naptr = dns.lookup("example.net", "NAPTR")[1]
eq(naptr.order .. " " .. naptr.preference .. " " .. naptr.flags .. " " .. naptr.service .. " " .. naptr.regexp, "100 10 u E2U+sip !^.*$!sip:a@b!")
eq(naptr.priority, nil)
local none, err = dns.lookup("example.net")
eq(none, nil)
eq(err, "timeout")
-- what is no name is never asked
for _, name in ipairs{ "", ".", "a..b", "a b", "a/b", "-a", "a\n", ("a"):rep(64), ("abcdefg."):rep(40), "bücher.example" } do
  local none, err = dns.lookup(name)
  assert(none == nil and err:find("is not a domain name", 1, true), name)
end
---
dns.lookup("example.net", "ANY") --> "ANY" is not one of A, AAAA, CNAME, MX, NAPTR, PTR, SRV, TXT
---
dns.lookup() --> bad argument #1 to lookup (string expected, got nil)
---
local eq = require "eq"
-- enum
--answer found value=. priority=100 weight=20 flags=u service=E2U+sip regexp=!^.*$!sip:second@example.net! ; value=. priority=100 weight=10 flags=U service=e2u+SIP regexp=!^\+44(.*)$!sip:\1@example.net!
--answer found
--answer error no such name
local uris = enum.lookup("+44 (20) 7946-0000")
eq(table.concat(uris, " "), "sip:2079460000@example.net sip:second@example.net")
eq(#enum.lookup("442079460000"), 0)
eq(select(2, enum.lookup("+442079460000")), "no such name")
for _, number in ipairs{ "", "+", "reception", "+44x", "1234567890123456", "+4420 79\n" } do
  local none, err = enum.lookup(number)
  assert(none == nil and err:find("is not an international telephone number", 1, true), number)
end
---
enum.lookup("+442079460000", "e164 arpa") --> "e164 arpa" is not a domain name
---
local eq = require "eq"
-- kv
--answer kept 7
--answer nothing
--answer nothing
--answer kept
--answer nothing
--answer number 5
--answer number -9007199254740991
--answer error not a number
--answer error quota
eq(kv.get("a"), "7")
eq(kv.get("b"), nil)
eq(kv.set("a", 5), true)
eq(kv.delete("a"), true)
eq(kv.delete("a"), false)
eq(kv.incr("n"), 5)
eq(kv.incr("n", -2, 60), -9007199254740991)
local n, err = kv.incr("n")
eq(n, nil)
eq(err, "not a number")
local ok, err = kv.set("a", "b")
eq(ok, nil)
eq(err, "quota")
---
kv.get() --> bad argument #1 to get (string expected, got nil)
---
kv.get("") --> the key is empty
---
kv.get(("k"):rep(257)) --> the key is 257 bytes long, the limit is 256
---
kv.get("a\nb") --> the key contains a line break or control character at byte 2
---
kv.get("\255") --> the key is not valid UTF-8
---
kv.set("a") --> bad argument #2 to set (string or number expected, got nil)
---
kv.set("a", {}) --> bad argument #2 to set (string or number expected, got table)
---
kv.set("a", ("x"):rep(16385)) --> the value is 16385 bytes long, the limit is 16384
---
kv.set("a", "b", 0) --> the life of the key in seconds is 0, not a whole number from 1 to 31536000
---
kv.set("a", "b", 1.5) --> the life of the key in seconds is 1.5, not a whole number from 1 to 31536000
---
kv.set("a", "b", 31536001) --> the life of the key in seconds is 31536001, not a whole number from 1 to 31536000
---
kv.incr("a", 0.5) --> the step is 0.5, not a whole number from -1e+15 to 1e+15
---
kv.incr("a", 0 / 0) --> the step is nan, not a whole number from -1e+15 to 1e+15
---
kv.incr("a", math.huge) --> the step is inf, not a whole number from -1e+15 to 1e+15
---
kv.gte("a") --> kv has no field 'gte'; did you mean 'get'?
---
kv.get = nil --> kv is read-only
---
local eq = require "eq"
-- limit
--answer granted
--answer refused
--answer granted
--answer error down
eq(limit.slot("gw1", 2), true)
eq(limit.slot("gw1", 2), false)
eq(limit.rate("calls", 5, 60), true)
local ok, err = limit.rate("calls", 5, 60)
eq(ok, false)
eq(err, "down")
---
limit.slot("gw1") --> bad argument #2 to slot (number expected, got nil)
---
limit.slot("", 1) --> the name of the limit is empty
---
limit.slot(("n"):rep(65), 1) --> the name of the limit is 65 bytes long, the limit is 64
---
limit.slot("gw1", 0) --> the number of places is 0, not a whole number from 1 to 1000000
---
limit.slot("gw1", 1.5) --> the number of places is 1.5, not a whole number from 1 to 1000000
---
limit.slot("gw1", 1000001) --> the number of places is 1000001, not a whole number from 1 to 1000000
---
limit.rate("gw1", 1) --> bad argument #3 to rate (number expected, got nil)
---
limit.rate("gw1", 1, 0) --> the time of a rate is more than 0 to 86400 seconds, not 0
---
limit.rate("gw1", 1, 86401) --> the time of a rate is more than 0 to 86400 seconds, not 86401
---
-- from inside a coroutine, pcall, a comparator and metamethods
--answer kept 1
--answer kept 2
--answer kept 3
--answer kept 4
--answer kept 5
local eq = require "eq"
eq(coroutine.wrap(function() return kv.get("a") end)(), "1")
local ok, value = pcall(kv.get, "a")
eq(ok, true)
eq(value, "2")
local list = { 2, 1 }
table.sort(list, function(a, b) kv.get("a") return a < b end)
eq(list[1], 1)
local t = setmetatable({}, { __index = function(t, k) return kv.get(k) end, __tostring = function() return kv.get("a") end })
assert(tonumber(t.a) > 3)
assert(tonumber(tostring(t)) > 4)
---
-- mistakes can be caught as ever
local ok, err = pcall(kv.get, "")
assert(not ok and err:find("the key is empty", 1, true), err)
---
-- asking counts as an instruction
for i = 1, 101 do
  kv.incr("n") --> the script gave more than 100 instructions
end
---
-- after the call was answered there is time for a word
--dial answered 200
--answer number 1
call:dial("100@gw")
assert(kv.incr("answered") == 1)
