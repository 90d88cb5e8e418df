package dialplans

import (
	_ "embed"
	"regexp"
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// The functions of sys are written in Lua, over the rest of the API, and run when
// a script first uses one. A script that does not, pays nothing: what is in the
// library are Go functions that look for those in Lua.

//go:embed sys.lua
var preludeSource []byte

// preludeName is what sys.lua is called in messages; no file of a bundle can be.
const preludeName = "[sys]"

// prelude is sys.lua, compiled when first needed.
var prelude = sync.OnceValue(func() *lua.FunctionProto {
	compiled, err := compileFile(preludeName, preludeSource)
	if err != nil {
		panic(err) // it comes with the program
	}
	return compiled
})

// inPrelude is the place in sys.lua at the beginning of an error message. It means
// nothing to the author of a plan.
var inPrelude = regexp.MustCompile(`^\[sys\]:\d+: `)

// sysFunctions call the functions of sys.lua.
var sysFunctions = func() map[string]lua.LGFunction {
	all := map[string]lua.LGFunction{}
	for _, f := range sysModule.Functions {
		all[sysModule.key(f.Name)] = sysFunction(f.Name)
	}
	return all
}()

// sysFunction calls a function of sys.lua. Its errors are those of whoever called
// sys.
func sysFunction(name string) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Insert(sysTable(L).RawGetString(name), 1)
		if raised := protected(L, L.GetTop()-1); raised != lua.LNil {
			L.RaiseError("%s", inPrelude.ReplaceAllString(errorText(raised), ""))
		}
		return L.GetTop()
	}
}

// sysTable is what sys.lua keeps for the run.
func sysTable(L *lua.LState) *lua.LTable {
	r := runOf(L)
	if r.sys == nil {
		// The script cannot change the environment's metatable, so this is a clean one.
		L.Push(&lua.LFunction{Env: &lua.LTable{Metatable: r.env.Metatable}, Proto: prelude()})
		L.Call(0, 1)
		r.sys = L.CheckTable(L.GetTop())
		L.Pop(1)
	}
	return r.sys
}

// addSys gives the front of sys its properties.
func addSys(front *lua.LTable) {
	frozen[front].Metatable.(*lua.LTable).RawSetString("__index", function(sysProperty))
	front.Metatable.(*lua.LTable).RawSetString("__newindex", function(sysSet))
}

// sysProperty answers for what is not a function.
func sysProperty(L *lua.LState) int {
	name := lua.LVAsString(L.Get(2))
	for _, f := range sysAbsent {
		if f.Name == name {
			L.RaiseError("sys.%s is not available: %s", name, f.Doc)
		}
	}
	if !sysModule.hasField(name) {
		L.RaiseError("%s", unknownField("sys", name, sysModule.names()))
	}
	L.Push(sysTable(L).RawGetString(name))
	return 1
}

// sysSet sets the one property that can be.
func sysSet(L *lua.LState) int {
	if L.Get(2) != lua.LString("Trace") {
		L.RaiseError("sys is read-only, but for sys.Trace")
	}
	sysTable(L).RawSetString("Trace", lua.LBool(lua.LVAsBool(L.Get(3))))
	return 0
}
