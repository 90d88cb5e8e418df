package dialplans

import (
	lua "github.com/yuin/gopher-lua"
)

const (
	// maxThreads is how many coroutines a run may make; each has stacks of its
	// own.
	maxThreads = 100
	// maxResumes is how deep coroutines may resume each other; each level goes
	// deeper into the stack of the goroutine.
	maxResumes = 16
)

// interpreterCoroutines are the interpreter's own functions, which the ones
// here put bounds around.
var interpreterCoroutines = func() map[string]lua.LGFunction {
	L := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer L.Close()
	lua.OpenCoroutine(L)
	all := map[string]lua.LGFunction{}
	L.CheckTable(-1).ForEach(func(name, f lua.LValue) {
		all[name.String()] = f.(*lua.LFunction).GFunction
	})
	return all
}()

var coroutineFunctions = map[string]lua.LGFunction{
	"coroutine.create":  coroutineCreate,
	"coroutine.resume":  bounded(interpreterCoroutines["resume"]),
	"coroutine.running": interpreterCoroutines["running"],
	"coroutine.status":  interpreterCoroutines["status"],
	"coroutine.wrap":    coroutineWrap,
	"coroutine.yield":   interpreterCoroutines["yield"],
}

func coroutineCreate(L *lua.LState) int {
	r := newThread(L)
	n := interpreterCoroutines["create"](L)
	resumeContext(L, r, L.CheckThread(L.GetTop()))
	return n
}

func coroutineWrap(L *lua.LState) int {
	r := newThread(L)
	interpreterCoroutines["wrap"](L)
	wrapped := L.CheckFunction(L.GetTop())
	thread := wrapped.Upvalues[0].Value().(*lua.LState)
	resumeContext(L, r, thread)
	L.Push(L.NewClosure(bounded(wrapped.GFunction), thread))
	return 1
}

// newThread counts a coroutine. It takes the context off the state for the
// moment of making it: the interpreter would give the coroutine a derived one,
// which knows nothing of the budget and costs a goroutine.
func newThread(L *lua.LState) *Run {
	r := runOf(L)
	r.tainted = true
	if r.threads++; r.threads > maxThreads {
		L.RaiseError("more than %d coroutines", maxThreads)
	}
	L.CheckFunction(1)
	L.RemoveContext()
	return r
}

// resumeContext puts the run's context on a state and its new coroutine.
func resumeContext(L *lua.LState, r *Run, thread *lua.LState) {
	L.SetContext(&r.budget)
	thread.SetContext(&r.budget)
}

// bounded limits how deep resume goes.
func bounded(resume lua.LGFunction) lua.LGFunction {
	return func(L *lua.LState) int {
		r := runOf(L)
		if r.depth++; r.depth > maxResumes {
			r.depth--
			L.RaiseError("coroutines resume each other more than %d deep", maxResumes)
		}
		defer func() { r.depth-- }()
		return resume(L)
	}
}
