package worker

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dialyard/proto"
)

// dialler is a plan whose runs dial once, wait for the result and say how it
// went; it stands for the script runtime.
type dialler struct{}

func (dialler) NewRun(start *proto.Start, host Host, _ time.Time) Run {
	return &diallerRun{id: start.Run, host: host, result: make(chan *proto.Result, 1)}
}

type diallerRun struct {
	id      uint64
	host    Host
	result  chan *proto.Result // nil: stopped
	waiting atomic.Bool
	active  time.Duration
}

func (r *diallerRun) Execute() *proto.Done {
	r.waiting.Store(true)
	r.host.Instruct(&proto.Instruction{Run: r.id, Seq: 1, Is: &proto.Instruction_Dial{Dial: &proto.Dial{}}})
	result := <-r.result
	r.waiting.Store(false)
	if result == nil {
		return &proto.Done{Run: r.id, Outcome: proto.Outcome_OUTCOME_CANCELLED}
	}
	return &proto.Done{Run: r.id, Outcome: proto.Outcome_OUTCOME_FINISHED, CpuUs: uint64(result.GetDialled().GetCode())}
}

func (r *diallerRun) tell(result *proto.Result) {
	select {
	case r.result <- result:
	default:
	}
}

func (r *diallerRun) Result(result *proto.Result) { r.tell(result) }
func (r *diallerRun) Stop(proto.Outcome, string)  { r.tell(nil) }
func (r *diallerRun) Active() time.Duration       { return r.active }
func (r *diallerRun) Waiting() bool               { return r.waiting.Load() }
func orderStart(run uint64) *proto.Order {
	return &proto.Order{Is: &proto.Order_Start{Start: &proto.Start{Run: run, Bundle: "b"}}}
}
func orderResult(run uint64, code uint32) *proto.Order {
	return &proto.Order{Is: &proto.Order_Result{Result: &proto.Result{
		Run: run, Seq: 1, Is: &proto.Result_Dialled{Dialled: &proto.Dialled{Code: code}}}}}
}

// newEngine is an engine that holds the dialler's bundle and has nobody at the
// other end of its stream but the test.
func newEngine(t *testing.T) *engine {
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone) })
	e := &engine{
		reports: make(chan *proto.Report, reportsSize), gone: gone,
		runs: map[uint64]*running{}, await: map[uint64]string{}, jobs: make(chan job), plans: newShelf(plansKept),
		runtime: func(map[string][]byte) (Plan, *proto.ScriptError) { return dialler{}, nil },
	}
	e.plans.get(&proto.Start{Bundle: "b"})
	e.plans.put("b", dialler{}, nil)
	return e
}

// TestResultReachesItsRun answers many waiting runs, last first.
func TestResultReachesItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const runs = 256
		e := newEngine(t)
		for id := range uint64(runs) {
			e.take(orderStart(id + 1))
		}
		for range runs {
			if i := (<-e.reports).GetInstruction(); i.GetDial() == nil {
				t.Fatal(i)
			}
		}
		synctest.Wait()
		e.take(orderResult(runs+1, 1)) // there is no such run
		if beat := e.vitals(); beat.Runs != runs || beat.Overstayed != 0 {
			t.Error(beat)
		}
		time.Sleep(200 * time.Second)
		if beat := e.vitals(); beat.Runs != runs || beat.Overstayed != 0 {
			t.Errorf("after 200 s of ringing: %v", beat)
		}
		for id := uint64(runs); id > 0; id-- {
			e.take(orderResult(id, 400+uint32(id)))
			done := (<-e.reports).GetDone()
			if done.GetRun() != id || done.GetOutcome() != proto.Outcome_OUTCOME_FINISHED || done.GetCpuUs() != 400+id {
				t.Fatalf("run %d: %v", id, done)
			}
		}
		if beat := e.vitals(); beat.Runs != 0 || beat.RunsTotal != runs {
			t.Error(beat)
		}
	})
}

// TestCancelEndsWaitingRun cancels one of two that wait.
func TestCancelEndsWaitingRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.take(orderStart(1))
		e.take(orderStart(2))
		<-e.reports
		<-e.reports
		synctest.Wait()
		e.take(&proto.Order{Is: &proto.Order_Cancel{Cancel: &proto.Cancel{Run: 1, Reason: "gone"}}})
		if done := (<-e.reports).GetDone(); done.GetRun() != 1 || done.GetOutcome() != proto.Outcome_OUTCOME_CANCELLED {
			t.Error(done)
		}
		e.stopAll()
		if done := (<-e.reports).GetDone(); done.GetRun() != 2 || done.GetOutcome() != proto.Outcome_OUTCOME_CANCELLED {
			t.Error(done)
		}
	})
}

// TestCancelOvertakesItsRun cancels runs before their goroutines have begun.
func TestCancelOvertakesItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		const runs = 50
		for id := range uint64(runs) {
			e.take(orderStart(id + 1))
			e.take(&proto.Order{Is: &proto.Order_Cancel{Cancel: &proto.Cancel{Run: id + 1}}})
		}
		for ended := 0; ended < runs; {
			if done := (<-e.reports).GetDone(); done != nil {
				ended++
			}
		}
		if beat := e.vitals(); beat.Runs != 0 || len(e.await) != 0 {
			t.Error(beat, e.await)
		}
	})
}

// TestEaterOfMemory says who goes when memory is short.
func TestEaterOfMemory(t *testing.T) {
	type script struct {
		active  time.Duration
		waiting bool
	}
	for name, c := range map[string]struct {
		scripts         []script
		busy            bool
		atWork, waiting int // index of who goes of either kind; -1 for nobody
	}{
		"no run":               {nil, false, -1, -1},
		"short ones only":      {[]script{{time.Millisecond, false}}, true, -1, -1},
		"the longest at work":  {[]script{{60 * time.Millisecond, false}, {90 * time.Millisecond, false}}, true, 1, -1},
		"of each kind one":     {[]script{{time.Second, true}, {90 * time.Millisecond, false}}, true, 1, 0},
		"only one that waits":  {[]script{{9 * time.Millisecond, true}, {10 * time.Millisecond, false}}, true, -1, 0},
		"the longest of those": {[]script{{2 * time.Millisecond, true}, {9 * time.Millisecond, true}}, false, -1, 1},
	} {
		e := newEngine(t)
		for i, s := range c.scripts {
			r := &diallerRun{active: s.active}
			r.waiting.Store(s.waiting)
			e.runs[uint64(i)] = &running{Run: r, id: uint64(i)}
		}
		if busy, any := e.underWay(); busy != c.busy || any != (len(c.scripts) > 0) {
			t.Errorf("%s: busy %v, any %v", name, busy, any)
		}
		for _, at := range []struct {
			waiting bool
			want    int
		}{{false, c.atWork}, {true, c.waiting}} {
			got := -1
			if r := e.longest(at.waiting); r != nil {
				got = int(r.id)
			}
			if got != at.want {
				t.Errorf("%s: %d goes, want %d (of those that wait: %v)", name, got, at.want, at.waiting)
			}
		}
	}
}

// TestOrdersOfRuns sends results and cancels through a pool to a worker that
// does not read: they find room beside as many starts as it may hold, and never
// block.
func TestOrdersOfRuns(t *testing.T) {
	const runs = 5000
	p := NewPool(Options{Slots: 1, Runs: runs})
	defer p.spawner.close()
	proc := newProcess("w1.1", 0, 1, runs)
	p.roster.Store(&roster{
		ready:   []*process{proc},
		members: []status{{ID: "w1", Member: Member{Generation: 1, State: Draining}, proc: proc}},
	})
	for run := range uint64(runs) {
		if _, ok := p.Start(&proto.Start{Run: run}, "", "", false); !ok {
			t.Fatalf("no room for run %d", run)
		}
	}
	if _, ok := p.Start(&proto.Start{Run: runs}, "", "", false); ok {
		t.Fatal("more runs than there are places")
	}
	p.Result("w2.1", &proto.Result{Run: 1})
	for run := range uint64(runs) {
		p.Result("w1.1", &proto.Result{Run: run, Seq: 3})
		p.Cancel("w1.1", run, "gone")
	}
	results, cancels := 0, 0
	for len(proc.outbox) > 0 {
		switch o := (<-proc.outbox).Is.(type) {
		case *proto.Order_Result:
			if o.Result.Run != uint64(results) || o.Result.Seq != 3 {
				t.Fatalf("result %d is %v", results, o.Result)
			}
			results++
		case *proto.Order_Cancel:
			cancels++
		}
	}
	if results != runs || cancels != runs {
		t.Errorf("%d results, %d cancels of %d", results, cancels, runs)
	}
	for range 10 * runs { // a worker that never reads
		p.Result("w1.1", &proto.Result{Run: 1})
	}
}
