package dialplans

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// maxTableLength is the length of the longest list. A store at a number beyond
// it goes into the table's hash part.
const maxTableLength = 65535

var tableFunctions = map[string]lua.LGFunction{
	"table.concat": tableConcat, "table.insert": tableInsert, "table.maxn": tableMaxn, "table.remove": tableRemove,
	"table.sort": tableSort,
}

func tableConcat(L *lua.LState) int {
	t := readable(L, 1)
	separator := ""
	if L.Get(2) != lua.LNil {
		separator = L.CheckString(2)
	}
	from, to := L.OptInt(3, 1), L.OptInt(4, t.Len())
	var b strings.Builder
	for i := from; i <= to; i++ {
		v := t.RawGetInt(i)
		if !lua.LVCanConvToString(v) {
			L.RaiseError("invalid value (a %s) at index %d in table for 'concat'", v.Type(), i)
		}
		b.WriteString(textOf(L, v))
		if i < to {
			b.WriteString(separator)
		}
		check(L, runOf(L).budget.tooLong(b.Len()))
	}
	pushBuilt(L, b.String())
	return 1
}

func tableInsert(L *lua.LState) int {
	t := writable(L, 1)
	n := t.Len()
	at, value := n+1, L.Get(2)
	switch L.GetTop() {
	case 2:
	case 3:
		at, value = L.CheckInt(2), L.Get(3)
	default:
		L.RaiseError("wrong number of arguments to 'insert'")
	}
	if n >= maxTableLength {
		L.RaiseError("the table is too long, the limit is %d", maxTableLength)
	}
	if at < 1 || at > n+1 {
		L.ArgError(2, "position out of bounds")
	}
	if at == n+1 {
		t.RawSetInt(at, value)
		return 0
	}
	pay(L, (n-at)>>4)
	t.Insert(at, value)
	return 0
}

func tableMaxn(L *lua.LState) int {
	largest := lua.LNumber(0)
	readable(L, 1).ForEach(func(k, _ lua.LValue) {
		if n, ok := k.(lua.LNumber); ok {
			largest = max(largest, n)
		}
	})
	L.Push(largest)
	return 1
}

func tableRemove(L *lua.LState) int {
	t := writable(L, 1)
	n := t.Len()
	at := L.OptInt(2, n)
	if at < 1 || at > n {
		L.Push(lua.LNil)
		return 1
	}
	pay(L, (n-at)>>4)
	L.Push(t.Remove(at))
	return 1
}

// tableSort sorts a copy and writes it back: the order function may do anything
// to the table, and may be no order at all.
func tableSort(L *lua.LState) int {
	t := writable(L, 1)
	values := make([]lua.LValue, t.Len())
	for i := range values {
		values[i] = t.RawGetInt(i + 1)
	}
	less := func(a, b lua.LValue) bool { return L.LessThan(a, b) }
	if L.Get(2) != lua.LNil {
		order := L.CheckFunction(2)
		less = func(a, b lua.LValue) bool {
			L.Push(order)
			L.Push(a)
			L.Push(b)
			L.Call(2, 1)
			result := lua.LVAsBool(L.Get(-1))
			L.Pop(1)
			return result
		}
	}
	slices.SortFunc(values, func(a, b lua.LValue) int {
		pay(L, costOfCompare(a))
		switch {
		case less(a, b):
			return -1
		case less(b, a):
			return 1
		}
		return 0
	})
	for i, v := range values {
		t.RawSetInt(i+1, v)
	}
	return 0
}

// costOfCompare is the price of comparing a value, in steps.
func costOfCompare(v lua.LValue) int {
	if s, ok := v.(lua.LString); ok {
		return 2 + len(s)>>8
	}
	return 2
}
