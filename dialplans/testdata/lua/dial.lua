local eq = require "eq"
-- the outcome of a dial
--dial busy 486 leg=2 took=2.5s Busy Here
--dial no_answer took=20s
--dial redirected 302 leg=1 Moved contact=sip:b@example.net contact=http://no contact=tel:+442079460000
--dial failed 302 Moved
--dial answered 200 leg=1 took=3s OK
local r = call:dial("100@gw")
eq(r.status, "busy")
eq(r.code, 486)
eq(r.reason, "Busy Here")
eq(r.leg, 2)
eq(r.seconds, 2.5)
eq(r.contacts, nil)
r = call:dial("100@gw")
eq(r.status, "no_answer")
eq(r.code, 408)
eq(r.reason, "")
eq(r.leg, 0)
r = call:dial("100@gw", { redirect = "return" })
eq(r.status, "redirected")
eq(table.concat(r.contacts, " "), "sip:b@example.net tel:+442079460000")
r = call:dial("100@gw")
eq(r.status, "failed")
eq(r.code, 302)
r = call:dial("100@gw")
eq(r.status, "answered")
assert(call:deadline() > 0.5 and call:deadline() <= 1)
call:tag("still", "allowed")
log("still allowed")
---
--dial unspecified
local r = call:dial("100@gw")
assert(r.status == "failed" and r.code == 480)
---
-- a call can be decided after a dial has failed
--dial busy 486 Busy Here
local r = call:dial("100@gw")
call:ring()
call:reject(r.code, r.reason)
---
--dial answered 200
call:dial("100@gw")
call:reject(486) --> call:reject after the call was answered
---
--dial answered 200
call:dial("100@gw")
call:dial("100@gw") --> call:dial after the call was answered
---
--dial answered 200
call:dial("100@gw")
call:ring() --> call:ring after the call was answered
---
--dial answered 200
call:dial("100@gw")
call:redirect("sip:a@b") --> call:redirect after the call was answered
---
--dial answered 200
call:dial("100@gw")
call:set_header("X-A", "b") --> call:set_header after the call was answered
---
call:reject(486)
call:dial("100@gw") --> call:dial after the call was decided
---
--dial answered 200
-- the error can be caught; the call stays answered
call:dial("100@gw")
local ok, err = pcall(call.reject, call, 486)
assert(not ok and err:find("after the call was answered", 1, true), err)
---
--dial cancelled 487
-- verbs of a script that did not think of it do no harm
local r = call:dial("100@gw")
assert(r.status == "cancelled" and call:deadline() <= 1)
call:reject(486)
---
--dial cancelled 487
call:dial("100@gw")
call:dial("100@gw") --> the caller gave up
---
call.dial("100@gw") --> write call:dial(...), with a colon
---
call:dial() --> bad argument #2 to dial (string expected, got nil)
---
call:dial("") --> the target "" is empty or longer than 512 bytes
---
call:dial({}) --> 0 targets given, a dial has 1 to 20
---
call:dial({ 5 }) --> a target is a number, not a string or a table
---
call:dial({ "a@b", { "c@d" } }) --> target has no field '1'; it has delay, from, headers, max, redirect, target, timeout, transfer
---
call:dial({ target = "a@gw", timout = 5 }) --> target has no field 'timout'; did you mean 'timeout'?
---
call:dial({ { target = 5 } }) --> target is a number, not a string
---
call:dial({ { timeout = 5 } }) --> target is a nil, not a string
---
call:dial("a@gw", 20) --> bad argument #3 to dial (table expected, got number)
---
call:dial("a@gw", { strateggy = "serial" }) --> dial options has no field 'strateggy'; did you mean 'strategy'?
---
call:dial("a@gw", { strategy = "random" }) --> strategy: "random" is not one of parallel, serial
---
call:dial("a@gw", { timeout = 181 }) --> the ring time is more than 0 to 180 seconds, not 181
---
call:dial("a@gw", { timeout = 0 }) --> the ring time is more than 0 to 180 seconds, not 0
---
call:dial("a@gw", { timeout = 0 / 0 }) --> the ring time is more than 0 to 180 seconds, not nan
---
call:dial("a@gw", { timeout = "20" }) --> timeout is a string, not a number
---
call:dial("a@gw", { delay = -1 }) --> the delay is 0 to 120 seconds, not -1
---
call:dial("a@gw", { delay = 121 }) --> the delay is 0 to 120 seconds, not 121
---
call:dial("a@gw", { total = math.huge }) --> the time for all of a dial is more than 0 to 300 seconds, not inf
---
call:dial("a@gw", { max = 86401 }) --> the limit of an answered call is more than 0 to 86400 seconds, not 86401
---
call:dial("a@gw", { redirect = "manual" }) --> redirect: "manual" is not one of follow, return
---
call:dial("a@gw", { transfer = "yes" }) --> transfer: "yes" is not one of call, none, pass
---
call:dial("a@gw", { from = "alice" }) --> from is a string, not a table
---
call:dial("a@gw", { from = { usr = "alice" } }) --> from has no field 'usr'; did you mean 'user'?
---
call:dial("a@gw", { from = { user = "a@b" } }) --> "a@b" is not the user of a URI
---
call:dial("a@gw", { from = { host = "a b" } }) --> "a b" is not a host
---
call:dial("a@gw", { from = { name = "a\nb" } }) --> the name of from contains a line break or control character at byte 2
---
call:dial("a@gw", { headers = { Via = "x" } }) --> the header Via belongs to the server, a script cannot set it
---
call:dial("a@gw", { headers = { c = "text/plain" } }) --> the header c of a leg belongs to the server, a script cannot set it
---
call:dial("a@gw", { headers = { ["X-A"] = "a\r\nb" } }) --> the value of X-A contains a line break or control character at byte 2
---
call:dial("a@gw|b@gw", { strategy = "parallel" }) --> a dial string with | cannot be called in parallel; say strategy = "serial"
---
call:dial({ "a@gw|b@gw", "c@gw" }) --> a dial string with | cannot be called in parallel; say strategy = "serial"
---
local many = {}
for i = 1, 21 do many[i] = "a@gw" end
call:dial(many) --> 21 targets given, a dial has 1 to 20
---
call:dial({ ("a@gw&"):rep(19) .. "a@gw", "b@gw" }) --> 21 legs or more, a dial has at most 20
---
-- legs of all dials count
call:dial(("a@gw&"):rep(19) .. "a@gw")
call:dial("a@gw") --> the script dialled more than 20 legs
---
call:dial(("a@gw|"):rep(20) .. "a@gw") --> 21 legs or more, a dial has at most 20
---
local headers = {}
for i = 1, 5 do headers["X-" .. i] = ("x"):rep(1000) end
call:dial("a@gw", { headers = headers }) --> the headers of a leg are 5015 bytes, the limit is 4096
---
-- while one coroutine waits, nothing else goes on
--dial busy 486
local order = {}
local dialling = coroutine.wrap(function()
  order[#order + 1] = "dial"
  order[#order + 1] = call:dial("a@gw").status
  coroutine.yield()
  order[#order + 1] = "second"
end)
dialling()
order[#order + 1] = "main"
dialling()
assert(table.concat(order, " ") == "dial busy main second", table.concat(order, " "))
---
-- what the caller dialled is no syntax: a & in it does not make a second leg
local user = "100&00123"
call:dial("sip:" .. user .. "@gw1.example.net") --> the target "sip:100" of a dial string has no user; in a user & is written %26
---
local user = "100&00123"
call:dial(user .. "@gw") --> the target "100" has no host; write it as user@host, user@gateway or as a sip: URI
