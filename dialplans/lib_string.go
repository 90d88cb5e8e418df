package dialplans

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

var stringFunctions = map[string]lua.LGFunction{
	"string.byte": stringByte, "string.char": stringChar, "string.find": stringFind, "string.format": stringFormat,
	"string.gmatch": stringGmatch, "string.gsub": stringGsub, "string.len": stringLen, "string.lower": stringLower,
	"string.match": stringMatch, "string.rep": stringRep, "string.reverse": stringReverse, "string.sub": stringSub,
	"string.upper": stringUpper,
}

// concat is what a .. b .. c calls.
func concat(L *lua.LState) int {
	top := L.GetTop()
	var parts [maxOperands]string
	size := 0
	for i := 1; i <= top; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			parts[i-1] = string(v)
		case lua.LNumber:
			parts[i-1] = numberText(float64(v))
		default:
			return concatValues(L, top)
		}
		size += len(parts[i-1])
	}
	check(L, runOf(L).budget.grow(size))
	L.Push(lua.LString(strings.Join(parts[:top], "")))
	return 1
}

// concatValues joins pair by pair from the right, asking for __concat.
func concatValues(L *lua.LState, top int) int {
	right := L.Get(top)
	for i := top - 1; i >= 1; i-- {
		right = concatPair(L, L.Get(i), right)
	}
	L.Push(right)
	return 1
}

func concatPair(L *lua.LState, left, right lua.LValue) lua.LValue {
	if lua.LVCanConvToString(left) && lua.LVCanConvToString(right) {
		l, r := textOf(L, left), textOf(L, right)
		check(L, runOf(L).budget.grow(len(l)+len(r)))
		return lua.LString(l + r)
	}
	meta := L.GetMetaField(left, "__concat")
	if meta == lua.LNil {
		meta = L.GetMetaField(right, "__concat")
	}
	if meta == lua.LNil {
		bad := left
		if lua.LVCanConvToString(left) {
			bad = right
		}
		L.RaiseError("attempt to concatenate a %s value", bad.Type())
	}
	L.Push(meta)
	L.Push(left)
	L.Push(right)
	L.Call(2, 1)
	joined := L.Get(-1)
	L.Pop(1)
	return joined
}

// reach turns the positions i and j of string.sub, from 1 or from the end if
// negative, into offsets in a string of n bytes.
func reach(i, j, n int) (from, to int) {
	if i < 0 {
		i = max(n+i+1, 1)
	}
	if j < 0 {
		j = n + j + 1
	}
	from, to = max(i, 1)-1, min(j, n)
	if from >= to {
		return 0, 0
	}
	return from, to
}

func stringSub(L *lua.LState) int {
	s := L.CheckString(1)
	from, to := reach(L.CheckInt(2), L.OptInt(3, -1), len(s))
	L.Push(lua.LString(s[from:to]))
	return 1
}

func stringByte(L *lua.LState) int {
	s := L.CheckString(1)
	i := L.OptInt(2, 1)
	from, to := reach(i, L.OptInt(3, i), len(s))
	if to-from > maxUnpack {
		L.RaiseError("string.byte gives at most %d values", maxUnpack)
	}
	for _, c := range []byte(s[from:to]) {
		L.Push(lua.LNumber(c))
	}
	return to - from
}

func stringChar(L *lua.LState) int {
	bytes := make([]byte, L.GetTop())
	for i := range bytes {
		c := L.CheckInt(i + 1)
		if c < 0 || c > 255 {
			L.ArgError(i+1, "not a byte")
		}
		bytes[i] = byte(c)
	}
	pushBuilt(L, string(bytes))
	return 1
}

func stringLen(L *lua.LState) int {
	L.Push(lua.LNumber(len(L.CheckString(1))))
	return 1
}

// Only ASCII letters change case: scripts handle bytes, not text of a language.
func stringLower(L *lua.LState) int { return mapBytes(L, 'A', 'Z') }
func stringUpper(L *lua.LState) int { return mapBytes(L, 'a', 'z') }

// mapBytes changes the case of the letters between low and high.
func mapBytes(L *lua.LState, low, high byte) int {
	s := L.CheckString(1)
	check(L, runOf(L).budget.grow(len(s)))
	out := []byte(s)
	for i, c := range out {
		if low <= c && c <= high {
			out[i] = c ^ 0x20
		}
	}
	L.Push(lua.LString(out))
	return 1
}

func stringRep(L *lua.LState) int {
	s, n := L.CheckString(1), L.CheckInt(2)
	if n <= 0 || s == "" {
		L.Push(lua.LString(""))
		return 1
	}
	check(L, runOf(L).budget.grow(min(n, maxString+1)*len(s)))
	L.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

func stringReverse(L *lua.LState) int {
	s := L.CheckString(1)
	check(L, runOf(L).budget.grow(len(s)))
	out := make([]byte, len(s))
	for i := range out {
		out[i] = s[len(s)-1-i]
	}
	L.Push(lua.LString(out))
	return 1
}

func stringFormat(L *lua.LState) int {
	format := L.CheckString(1)
	var b strings.Builder
	arg := 1
	for {
		plain, rest, found := strings.Cut(format, "%")
		b.WriteString(plain)
		if !found {
			break
		}
		if strings.HasPrefix(rest, "%") {
			b.WriteByte('%')
			format = rest[1:]
			continue
		}
		d, n, err := parseDirective(rest)
		check(L, err)
		format = rest[n:]
		arg++
		b.WriteString(formatArgument(L, d, arg))
		check(L, runOf(L).budget.tooLong(b.Len()))
	}
	pushBuilt(L, b.String())
	return 1
}

func formatArgument(L *lua.LState, d directive, arg int) string {
	switch d.verb {
	case 'd', 'i', 'u', 'o', 'x', 'X', 'c':
		return d.integer(float64(L.CheckNumber(arg)))
	case 'e', 'E', 'f', 'g', 'G':
		return d.float(float64(L.CheckNumber(arg)))
	case 's':
		return d.text(textOf(L, L.CheckAny(arg)))
	case 'q':
		return quoted(L.CheckString(arg))
	}
	L.RaiseError("the format has an unknown directive '%%%c'", d.verb)
	return ""
}
