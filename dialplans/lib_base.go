package dialplans

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

// maxUnpack is how many values unpack, select and string.byte may give.
const maxUnpack = 4096

var baseFunctions = map[string]lua.LGFunction{
	"assert": baseAssert, "error": baseError, "getmetatable": baseGetmetatable, "ipairs": baseIpairs,
	"next": baseNext, "pairs": basePairs, "pcall": basePcall, "print": logAt("info"), "rawequal": baseRawequal,
	"rawget": baseRawget, "rawset": baseRawset, "require": baseRequire, "select": baseSelect,
	"setmetatable": baseSetmetatable, "tonumber": baseTonumber, "tostring": baseTostring, "type": baseType,
	"unpack": baseUnpack, "xpcall": baseXpcall,
}

var (
	nextFunction   = function(baseNext)
	ipairsFunction = function(ipairsStep)
)

func baseAssert(L *lua.LState) int {
	if lua.LVAsBool(L.CheckAny(1)) {
		return L.GetTop()
	}
	if L.GetTop() >= 2 {
		L.Error(L.Get(2), 0)
	}
	L.RaiseError("assertion failed!")
	return 0
}

func baseError(L *lua.LState) int {
	level := L.OptInt(2, 1)
	if level > 1 {
		level++ // the interpreter counts this function as one
	}
	L.Error(L.Get(1), level)
	return 0
}

func baseGetmetatable(L *lua.LState) int {
	L.Push(L.GetMetatable(L.CheckAny(1)))
	return 1
}

func baseIpairs(L *lua.LState) int {
	t := readable(L, 1)
	L.Push(ipairsFunction)
	L.Push(t)
	L.Push(lua.LNumber(0))
	return 3
}

func ipairsStep(L *lua.LState) int {
	i := L.CheckInt(2) + 1
	v := L.CheckTable(1).RawGetInt(i)
	if v == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(i))
	L.Push(v)
	return 2
}

func baseNext(L *lua.LState) int {
	t := readable(L, 1)
	pay(L, 4)
	key, value := t.Next(L.Get(2))
	if key == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(key)
	L.Push(value)
	return 2
}

func basePairs(L *lua.LState) int {
	if u, ok := L.Get(1).(*lua.LUserData); ok {
		if lines, ok := headersIn(L, u); ok {
			return headerPairs(L, lines)
		}
	}
	L.CheckTable(1)
	L.Push(nextFunction)
	L.Push(L.Get(1))
	L.Push(lua.LNil)
	return 3
}

func basePcall(L *lua.LState) int {
	L.CheckAny(1)
	if err := protected(L, L.GetTop()-1); err != lua.LNil {
		L.SetTop(0)
		L.Push(lua.LFalse)
		L.Push(err)
		return 2
	}
	L.Insert(lua.LTrue, 1)
	return L.GetTop()
}

// baseXpcall calls the handler after the stack has been unwound: there is no
// debug library with which it could tell the difference.
func baseXpcall(L *lua.LState) int {
	handler := L.CheckFunction(2)
	L.SetTop(1)
	err := protected(L, 0)
	if err == lua.LNil {
		L.Insert(lua.LTrue, 1)
		return L.GetTop()
	}
	L.SetTop(0)
	L.Push(lua.LFalse)
	L.Push(handler)
	L.Push(err)
	L.Call(1, lua.MultRet)
	return L.GetTop()
}

// protected calls the function on the stack and gives the error it raised. The
// end of the run, and a fault of the interpreter, cannot be caught.
func protected(L *lua.LState, args int) (raised lua.LValue) {
	r := runOf(L)
	err := L.PCall(args, lua.MultRet, nil)
	if err == nil {
		return lua.LNil
	}
	r.tainted = true
	failure, ok := err.(*lua.ApiError)
	if !ok || failure.Type == lua.ApiErrorPanic {
		r.budget.end(proto.Outcome_OUTCOME_ERROR, "the script broke the interpreter: "+err.Error())
	}
	pay(L, 64)
	if failure.Object == lua.LNil {
		return lua.LFalse
	}
	return failure.Object
}

func baseRawequal(L *lua.LState) int {
	L.Push(lua.LBool(L.RawEqual(L.CheckAny(1), L.CheckAny(2))))
	return 1
}

func baseRawget(L *lua.LState) int {
	L.Push(readable(L, 1).RawGet(L.CheckAny(2)))
	return 1
}

func baseRawset(L *lua.LState) int {
	t := writable(L, 1)
	L.RawSet(t, L.CheckAny(2), L.CheckAny(3))
	L.SetTop(1)
	return 1
}

func baseSelect(L *lua.LState) int {
	count := L.GetTop() - 1
	if L.Get(1) == lua.LString("#") {
		L.Push(lua.LNumber(count))
		return 1
	}
	n := L.CheckInt(1)
	if n < 0 {
		n = count + n + 1
	}
	if n < 1 {
		L.ArgError(1, "index out of range")
	}
	return max(0, count-n+1)
}

func baseSetmetatable(L *lua.LState) int {
	t := writable(L, 1)
	L.CheckTypes(2, lua.LTNil, lua.LTTable)
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
	t.Metatable = L.Get(2)
	L.SetTop(1)
	return 1
}

func baseTonumber(L *lua.LState) int {
	v := L.CheckAny(1)
	base := L.OptInt(2, 10)
	if base < 2 || base > 36 {
		L.ArgError(2, "base out of range")
	}
	if base == 10 || v.Type() == lua.LTNumber {
		switch v := v.(type) {
		case lua.LNumber:
			L.Push(v)
		case lua.LString:
			pushNumber(L, string(v))
		default:
			L.Push(lua.LNil)
		}
		return 1
	}
	digits := strings.ToLower(strings.TrimSpace(L.CheckString(1)))
	if base == 16 {
		digits = strings.TrimPrefix(digits, "0x")
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(n))
	return 1
}

func pushNumber(L *lua.LState, s string) {
	if n, ok := parseNumber(s); ok {
		L.Push(lua.LNumber(n))
		return
	}
	L.Push(lua.LNil)
}

func baseTostring(L *lua.LState) int {
	L.Push(lua.LString(textOf(L, L.CheckAny(1))))
	return 1
}

// textOf is what tostring gives. Addresses stay out of it: they would tell a
// script about the worker it runs in.
func textOf(L *lua.LState, v lua.LValue) string {
	switch v := v.(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return numberText(float64(v))
	case *lua.LTable, *lua.LUserData:
		if name := L.GetMetaField(v, "__tostring"); name != lua.LNil {
			L.Push(name)
			L.Push(v)
			L.Call(1, 1)
			text := L.Get(-1)
			L.Pop(1)
			if !lua.LVCanConvToString(text) {
				L.RaiseError("'__tostring' must return a string")
			}
			return lua.LVAsString(text)
		}
		return v.Type().String()
	case lua.LBool:
		return strconv.FormatBool(bool(v))
	default:
		return v.Type().String()
	}
}

func baseType(L *lua.LState) int {
	L.Push(lua.LString(L.CheckAny(1).Type().String()))
	return 1
}

func baseUnpack(L *lua.LState) int {
	t := readable(L, 1)
	from, to := L.OptInt(2, 1), L.OptInt(3, t.Len())
	if from > to {
		return 0
	}
	if count := float64(to) - float64(from) + 1; count > maxUnpack || math.IsNaN(count) {
		L.RaiseError("unpack gives at most %d values", maxUnpack)
	}
	for i := from; i <= to; i++ {
		L.Push(t.RawGetInt(i))
	}
	return to - from + 1
}
