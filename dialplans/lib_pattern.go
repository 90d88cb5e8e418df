package dialplans

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// search finds the first match of the pattern at argument 2 in the string at
// argument 1, from offset init on.
func search(L *lua.LState, src, subject string, init int) (*matcher, span, bool) {
	r := runOf(L)
	p, err := r.state.pattern(src)
	check(L, err)
	m := &r.state.matcher
	found, ok := m.find(&r.budget, p, subject, init)
	if m.stopped {
		L.RaiseError("%s", r.budget.Err().Error())
	}
	return m, found, ok
}

// pushCaptures pushes the captures of a match; all of it if there are none and
// whole is set.
func pushCaptures(L *lua.LState, m *matcher, found span, whole bool) int {
	n := m.pattern.captures
	if n == 0 && whole {
		L.Push(lua.LString(m.subject[found.start:found.end]))
		return 1
	}
	for i := range n {
		L.Push(captured(m, i))
	}
	return n
}

// captured is the value of one capture: a string or a position.
func captured(m *matcher, i int) lua.LValue {
	c := m.captures[i]
	if c.end == isPosition {
		return lua.LNumber(c.start + 1)
	}
	return lua.LString(m.subject[c.start:c.end])
}

// startOf turns an init argument into an offset; false if it is past the end.
func startOf(L *lua.LState, arg int, subject string) (int, bool) {
	init := L.OptInt(arg, 1)
	if init < 0 {
		init = max(len(subject)+init+1, 1)
	}
	init = max(init, 1) - 1
	return init, init <= len(subject)
}

func stringFind(L *lua.LState) int {
	subject, src := L.CheckString(1), L.CheckString(2)
	init, ok := startOf(L, 3, subject)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	if lua.LVAsBool(L.Get(4)) {
		return findPlain(L, subject, src, init)
	}
	m, found, ok := search(L, src, subject, init)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(found.start + 1))
	L.Push(lua.LNumber(found.end))
	return 2 + pushCaptures(L, m, found, false)
}

func findPlain(L *lua.LState, subject, text string, init int) int {
	pay(L, len(subject)>>8)
	i := strings.Index(subject[init:], text)
	if i < 0 {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(init + i + 1))
	L.Push(lua.LNumber(init + i + len(text)))
	return 2
}

func stringMatch(L *lua.LState) int {
	subject, src := L.CheckString(1), L.CheckString(2)
	if init, ok := startOf(L, 3, subject); ok {
		if m, found, ok := search(L, src, subject, init); ok {
			return pushCaptures(L, m, found, true)
		}
	}
	L.Push(lua.LNil)
	return 1
}

func stringGmatch(L *lua.LState) int {
	subject, src := L.CheckString(1), L.CheckString(2)
	at := 0
	L.Push(function(func(L *lua.LState) int {
		if at <= len(subject) {
			if m, found, ok := search(L, src, subject, at); ok {
				switch at = found.end; {
				case m.pattern.anchored:
					at = len(subject) + 1
				case found.end == found.start:
					at++ // the same empty match must not be found again
				}
				return pushCaptures(L, m, found, true)
			}
			at = len(subject) + 1
		}
		L.Push(lua.LNil)
		return 1
	}))
	return 1
}

func stringGsub(L *lua.LState) int {
	subject, src := L.CheckString(1), L.CheckString(2)
	L.CheckTypes(3, lua.LTString, lua.LTNumber, lua.LTTable, lua.LTFunction)
	limit := L.OptInt(4, len(subject)+1)
	var b strings.Builder
	at, count := 0, 0
	for at <= len(subject) && count < limit {
		m, found, ok := search(L, src, subject, at)
		if !ok {
			break
		}
		count++
		anchored := m.pattern.anchored // the replacement may use the matcher
		b.WriteString(subject[at:found.start])
		b.WriteString(replacement(L, m, found))
		check(L, runOf(L).budget.tooLong(b.Len()))
		at = found.end
		if found.end == found.start {
			if at < len(subject) {
				b.WriteByte(subject[at])
			}
			at++
		}
		if anchored {
			break
		}
	}
	if at < len(subject) {
		b.WriteString(subject[at:])
	}
	pushBuilt(L, b.String())
	L.Push(lua.LNumber(count))
	return 2
}

// replacement is the text for one match of gsub, made from argument 3.
func replacement(L *lua.LState, m *matcher, found span) string {
	whole := m.subject[found.start:found.end]
	var value lua.LValue
	switch repl := L.Get(3).(type) {
	case *lua.LFunction:
		L.Push(repl)
		L.Call(pushCaptures(L, m, found, true), 1)
		value = L.Get(-1)
		L.Pop(1)
	case *lua.LTable:
		n := pushCaptures(L, m, found, true)
		value = L.GetTable(repl, L.Get(L.GetTop()-n+1))
		L.Pop(n)
	default:
		return expand(L, m, whole, lua.LVAsString(repl))
	}
	switch {
	case !lua.LVAsBool(value):
		return whole
	case !lua.LVCanConvToString(value):
		L.RaiseError("invalid replacement value (a %s)", value.Type())
	}
	return textOf(L, value)
}

// expand puts captures in the place of %0 to %9.
func expand(L *lua.LState, m *matcher, whole, repl string) string {
	if !strings.Contains(repl, "%") {
		return repl
	}
	var b strings.Builder
	for i := 0; i < len(repl); i++ {
		c := repl[i]
		if c != '%' || i+1 == len(repl) {
			b.WriteByte(c)
			continue
		}
		i++
		switch n := int(repl[i] - '0'); {
		case !isDigit(repl[i]):
			b.WriteByte(repl[i])
		case n == 0 || n == 1 && m.pattern.captures == 0:
			b.WriteString(whole)
		case n > m.pattern.captures:
			L.RaiseError("the replacement refers to capture %%%d, which does not exist", n)
		default:
			b.WriteString(lua.LVAsString(captured(m, n-1)))
		}
		check(L, runOf(L).budget.tooLong(b.Len()))
	}
	return b.String()
}
