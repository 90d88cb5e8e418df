package dialplans

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// loading stands in a run's modules for one that is being executed.
var loading = &lua.LUserData{Metatable: lua.LNil}

// baseRequire executes a file of the bundle, once for each run, and gives what
// it returns: true if that is nil.
func baseRequire(L *lua.LState) int {
	r := runOf(L)
	name := L.CheckString(1)
	module, ok := r.modules[name]
	if !ok {
		module = r.load(L, name)
	}
	if module == loading {
		L.RaiseError("module '%s' requires itself", clip(name))
	}
	L.Push(module)
	return 1
}

// load executes the file of a module that this run has not seen.
func (r *Run) load(L *lua.LState, name string) lua.LValue {
	compiled := r.files[strings.ReplaceAll(strings.TrimSuffix(name, ".lua"), ".", "/")+".lua"]
	if compiled == nil {
		L.RaiseError("module '%s' is not in the bundle", clip(name))
	}
	if r.modules == nil {
		r.modules = map[string]lua.LValue{}
	}
	r.modules[name] = loading
	L.Push(r.function(compiled))
	L.Push(lua.LString(name))
	L.Call(1, 1)
	module := L.Get(-1)
	L.Pop(1)
	if module == lua.LNil {
		module = lua.LTrue
	}
	r.modules[name] = module
	return module
}
