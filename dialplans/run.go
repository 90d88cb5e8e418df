package dialplans

import (
	"cmp"
	"fmt"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

// Limits of a run that [proto.Limits] leaves at zero.
const (
	defaultWall     = 10 * time.Second
	defaultCPU      = time.Second
	defaultLogLines = 200
	defaultLogBytes = 64 << 10
)

// Host receives what a run wants done. Its methods are called from the
// goroutine that is in [Run.Execute]; every message is fresh and theirs to keep.
// A Dial and an Ask are to be answered by [Run.Result]: the run sleeps until then,
// or until it is stopped or its time is over.
type Host interface {
	Instruct(*proto.Instruction)
	Log(*proto.Log)
}

// Run is one execution of a plan for one call. Make one with [NewRun], Execute
// it once; Stop, Result, Active and Waiting may be called from any goroutine at any time.
type Run struct {
	budget budget
	id     uint64
	start  *proto.Start
	facts  *proto.Facts
	host   Host
	now    time.Time

	files   map[string]*lua.FunctionProto
	state   *state
	env     *lua.LTable
	modules map[string]lua.LValue
	headers []header
	sys     *lua.LTable // what sys keeps, once it has been used
	decided string      // what decided the call, as a clause; empty while nothing has
	waiting atomic.Pointer[wait]
	seq     uint32
	parsed  bool  // headers are
	gone    bool  // the caller has given up
	tainted bool  // the Lua state must not be used again
	fetches uint8 // HTTP requests, up to maxFetches
	legs    int   // dialled
	threads int   // coroutines made
	depth   int   // of coroutines resuming each other

	logLines, logBytes int // left
}

// NewRun prepares a run of the call in start. now is what the script sees as
// the time, for all of the run. The facts in start are not copied and must not
// change until Execute has returned.
func NewRun(start *proto.Start, host Host, now time.Time) *Run {
	limits := start.GetLimits()
	r := &Run{id: start.GetRun(), start: start, facts: start.GetFacts(), host: host, now: now}
	r.budget.run = r
	r.budget.wallLimit = cmp.Or(time.Duration(limits.GetWallMs())*time.Millisecond, defaultWall)
	r.budget.cpuLimit = cmp.Or(time.Duration(limits.GetCpuMs())*time.Millisecond, defaultCPU)
	r.logLines = int(cmp.Or(limits.GetLogLines(), defaultLogLines))
	r.logBytes = int(cmp.Or(limits.GetLogBytes(), defaultLogBytes))
	return r
}

// Execute runs main.lua of the plan to its end on the calling goroutine and says
// how it ended. Whatever the script does, Execute returns, soon after the first
// limit or Stop, and never panics.
func (r *Run) Execute(p *Plan) *proto.Done {
	r.budget.begin()
	err := r.interpret(p)
	cpu := r.budget.finish()
	done := &proto.Done{Run: r.id, Outcome: proto.Outcome_OUTCOME_FINISHED, CpuUs: uint64(cpu.Microseconds())}
	if err == nil {
		return done
	}
	e := runtimeError(p, err)
	done.Outcome = proto.Outcome_OUTCOME_ERROR
	if over := r.budget.over.Load(); over != nil {
		done.Outcome, e.Message = over.outcome, over.why
	}
	done.Error = e.Proto()
	return done
}

// interpret executes main.lua in a leased state, which goes back to the plan
// only if nothing whatever went wrong in it.
func (r *Run) interpret(p *Plan) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the script broke the interpreter: %v", fault)
		}
	}()
	if err := r.budget.Err(); err != nil {
		return err
	}
	r.files, r.state = p.files, p.lease()
	L := r.state.lua
	L.SetContext(&r.budget)
	r.env = &lua.LTable{Metatable: library().env}
	L.Push(r.function(p.files[mainFile]))
	if err := L.PCall(0, 0, nil); err != nil {
		return err
	}
	if !r.tainted {
		p.giveBack(r.state)
	}
	return nil
}

// function makes a compiled file callable in this run's environment.
func (r *Run) function(compiled *lua.FunctionProto) *lua.LFunction {
	return &lua.LFunction{Env: r.env, Proto: compiled}
}

// Stop ends the run with the given outcome: its Lua code stops at its next
// instruction, also inside the library's own loops, and wakes at once if it
// waits. The first Stop, or limit, wins. It may come before Execute.
func (r *Run) Stop(outcome proto.Outcome, why string) {
	r.budget.end(outcome, why)
	if w := r.waiting.Load(); w != nil {
		w.tell(nil)
	}
}

// Active is the time spent in Lua since Execute began, without waits; once it has
// returned, how long it took. It is zero before.
func (r *Run) Active() time.Duration { return r.budget.active() }

// runOf is the run whose code is calling into the library.
func runOf(L *lua.LState) *Run { return L.Context().(*budget).run }
