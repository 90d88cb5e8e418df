local eq = require "eq"
-- find and match
eq(("hello world"):find("wor"), 7)
eq(select(2, ("hello world"):find("wor")), 9)
eq(("hello"):find("l+"), 3)
eq(("hello"):find("xyz"), nil)
eq(("a.b"):find(".", 1, true), 2)
eq(("a.b"):find("%."), 2)
eq((""):find(""), 1)
eq(("abc"):find("", 10), nil)
eq(("abc"):find("", 4), 4)
eq(("abc"):find("b", -2), 2)
eq(("abc"):match("^b"), nil)
eq(("abc"):match("^(a)(b)"), "a")
eq(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), "key")
eq(("00491234"):match("^00(%d+)$"), "491234")
eq(("abc"):match("()c"), 3)
eq(("THE (quick) fox"):find("%((%a+)%)"), 5)
eq(("f(a(b)c)d"):match("%b()"), "(a(b)c)")
eq(("THE (quick) fox"):gsub("%f[%a]%a+", "x"), "x (x) x")
eq(("aXb"):match("%u"), "X")
eq(("x=[[a]]"):match("[]]+"), "]]")
eq(("a-b"):match("[a%-]+"), "a-")
eq(("hello hello"):match("(%w+) %1"), "hello")
eq(("aaa"):match("a-"), "")
eq(("aaab"):match("a-b"), "aaab")
eq(("a"):match("ab?"), "a")
eq(("a\0b"):match("%z"), "\0")
eq(("abc"):match("[^a]+"), "bc")
eq(("$5"):match("$%d"), "$5")
---
local eq = require "eq"
-- gsub and gmatch
eq(("abc"):gsub("", "-"), "-a-b-c-")
eq(("hello world"):gsub("o", "0"), "hell0 w0rld")
eq(select(2, ("hello world"):gsub("o", "0")), 2)
eq(("hello"):gsub("l", "L", 1), "heLlo")
eq(("abc"):gsub("%w", "%0%0"), "aabbcc")
eq(("hello world"):gsub("(%w+) (%w+)", "%2 %1"), "world hello")
eq(("$name is $age"):gsub("%$(%w+)", { name = "Ann", age = 7 }), "Ann is 7")
eq(("abc"):gsub("b", function() return nil end), "abc")
eq(("abc"):gsub("%w", function(c) return c:gsub("b", "B") end), "aBc")
eq(("abc"):gsub("^a", "x"), "xbc")
eq(("aaa"):gsub("^a", "x"), "xaa")
eq(("100%"):gsub("%%", "%%%%"), "100%%")
local t = {}
for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do t[#t + 1] = k .. v end
eq(table.concat(t, ";"), "a1;b2")
local n = 0
for w in ("one two"):gmatch("%a*") do n = n + 1 end
eq(n, 4)
---
("a"):find("[a") --> malformed pattern (a '[' is never closed)
---
("a"):find("(a") --> malformed pattern (a '(' is never closed)
---
("a"):find("a)") --> malformed pattern (a ')' closes nothing)
---
("a"):find("%") --> malformed pattern (ends with '%')
---
("a"):match("%1") --> pattern refers to capture %1, which does not exist
---
("a"):gsub("a", "%2") --> the replacement refers to capture %2, which does not exist
---
local eq = require "eq"
-- the rest of string
eq(("abc"):upper(), "ABC")
eq(("ÄBC"):lower(), "Äbc")
eq(("abc"):rep(3), "abcabcabc")
eq(("abc"):rep(-1), "")
eq(("abc"):reverse(), "cba")
eq(("abc"):len(), 3)
eq(("hello"):sub(2, -2), "ell")
eq(("hello"):sub(-3), "llo")
eq(("hello"):sub(0), "hello")
eq(("hello"):sub(4, 2), "")
eq(("hello"):sub(-100, 100), "hello")
eq(("A"):byte(), 65)
eq(select("#", ("abc"):byte(1, -1)), 3)
eq(string.char(72, 105), "Hi")
eq(("%d %5.2f %s %q %x %c"):format(3, 2.5, "x", 'a"b', 255, 65), '3  2.50 x "a\\"b" ff A')
eq(("%5s|%-5s|%05d|%+d"):format("a", "b", 42, 7), "    a|b    |00042|+7")
eq(("%.3s"):format("abcdef"), "abc")
eq(("%g %g %g"):format(1e20, 0.1, 100), "1e+20 0.1 100")
eq(("%5.1f%%"):format(99.5), " 99.5%")
eq(("%d"):format(-5), "-5")
eq(("%s %s"):format(nil, true), "nil true")
eq(("%X"):format(255), "FF")
---
("%d"):format("x") --> bad argument #2 to format (number expected, got string)
---
("%y"):format(1) --> the format has an unknown directive '%y'
---
("x"):rep(1e9) --> a string of 1048577 bytes is too long, the limit is 1048576
---
local eq = require "eq"
-- table
local t = { 3, 1, 2 }
table.sort(t)
eq(table.concat(t, ","), "1,2,3")
table.sort(t, function(a, b) return a > b end)
eq(table.concat(t, ","), "3,2,1")
table.insert(t, 4)
table.insert(t, 1, 0)
eq(table.concat(t), "03214")
eq(table.remove(t), 4)
eq(table.remove(t, 1), 0)
eq(#t, 3)
eq(table.remove({}), nil)
eq(table.maxn({ [10] = 1 }), 10)
eq(table.concat({ 1, 2, 3 }, "-", 2, 3), "2-3")
local random = {}
for i = 1, 100 do random[i] = math.random(10) end
table.sort(random, function() return true end) -- no order at all
---
table.concat({ 1, {}, 3 }) --> invalid value (a table) at index 2 in table for 'concat'
---
table.sort({ 1, "a" }) --> attempt to compare string with number
---
local t = {}
for i = 1, 70000 do table.insert(t, i) end --> the table is too long, the limit is 65535
---
local eq = require "eq"
-- math
eq(math.floor(-1.5), -2)
eq(math.max(1, 3, 2), 3)
eq(math.min(1, 3, 2), 1)
eq(math.fmod(7, 3), 1)
eq(math.huge, 1 / 0)
eq(math.pi > 3.14, true)
for _ = 1, 100 do
  local n = math.random(3)
  assert(n >= 1 and n <= 3)
end
