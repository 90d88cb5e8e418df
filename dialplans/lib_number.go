package dialplans

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

var numberFunctions = map[string]lua.LGFunction{
	"number.e164": numberE164, "number.has_prefix": numberHasPrefix, "number.is_e164": numberIsE164,
	"number.longest_prefix": numberLongestPrefix, "number.rewrite": numberRewrite, "number.strip": numberStrip,
}

func numberStrip(L *lua.LState) int {
	number := L.CheckString(1)
	pay(L, len(number))
	pushBuilt(L, stripNumber(number))
	return 1
}

func numberIsE164(L *lua.LState) int {
	L.Push(lua.LBool(isE164(L.CheckString(1))))
	return 1
}

func numberE164(L *lua.LState) int {
	number, ok, err := e164(L.CheckString(1), L.CheckString(2), L.OptString(3, "0"), L.OptString(4, "00"))
	check(L, err)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	pushBuilt(L, number)
	return 1
}

func numberHasPrefix(L *lua.LState) int {
	number := L.CheckString(1)
	for i := 2; i <= max(2, L.GetTop()); i++ {
		if list, ok := L.Get(i).(*lua.LTable); ok {
			pay(L, list.Len())
			for n := range list.Len() {
				if strings.HasPrefix(number, lua.LVAsString(list.RawGetInt(n+1))) {
					L.Push(lua.LTrue)
					return 1
				}
			}
		} else if strings.HasPrefix(number, L.CheckString(i)) {
			L.Push(lua.LTrue)
			return 1
		}
	}
	L.Push(lua.LFalse)
	return 1
}

// numberLongestPrefix looks the number up in a table keyed by prefixes.
func numberLongestPrefix(L *lua.LState) int {
	number, table := L.CheckString(1), L.CheckTable(2)
	for n := min(len(number), 2*maxE164); n >= 0; n-- {
		if value := table.RawGetString(number[:n]); value != lua.LNil {
			L.Push(value)
			L.Push(lua.LString(number[:n]))
			return 2
		}
	}
	L.Push(lua.LNil)
	return 1
}

func numberRewrite(L *lua.LState) int {
	number, rules := L.CheckString(1), L.CheckAny(2)
	if table, ok := rules.(*lua.LTable); ok {
		for n := min(len(number), 2*maxE164); n >= 0; n-- {
			if to := table.RawGetString(number[:n]); to != lua.LNil {
				pushBuilt(L, lua.LVAsString(to)+number[n:])
				L.Push(lua.LTrue)
				return 2
			}
		}
		L.Push(lua.LString(number))
		L.Push(lua.LFalse)
		return 2
	}
	result, changed := rewrite(number, L.CheckString(2), L.CheckString(3))
	pushBuilt(L, result)
	L.Push(lua.LBool(changed))
	return 2
}
