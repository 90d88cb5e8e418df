local eq = require "eq"
-- the subset of Lua that a plan has
for _, name in ipairs { "io", "os", "debug", "package", "load", "loadstring", "loadfile", "dofile",
  "collectgarbage", "getfenv", "setfenv", "newproxy", "channel", "module", "_printregs" } do
  eq(_G[name], nil)
end
eq(string.dump, nil)
eq(math.randomseed, nil)
eq(_G._G, _G)
x = 1
eq(_G.x, 1)
---
local eq = require "eq"
-- operators and conversions
eq("a" .. 1 .. 2.5, "a12.5")
eq(10 .. "", "10")
eq("10" + 5, 15)
eq(tostring(1e15), "1e+15")
eq(tostring(1e14), "100000000000000")
eq(tostring(0.1), "0.1")
eq(tostring(-0.5), "-0.5")
eq(tostring(1/0), "inf")
eq(tostring(nil), "nil")
eq(tostring({}), "table")
eq(tonumber("0x1F"), 31)
eq(tonumber(" 12 "), 12)
eq(tonumber("1e2"), 100)
eq(tonumber("ff", 16), 255)
eq(tonumber("12a"), nil)
eq(tonumber(""), nil)
eq(tonumber("inf"), nil)
eq(tonumber({}), nil)
eq(#"abc", 3)
eq(select("#", 1, nil, nil), 3)
eq(select(2, "a", "b", "c"), "b")
eq(select(-1, "a", "b", "c"), "c")
eq((unpack { 1, 2, 3 }), 1)
eq(rawequal("a", "a"), true)
---
local eq = require "eq"
-- a chain of .. longer than one call of the library takes
local s = "a" .. "b" .. "c" .. "d" .. "e" .. "f" .. "g" .. "h" .. "i" .. "j" .. "k" .. "l" .. "m" .. "n" .. "o" ..
  "p" .. "q" .. "r" .. "s" .. "t" .. "u" .. "v" .. "w" .. "x" .. "y" .. "z" .. "0" .. "1" .. "2" .. "3" .. "4" ..
  "5" .. "6" .. "7" .. "8" .. "9" .. "A" .. "B" .. "C" .. "D" .. "E" .. "F" .. "G" .. "H" .. "I" .. "J" .. "K"
eq(s, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJK")
local function two() return "x", "y" end
eq("a" .. two(), "ax")
eq(two() .. "a", "xa")
local function last(...) return "a" .. ... end
eq(last("b", "c"), "ab")
local joined = setmetatable({}, { __concat = function(a, b) return type(a) .. type(b) end })
eq("a" .. joined, "stringtable")
eq(joined .. 1, "tablenumber")
eq("a" .. "b" .. joined, "astringtable")
---
local eq = require "eq"
-- errors as values
eq(pcall(error, "x"), false)
local ok, err = pcall(error, { code = 1 })
eq(err.code, 1)
ok, err = pcall(function() error("deep", 0) end)
eq(err, "deep")
ok, err = pcall(function() local t = nil; t.x = 1 end)
eq(ok, false)
eq(select("#", pcall(function() return 1, nil, 3 end)), 4)
ok, err = xpcall(function() error("a", 0) end, function(e) return e .. "!" end)
eq(err, "a!")
eq(select(2, xpcall(function() return "fine" end, print)), "fine")
---
local function check(x)
  error("bad x", 2)
end
check(1) --> bad x
---
error("plain") --> plain
---
error({ message = "in a table" }) --> in a table
---
local t = "a" .. nil --> attempt to concatenate a nil value
---
error(print) --> the error value is a function
---
string.trim = function() end --> string is read-only
---
rawset(string, "trim", 1) --> a library table is read-only
---
table.insert(math, 1) --> a library table is read-only
---
setmetatable(string, {}) --> a library table is read-only
---
setmetatable(_G, {}) --> cannot change a protected metatable
---
getmetatable("").__index = nil --> attempt to index a non-table object(string) with key '__index'
---
local eq = require "eq"
eq(getmetatable(""), "string")
eq(getmetatable(_G), "globals")
eq(getmetatable(call), "call")
eq(rawget(string, "rep"), string.rep)
local found
for name in pairs(string) do found = found or name == "rep" end
eq(found, true)
for name in pairs(_G) do error(name) end
---
require "nothing" --> module 'nothing' is not in the bundle
---
local eq = require "eq"
eq(require "eq", eq)
---
assert(false, "as said") --> as said
---
local eq = require "eq"
-- goto, varargs, closures
local sum = 0
for i = 1, 10 do
  if i % 2 == 0 then goto continue end
  sum = sum + i
  ::continue::
end
eq(sum, 25)
local function count(...) return select("#", ...) end
eq(count(nil, nil), 2)
local function pass(...) local a, b = ... return b, a, arg end
eq(pass(1, 2), 2)
eq((select(3, pass(1, 2))), nil)
local function counter() local n = 0 return function() n = n + 1 return n end end
local c = counter()
c()
eq(c(), 2)
---
local eq = require "eq"
-- coroutines
local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
eq(gen() + gen() + gen(), 6)
local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
eq(select(2, coroutine.resume(co, 1)), 2)
eq(select(2, coroutine.resume(co, 21)), 42)
eq(coroutine.status(co), "dead")
eq(coroutine.resume(co), false)
---
for i = 1, 200 do coroutine.create(function() end) end --> more than 100 coroutines
