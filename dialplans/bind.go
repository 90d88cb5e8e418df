package dialplans

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// libraryTables is what every run sees of the library. It is made once for the
// process and never changes: scripts get at it through read-only fronts only,
// so states on several goroutines can share it.
type libraryTables struct {
	env  *lua.LTable // metatable of a run's globals
	text *lua.LTable // metatable of strings
}

// frozen has, for the read-only front of each module, the table behind it. It
// is complete before the first run and never changes after.
var frozen = map[*lua.LTable]*lua.LTable{}

// library makes the tables on first use.
var library = sync.OnceValue(func() *libraryTables {
	lib := &libraryTables{}
	globals := &lua.LTable{Metatable: lua.LNil}
	functions := bindings()
	for _, m := range API {
		fields := globals
		if m.Name != "" {
			fields = &lua.LTable{Metatable: lua.LNil}
		}
		for _, f := range m.Functions {
			fields.RawSetString(f.Name, function(functions[m.key(f.Name)]))
		}
		switch {
		case m.Object:
			globals.RawSetString(m.Name, newCall(fields, m))
		case m.Name != "":
			globals.RawSetString(m.Name, newFront(m, fields, functions))
		}
		if m.Name == "string" {
			lib.text = &lua.LTable{Metatable: lua.LNil}
			lib.text.RawSetString("__index", fields)
			lib.text.RawSetString("__metatable", lua.LString("string"))
		}
	}
	addSys(globals.RawGetString("sys").(*lua.LTable))
	addMath(frozen[globals.RawGetString("math").(*lua.LTable)])
	globals.RawSetString("_VERSION", lua.LString("Lua 5.1"))
	globals.RawSetString(concatName, function(concat))
	globals.Metatable = meta(map[string]lua.LValue{"__index": function(ownGlobals)})
	lib.env = meta(map[string]lua.LValue{"__index": globals, "__metatable": lua.LString("globals")})
	return lib
})

// bindings are the Go functions behind the API, by "module.function"; those of
// call by "call:verb".
func bindings() map[string]lua.LGFunction {
	all := map[string]lua.LGFunction{}
	for _, part := range []map[string]lua.LGFunction{
		baseFunctions, stringFunctions, tableFunctions, mathFunctions, coroutineFunctions,
		callFunctions, logFunctions, reFunctions, jsonFunctions, timeFunctions, numberFunctions, hashFunctions,
		httpFunctions, dnsFunctions, kvFunctions, limitFunctions, sysFunctions,
	} {
		maps.Copy(all, part)
	}
	return all
}

// newFront makes the read-only table that scripts see of a module.
func newFront(m Module, fields *lua.LTable, functions map[string]lua.LGFunction) *lua.LTable {
	name := m.Name
	if !m.Standard {
		names := m.names()
		fields.Metatable = meta(map[string]lua.LValue{"__index": function(func(L *lua.LState) int {
			L.RaiseError("%s", unknownField(name, lua.LVAsString(L.Get(2)), names))
			return 0
		})})
	}
	shape := map[string]lua.LValue{
		"__index":     fields,
		"__newindex":  function(func(L *lua.LState) int { L.RaiseError("%s is read-only", name); return 0 }),
		"__metatable": lua.LString(name),
	}
	if whole, ok := functions[name]; ok {
		shape["__call"] = function(func(L *lua.LState) int { L.Remove(1); return whole(L) })
	}
	front := &lua.LTable{Metatable: meta(shape)}
	frozen[front] = fields
	return front
}

// ownGlobals answers for the globals that are not in the library.
func ownGlobals(L *lua.LState) int {
	if L.Get(2) == lua.LString("_G") {
		L.Push(runOf(L).env)
		return 1
	}
	return 0
}

func function(f lua.LGFunction) *lua.LFunction {
	return &lua.LFunction{IsG: true, GFunction: f}
}

func meta(fields map[string]lua.LValue) *lua.LTable {
	t := &lua.LTable{Metatable: lua.LNil}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		t.RawSetString(name, fields[name])
	}
	return t
}

// unknownField says that a thing has no such field, and which one it has.
func unknownField(thing, field string, names []string) string {
	if near := nearest(field, names); near != "" {
		return fmt.Sprintf("%s has no field '%s'; did you mean '%s'?", thing, clip(field), near)
	}
	return fmt.Sprintf("%s has no field '%s'; it has %s", thing, clip(field), strings.Join(names, ", "))
}

// writable is the table at an argument, which must not be the library's.
func writable(L *lua.LState, n int) *lua.LTable {
	t := L.CheckTable(n)
	if _, ok := frozen[t]; ok {
		L.RaiseError("a library table is read-only")
	}
	return t
}

// readable is the table at an argument, or what is behind it for the library's.
func readable(L *lua.LState, n int) *lua.LTable {
	t := L.CheckTable(n)
	if fields, ok := frozen[t]; ok {
		return fields
	}
	return t
}

// check raises err, if there is one, as an error of the script.
func check(L *lua.LState, err error) {
	if err != nil {
		L.RaiseError("%s", err.Error())
	}
}

// pushBuilt pushes a string that was built for the script, within its budget.
func pushBuilt(L *lua.LState, s string) {
	check(L, runOf(L).budget.grow(len(s)))
	L.Push(lua.LString(s))
}

// pay spends n steps of the run's budget and raises its end.
func pay(L *lua.LState, n int) {
	if b := &runOf(L).budget; !b.spend(n) {
		L.RaiseError("%s", b.Err().Error())
	}
}
