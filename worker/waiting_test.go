package worker

import (
	"testing"

	"dialyard/proto"
)

// TestWaitingRunsLeaveTheirPlace lets runs dial, be answered and end in all ways,
// and counts the places that there are for others.
func TestWaitingRunsLeaveTheirPlace(t *testing.T) {
	const runs = 3
	p := NewPool(Options{Slots: 1, Runs: runs, Reports: func(string, []*proto.Report) {}})
	defer p.spawner.close()
	proc := newProcess(0, 1, runs)
	p.roster.Store(&roster{
		ready:   []*process{proc},
		members: []status{{ID: "w1", Member: Member{Generation: 1, State: Ready}, proc: proc}},
	})
	last := uint64(0)
	start := func() bool {
		_, ok := p.Start(&proto.Start{Run: last + 1}, "", "")
		if ok {
			last++
		}
		return ok
	}
	fill := func() (taken int) {
		for start() {
			taken++
		}
		return taken
	}
	dial := func(run uint64) {
		p.take(proc, []*proto.Report{{Is: &proto.Report_Instruction{Instruction: &proto.Instruction{
			Run: run, Seq: 1, Is: &proto.Instruction_Dial{Dial: &proto.Dial{}}}}}})
	}
	done := func(run uint64) {
		p.take(proc, []*proto.Report{{Is: &proto.Report_Done{Done: &proto.Done{Run: run}}}})
	}
	expect := func(what string, want int) {
		t.Helper()
		if got := fill(); got != want {
			t.Fatalf("%s: %d more find a place, want %d", what, got, want)
		}
	}
	expect("an empty worker", 3)
	dial(1)
	dial(2)
	dial(2) // said twice
	expect("two wait", 2)
	p.Result("w1.1", &proto.Result{Run: 1}) // five in flight, four at work
	done(1)
	expect("one was answered and ended", 0)
	done(2)
	expect("one was stopped while it waited", 0)
	done(3)
	expect("one at work ended", 1)
	for run := uint64(4); run <= last; run++ {
		dial(run)
	}
	expect("all wait", 3)
	for run := uint64(1000); run < 2000; run++ {
		dial(run) // runs that it does not hold
	}
	fill()
	if got := proc.inflight.Load(); got > (1+waitingFactor)*runs {
		t.Errorf("a worker that lies holds %d runs", got)
	}
}
