package worker

import (
	"testing"
	"time"

	"dialyard/proto"
)

// TestWaitingRunsLeaveTheirPlace lets runs dial, be answered and end in all ways,
// and counts the places that there are for others.
func TestWaitingRunsLeaveTheirPlace(t *testing.T) {
	const runs = 3
	p := NewPool(Options{Slots: 1, Runs: runs, Reports: func(string, []*proto.Report) {}})
	defer p.spawner.close()
	proc := newProcess("w1.1", 0, 1, runs)
	p.roster.Store(&roster{
		ready:   []*process{proc},
		members: []status{{ID: "w1", Member: Member{Generation: 1, State: Ready}, proc: proc}},
	})
	last := uint64(0)
	start := func() bool {
		_, ok := p.Start(&proto.Start{Run: last + 1}, "", "", false)
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
	for range 100 {
		for run := range last {
			dial(run + 1)
		}
		fill()
	}
	if got := proc.inflight.Load(); got > (1+waitingFactor)*runs {
		t.Errorf("a worker all of whose scripts wait holds %d runs", got)
	}
}

// TestBreaches feeds the host what no honest worker says.
func TestBreaches(t *testing.T) {
	log := func(run uint64) *proto.Report { return &proto.Report{Is: &proto.Report_Log{Log: &proto.Log{Run: run}}} }
	done := func(run uint64) *proto.Report {
		return &proto.Report{Is: &proto.Report_Done{Done: &proto.Done{Run: run}}}
	}
	need := func(hash string) *proto.Report {
		return &proto.Report{Is: &proto.Report_NeedBundle{NeedBundle: &proto.NeedBundle{Hash: hash}}}
	}
	instruct := func(run uint64) *proto.Report {
		return &proto.Report{Is: &proto.Report_Instruction{Instruction: &proto.Instruction{Run: run, Seq: 1}}}
	}
	repeat := func(r *proto.Report, n int) (list []*proto.Report) {
		for range n {
			list = append(list, r)
		}
		return list
	}
	for _, c := range []struct {
		name    string
		reports []*proto.Report
		breach  bool
	}{
		{"a run of its own", []*proto.Report{need("a"), instruct(1), log(1), done(1)}, false},
		{"log of another's run", []*proto.Report{log(3)}, true},
		{"instruction of another's run", []*proto.Report{instruct(3)}, true},
		{"end of another's run", []*proto.Report{done(3)}, true},
		{"an end and then an end", []*proto.Report{done(1), done(1)}, true},
		{"a word after the end", []*proto.Report{done(1), log(1)}, true},
		{"a flood of log", repeat(log(1), maxReports+1), true},
		{"much log", repeat(log(1), maxReports), false},
		{"a bundle it has no run of", []*proto.Report{need("b")}, true},
		{"one bundle again and again", repeat(need("a"), maxNeeds+1), true},
		{"nothing", nil, true},
	} {
		h := &holdings{}
		h.take(&proto.Start{Run: 1, Bundle: "a"})
		h.take(&proto.Start{Run: 2, Bundle: "a"})
		if _, err := h.hear(c.reports, 8); (err != nil) != c.breach {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestHastyHeartbeats lets a worker catch up once and not for ever.
func TestHastyHeartbeats(t *testing.T) {
	p, now := newProcess("w1.1", 0, 1, 1), time.Now()
	for i := range 1000 {
		if err := p.beats(&proto.Beat{}, now.Add(time.Duration(i)*beatEvery)); err != nil {
			t.Fatalf("beat %d: %v", i, err)
		}
	}
	var err error
	for i := 0; i < 2*maxHasty && err == nil; i++ {
		err = p.beats(&proto.Beat{}, now.Add(1000*beatEvery))
	}
	if err == nil {
		t.Error("a flood of heartbeats is taken")
	}
}
