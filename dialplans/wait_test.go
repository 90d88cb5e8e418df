package dialplans

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dialyard/proto"
)

// ringing is a host that shows the dials of a run to the test, which answers.
type ringing struct {
	discard
	dials chan *proto.Instruction
}

func newRinging() *ringing { return &ringing{dials: make(chan *proto.Instruction, 10)} }

func (h *ringing) Instruct(i *proto.Instruction) {
	if i.GetDial() != nil {
		h.dials <- i
	}
}

// executing begins a run on a goroutine of its own.
func executing(t *testing.T, host Host, source string) (*Run, <-chan *proto.Done) {
	run, ended := NewRun(demoStart(), host, noon), make(chan *proto.Done, 1)
	p := mustCompile(t, source)
	go func() { ended <- run.Execute(p) }()
	return run, ended
}

var (
	busy    = &proto.Dialled{Status: proto.DialStatus_DIAL_STATUS_BUSY, Code: 486}
	success = &proto.Dialled{Status: proto.DialStatus_DIAL_STATUS_ANSWERED, Code: 200}
)

// TestWaitIsNoTimeOfTheScript lets legs ring for far longer than the script may
// last.
func TestWaitIsNoTimeOfTheScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newRinging()
		run, ended := executing(t, host, `
			for i = 1, 3 do
			  assert(call:dial("a@gw").status == "busy")
			  assert(call:deadline() == 10, call:deadline())
			end`)
		for range 3 {
			i := <-host.dials
			time.Sleep(time.Minute)
			synctest.Wait()
			if !run.Waiting() || run.Active() > time.Second {
				t.Errorf("waiting %v, active for %v", run.Waiting(), run.Active())
			}
			run.Result(resultOf(i, busy))
		}
		if done := <-ended; done.Outcome != proto.Outcome_OUTCOME_FINISHED || done.CpuUs > 1e6 {
			t.Error(done)
		}
		if run.Waiting() || run.Active() > time.Second {
			t.Errorf("ended, but waiting %v, active for %v", run.Waiting(), run.Active())
		}
	})
}

// TestWallLimitHoldsAfterWait spends the script's own time after a dial: the
// clock of the bubble moves only while the run waits, so the host's time is
// taken.
func TestWallLimitHoldsAfterWait(t *testing.T) {
	start := demoStart()
	start.Limits = &proto.Limits{WallMs: 50}
	host := &switchboard{answers: []*proto.Dialled{busy}}
	done := host.execute(start, noon, mustCompile(t, `call:dial("a@gw") while true do end`))
	if done.Outcome != limited || done.Error.GetMessage() != "the script took longer than 50ms" {
		t.Error(done)
	}
}

// TestTotalLimit never answers: the run ends all the same.
func TestTotalLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newRinging()
		began := time.Now()
		_, ended := executing(t, host, `pcall(call.dial, call, "a@gw") while true do pcall(call.dial, call, "a@gw") end`)
		done := <-ended
		if done.Outcome != limited || done.Error.GetMessage() != "the script and its dials took longer than 5m0s" {
			t.Error(done)
		}
		if took := time.Since(began); took != totalLimit {
			t.Errorf("ended after %v", took)
		}
		if len(host.dials) != 1 {
			t.Errorf("%d dials", len(host.dials))
		}
	})
}

// TestTotalLimitOverDials has all dials answered, but late.
func TestTotalLimitOverDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newRinging()
		run, ended := executing(t, host, `while true do log(call:dial("a@gw").status) end`)
		for dials := 1; ; dials++ {
			select {
			case i := <-host.dials:
				if at, left := time.Duration(dials-1)*70*time.Second, time.Duration(i.GetDial().TimeoutMs)*time.Millisecond; left != totalLimit-lastWord-at {
					t.Errorf("dial %d has %v", dials, left)
				}
				time.Sleep(70 * time.Second)
				run.Result(resultOf(i, busy))
			case done := <-ended:
				if dials != 6 || done.Outcome != limited {
					t.Errorf("after %d dials: %v", dials-1, done)
				}
				return
			}
		}
	})
}

// TestStopWakesWaitingRun stops runs that wait, in every disguise.
func TestStopWakesWaitingRun(t *testing.T) {
	for _, source := range []string{
		`call:dial("a@gw") log("no")`,
		`pcall(call.dial, call, "a@gw") call:tag("not", "here")`,
		`while true do pcall(function() call:dial("a@gw") end) end`,
		`xpcall(function() call:dial("a@gw") end, function() call:dial("b@gw") end)`,
		`coroutine.wrap(function() call:dial("a@gw") end)() call:dial("b@gw")`,
		`coroutine.resume(coroutine.create(function() call:dial("a@gw") end)) call:dial("b@gw")`,
		`table.sort({1, 2, 3}, function() call:dial("a@gw") return true end)`,
		`return tostring(setmetatable({}, {__tostring = function() call:dial("a@gw") return "x" end}))`,
	} {
		synctest.Test(t, func(t *testing.T) {
			host := newRinging()
			run, ended := executing(t, host, source)
			i := <-host.dials
			synctest.Wait()
			began := time.Now()
			run.Stop(proto.Outcome_OUTCOME_CANCELLED, "the caller hung up")
			run.Result(resultOf(i, busy)) // too late
			done := <-ended
			if done.Outcome != proto.Outcome_OUTCOME_CANCELLED || done.Error.GetMessage() != "the caller hung up" || time.Since(began) != 0 {
				t.Errorf("%s: %v after %v", source, done, time.Since(began))
			}
			if len(host.dials) != 0 {
				t.Errorf("%s: dialled again", source)
			}
		})
	}
}

// TestStopAndResultRace ends runs from two sides at once; each must end.
func TestStopAndResultRace(t *testing.T) {
	p := mustCompile(t, `call:dial("a@gw")`)
	for range 500 {
		host := newRinging()
		run := NewRun(demoStart(), host, noon)
		var others sync.WaitGroup
		others.Go(func() { run.Stop(proto.Outcome_OUTCOME_CANCELLED, "gone") })
		others.Go(func() {
			runtime.Gosched()
			select {
			case i := <-host.dials:
				run.Result(resultOf(i, busy))
			default:
			}
		})
		if done := run.Execute(p); done.Outcome != proto.Outcome_OUTCOME_CANCELLED && done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Fatal(done)
		}
		others.Wait()
	}
}

// TestForeignResults gives answers that are not this run's, not this dial's, or
// come when nothing was asked.
func TestForeignResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newRinging()
		run, ended := executing(t, host, `
			assert(call:dial("a@gw").status == "busy")
			assert(call:dial("b@gw").status == "answered")`)
		first := <-host.dials
		for _, foreign := range []*proto.Result{
			nil,
			{},
			{Run: first.Run, Seq: first.Seq},
			{Run: first.Run + 1, Seq: first.Seq, Is: resultOf(first, success).Is},
			{Run: first.Run, Seq: first.Seq + 1, Is: resultOf(first, success).Is},
			{Run: first.Run, Seq: first.Seq - 1, Is: resultOf(first, success).Is},
		} {
			run.Result(foreign)
		}
		synctest.Wait()
		if !run.Waiting() {
			t.Fatal("a foreign answer was taken")
		}
		run.Result(resultOf(first, busy))
		run.Result(resultOf(first, success)) // the second one
		second := <-host.dials
		run.Result(resultOf(first, busy)) // the first, once more
		synctest.Wait()
		run.Result(resultOf(second, success))
		if done := <-ended; done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Error(done)
		}
		run.Result(resultOf(second, success))
	})
}

// TestLastSecondAfterAnswer ends a script that does not let go.
func TestLastSecondAfterAnswer(t *testing.T) {
	start := demoStart()
	start.Limits = &proto.Limits{CpuMs: 5000}
	for status, want := range map[proto.DialStatus]string{
		proto.DialStatus_DIAL_STATUS_ANSWERED:  "the script went on for more than 1s after the call was answered",
		proto.DialStatus_DIAL_STATUS_CANCELLED: "the script went on for more than 1s after the caller gave up",
	} {
		host := &switchboard{answers: []*proto.Dialled{{Status: status}}}
		began := time.Now()
		done := host.execute(start, noon, mustCompile(t, `call:dial("a@gw") while true do end`))
		if took := time.Since(began); done.Outcome != limited || done.Error.GetMessage() != want || took > 2*time.Second {
			t.Errorf("%v: %v after %v", status, done, took)
		}
	}
}

// TestManyWaitingRuns keeps a worker's fill of runs waiting: each costs its Lua
// state and a goroutine, and no CPU.
func TestManyWaitingRuns(t *testing.T) {
	const runs, most = 256, 128 << 10 // bytes for each
	p := mustCompile(t, `call:dial("a@gw") call:reject(480)`)
	before := heapAndStack()
	host := &ringing{dials: make(chan *proto.Instruction, runs)}
	all := map[uint64]*Run{}
	ended := make(chan *proto.Done, runs)
	for id := range uint64(runs) {
		start := demoStart()
		start.Run = id
		run := NewRun(start, host, noon)
		all[id] = run
		go func() { ended <- run.Execute(p) }()
	}
	var asked []*proto.Instruction
	for range runs {
		asked = append(asked, <-host.dials)
	}
	if each := int64(heapAndStack()-before) / runs; each > most {
		t.Errorf("each waiting run holds %d bytes", each)
	} else {
		t.Logf("each waiting run holds %d bytes", each)
	}
	for _, i := range asked {
		all[i.Run].Result(resultOf(i, busy))
	}
	for range runs {
		if done := <-ended; done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Error(done)
		}
	}
}

func heapAndStack() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// TestNoSecondInstructionWhileWaiting lets coroutines try: they share the run's
// goroutine, so whatever comes after a dial comes after its answer.
func TestNoSecondInstructionWhileWaiting(t *testing.T) {
	host := &serialHost{t: t}
	host.run = NewRun(demoStart(), host, noon)
	done := host.run.Execute(mustCompile(t, `
		local workers = {}
		for i = 1, 5 do
		  workers[i] = coroutine.wrap(function()
		    for n = 1, 3 do call:dial(i .. "@gw") call:tag("n", n) coroutine.yield() end
		  end)
		end
		for n = 1, 3 do for i = 1, 5 do workers[i]() end end`))
	if done.Outcome != proto.Outcome_OUTCOME_FINISHED || host.dials != 15 {
		t.Error(done, host.dials)
	}
}

// serialHost complains about an instruction that comes while a dial waits.
type serialHost struct {
	discard
	t     *testing.T
	run   *Run
	mu    sync.Mutex
	open  bool
	dials int
}

func (h *serialHost) Instruct(i *proto.Instruction) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open {
		h.t.Errorf("%v while a dial waits", i)
	}
	if i.GetDial() == nil {
		return
	}
	h.open = true
	h.dials++
	go func() {
		time.Sleep(time.Millisecond)
		h.mu.Lock()
		h.open = false
		h.mu.Unlock()
		h.run.Result(resultOf(i, busy))
	}()
}
