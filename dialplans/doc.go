// Package dialplans is the script runtime of a worker: it compiles the plans
// that users write in Lua and runs them for calls.
//
// It owns the Lua API (one table, api.go), the bounds that every script is
// under, and the examples. It knows nothing of SIP, sockets or processes: facts
// of a call come in as a [proto.Start], what the script wants goes out through a
// [Host] as [proto.Instruction] and [proto.Log].
//
//	bundle: files by name
//	   │ Compile
//	   ├─ prescan   shapes no compiler survives are refused      prescan.go lexer.go
//	   ├─ parse     gopher-lua's parser
//	   ├─ concat    a .. b becomes a budgeted call               concat.go
//	   ├─ compile   gopher-lua's compiler, tail calls undone     compile.go
//	   ▼
//	 Plan ── pool of Lua states, its own                         state.go
//	   │
//	   │ NewRun(start, host, now).Execute(plan)                  run.go
//	   ▼
//	 Run ─── fresh globals ─► read-only library ─► Go functions  bind.go lib_*.go
//	   │         budget: asked before each instruction           budget.go
//	   │         call:dial, and what asks the dispatcher's
//	   │         broker (http, dns, enum, kv, limit), sleep
//	   │         until Run.Result, Run.Stop or the end of
//	   │         their time                                      wait.go lib_ask.go
//	   ▼
//	 Host.Instruct, Host.Log, and at the end proto.Done
//
// The arguments of call:dial become a [proto.Dial] in lib_dialling.go; strings in
// the syntax of 2009 are taken apart in dialstring.go, which knows no Lua. What a
// script asks of the broker becomes a [proto.Ask]; whatever comes of it is a return
// value. The names of 2009, sys, are Lua over the rest of the API (sys.lua), which
// runs only for scripts that use them.
//
// # Guarantees
//
//   - Execute returns, whatever the script does, soon after the first limit or
//     [Run.Stop], and never panics. No goroutine belongs to a run, and a timer
//     only while it waits. While legs ring the script's clock stands still; with
//     its dials a run lasts 300 s at the most. Any other wait is the script's time,
//     though no CPU time.
//   - A run waits for one answer at a time: its coroutines share its goroutine, so
//     no other instruction leaves meanwhile. Answers to anything else are ignored.
//   - A run sees nothing of another: its globals and modules are new, and all it
//     shares with other runs (the library's tables, the metatable of strings, the
//     object call) is read-only and holds no state of a run.
//   - A Lua state serves one plan. It goes back to the plan's pool only after a
//     run in which nothing went wrong, not even an error that the script caught.
//   - Every instruction that leaves has been checked: codes, sizes, targets,
//     header names, no control characters. Sequence numbers count from 1.
//
// # Under attack
//
// The interpreter asks the context of its state before each instruction whether
// it may go on; the [budget] is that context. It observes Stop at once and looks
// at the clock every 64 steps. What the interpreter does between two
// instructions is bounded in other ways:
//
//   - Pattern matching and regular expressions are the package's own or are
//     bounded by the size of their input; loops in Go pay from the same budget.
//   - Strings have at most 1 MiB, those of a run together 64 MiB; the operator ..
//     is rewritten into a call that counts. Lists have at most 65,535 elements.
//   - Calls nest 200 deep and coroutines resume each other 16 deep, so that the
//     stack of the goroutine stays small.
//   - Tables and closures are not counted: the worker watches its heap and stops
//     the most active run.
//   - A panic of the interpreter ends the run with an error and cannot be caught
//     by the script.
//
// CPU time is the time spent in Lua by the clock, where a gap that the scheduler
// must have caused counts as 5 ms at most.
//
// # Generated files
//
// The stub for editors, dialyard.d.lua, and manual.md come from the table in
// api.go; TestGenerated fails when they are stale.
package dialplans

//go:generate go test -run TestGenerated -count 1 . -update
