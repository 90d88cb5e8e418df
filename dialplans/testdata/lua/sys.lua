local eq = require "eq"
-- properties
eq(sys.Username, "demo")
eq(sys.DialPlanName, "main")
eq(sys.LastDialled, nil)
eq(sys.LastFailureStatus, nil)
eq(sys.Trace, false)
---
--dial busy 486 Busy Here
--dial failed 503 Unavailable
--dial answered 200 OK
local eq = require "eq"
sys.Log("one", "two")
sys.Trace = true
eq(sys.Trace, true)
local r = sys.Dial("100@gw1")
eq(r.status, "busy")
eq(sys.LastDialled, "100@gw1")
eq(sys.LastFailureStatus, 486)
eq(sys.LastFailureReason, "Busy Here")
sys.Dial("100@gw2", 20)
eq(sys.LastFailureStatus, 503)
eq(sys.Dial("100@gw3").status, "answered")
-- as in 2009, nothing more happens then
eq(sys.Dial("100@gw4").status, "answered")
eq(sys.LastDialled, "100@gw3")
sys.Respond(486, "Busy")
---
--dial cancelled 487
sys.Dial("100@gw1")
sys.Dial("100@gw2") --> the caller gave up
---
-- sys and what it stands on know each other's decisions
--dial answered 200
call:dial("100@gw")
sys.Dial("100@gw") --> call:dial after the call was answered
---
sys.Dial("100@gw[xx=1]") --> "xx=1" is not an option of a leg, or given twice; there are rt dt cd rm tr fd fu fh, as in [rt=20,fu=100]
---
sys.Dial() --> sys.Dial takes a dial string, not a nil
---
sys.Dial({ "100@gw" }) --> sys.Dial takes a dial string, not a table
---
sys.Dial("100@gw", 181) --> the ring time is more than 0 to 180 seconds, not 181
---
sys.SetCustomSIPHeader("Via: x")
sys.Dial("100@gw") --> the header Via belongs to the server, a script cannot set it
---
sys.SetCustomSIPHeader("nonsense") --> a header is given as "Name: value", not as "nonsense"
---
sys.SetFromHeader("Front", "a@b")
sys.Dial("100@gw") --> "a@b" is not the user of a URI
---
sys.Respond(302, "Moved") --> the code 302 is not one of 400 to 699
---
sys.Respond(486, "Busy")
sys.Respond(486, "Busy") --> call:reject after the call was decided
---
local ok, err = pcall(sys.Respond, 200)
assert(not ok and err:find("the code 200 is not one of 400 to 699", 1, true) and not err:find("[sys]", 1, true), err)
---
sys.Respond(180)
sys.Respond(403, "", "X-A: b|X-C: d")
---
local eq = require "eq"
--answer http 200 hello
--answer http 404 no
--answer error timeout
--answer kept 5
--answer nothing
--answer kept
--answer found value=. flags=u service=E2U+sip regexp=!^.*$!sip:a@example.net!
--answer found
eq(sys.WebGet("http://example.net", 2), "hello")
local page, err = sys.WebGet("http://example.net", 0)
eq(page, nil)
eq(err, "status 404")
page, err = sys.WebGet("http://example.net")
eq(err, "timeout")
eq(sys.DBRead("a"), "5")
eq(sys.DBWrite("a", "b"), true)
eq(sys.DBDelete("a"), true)
eq(sys.ENUMLookup("+442079460000"), "sip:a@example.net")
eq(sys.ENUMLookup("+442079460000"), nil)
---
if sys.In then call:reject(403) end --> sys.In is not available: look at call.source or call.from
---
sys.ExtendScriptTimeout(10) --> sys.ExtendScriptTimeout is not available: the time of a dial does not count, and the account's limits bound the rest
---
sys.Dail("100@gw") --> sys has no field 'Dail'; did you mean 'Dial'?
---
sys.Dial = nil --> sys is read-only, but for sys.Trace
---
sys.LastDialled = "x" --> sys is read-only, but for sys.Trace
---
-- what the script does to its globals is nothing to sys
--dial busy 486
log, kv, pairs, type, json, _G.call = nil, nil, nil, nil, nil, nil
sys.SetCustomSIPHeader("X-A: b")
sys.Dial("100@gw")
sys.Log("still here")
---
-- nor can it get at what sys keeps
assert(rawget(sys, "Dial") ~= nil)
rawset(sys, "Dial", print) --> a library table is read-only
