package dialplans

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

var reFunctions = map[string]lua.LGFunction{
	"re.find": reFind, "re.gsub": reGsub, "re.match": reMatch,
}

// searchRegex matches the expression at argument 2 with the text at argument 1.
func searchRegex(L *lua.LState, text string) (*regex, []int) {
	x, err := runOf(L).state.regex(L.CheckString(2))
	check(L, err)
	cost, err := x.work(len(text))
	check(L, err)
	pay(L, cost)
	return x, x.FindStringSubmatchIndex(text)
}

// pushGroups pushes the groups of a match: nil for one that took no part.
func pushGroups(L *lua.LState, text string, at []int) int {
	for i := 0; i < len(at); i += 2 {
		if at[i] < 0 {
			L.Push(lua.LNil)
		} else {
			L.Push(lua.LString(text[at[i]:at[i+1]]))
		}
	}
	return len(at) / 2
}

func reMatch(L *lua.LState) int {
	text := L.CheckString(1)
	_, at := searchRegex(L, text)
	switch {
	case at == nil:
		L.Push(lua.LNil)
		return 1
	case len(at) == 2:
		return pushGroups(L, text, at)
	}
	return pushGroups(L, text, at[2:])
}

func reFind(L *lua.LState) int {
	text := L.CheckString(1)
	_, at := searchRegex(L, text)
	if at == nil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(at[0] + 1))
	L.Push(lua.LNumber(at[1]))
	return 2 + pushGroups(L, text, at[2:])
}

func reGsub(L *lua.LState) int {
	text := L.CheckString(1)
	x, err := runOf(L).state.regex(L.CheckString(2))
	check(L, err)
	L.CheckTypes(3, lua.LTString, lua.LTNumber, lua.LTFunction)
	limit := L.OptInt(4, len(text)+1)
	matches, err := x.all(&runOf(L).budget, text, limit)
	check(L, err)
	var b strings.Builder
	end := 0
	for _, at := range matches {
		b.WriteString(text[end:at[0]])
		b.WriteString(regexReplacement(L, text, at))
		check(L, runOf(L).budget.tooLong(b.Len()))
		end = at[1]
	}
	b.WriteString(text[end:])
	pushBuilt(L, b.String())
	L.Push(lua.LNumber(len(matches)))
	return 2
}

// regexReplacement is the text for one match: argument 3 with %0 to %9 filled
// in, or what it gives when called with the groups.
func regexReplacement(L *lua.LState, text string, at []int) string {
	whole := text[at[0]:at[1]]
	order, ok := L.Get(3).(*lua.LFunction)
	if !ok {
		return expandGroups(L, text, at, lua.LVAsString(L.Get(3)))
	}
	L.Push(order)
	groups := at
	if len(at) > 2 {
		groups = at[2:]
	}
	L.Call(pushGroups(L, text, groups), 1)
	value := L.Get(-1)
	L.Pop(1)
	if !lua.LVAsBool(value) {
		return whole
	}
	return textOf(L, value)
}

func expandGroups(L *lua.LState, text string, at []int, repl string) string {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(repl, "%")
		b.WriteString(plain)
		if !found || rest == "" {
			return b.String()
		}
		repl = rest[1:]
		n := 2 * int(rest[0]-'0')
		switch {
		case !isDigit(rest[0]):
			b.WriteByte(rest[0])
		case n >= len(at):
			L.RaiseError("the replacement refers to group %%%d, which does not exist", n/2)
		case at[n] >= 0:
			b.WriteString(text[at[n]:at[n+1]])
		}
		check(L, runOf(L).budget.tooLong(b.Len()))
	}
}
