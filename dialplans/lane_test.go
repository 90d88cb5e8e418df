package dialplans

import (
	"sync"
	"testing"
	"time"

	"dialyard/proto"
)

// TestSlowScriptsTakeTurns: more than have room in the slow lane, and each gets the
// CPU time that it may have, as if the others were not there.
func TestSlowScriptsTakeTurns(t *testing.T) {
	plan := mustCompile(t, `while true do end`)
	const cpu = 60 * time.Millisecond
	var all sync.WaitGroup
	for range 3 * cap(slowLane) {
		all.Go(func() {
			start := demoStart()
			start.Limits = &proto.Limits{CpuMs: uint32(cpu.Milliseconds()), WallMs: 60_000}
			done := NewRun(start, &recorder{}, noon).Execute(plan)
			if used := time.Duration(done.CpuUs) * time.Microsecond; done.Outcome != limited || used < cpu || used > 3*cpu {
				t.Errorf("%v after %v of CPU time: %v", done.Outcome, used, done.GetError().GetMessage())
			}
		})
	}
	all.Wait()
	if len(slowLane) != cap(slowLane) || slowWaiting.Load() != 0 {
		t.Errorf("%d scripts are in the slow lane, %d wait for it", cap(slowLane)-len(slowLane), slowWaiting.Load())
	}
}

// TestAScriptThatWaitsLeavesTheLane to others.
func TestAScriptThatWaitsLeavesTheLane(t *testing.T) {
	run := NewRun(demoStart(), nil, noon)
	in := make(chan int, 1)
	run.host = instructed(func(i *proto.Instruction) {
		in <- cap(slowLane) - len(slowLane)
		go run.Result(&proto.Result{Run: i.Run, Seq: i.Seq, Is: &proto.Result_Answer{Answer: &proto.Answer{Is: &proto.Answer_Kept{Kept: &proto.Kept{}}}}})
	})
	before := cap(slowLane) - len(slowLane)
	done := run.Execute(mustCompile(t, `for i = 1, 1e6 do end kv.get("k")`))
	if done.Outcome != proto.Outcome_OUTCOME_FINISHED {
		t.Fatal(done)
	}
	if got := <-in; got != before {
		t.Errorf("%d scripts are in the slow lane while one waits for an answer", got)
	}
}

// instructed is a host that only takes instructions.
type instructed func(*proto.Instruction)

func (f instructed) Instruct(i *proto.Instruction) { f(i) }
func (instructed) Log(*proto.Log)                  {}

// TestABreathIsShort, and others are served in it.
func TestABreathIsShort(t *testing.T) {
	b := &breather{}
	b.open()
	const breaths = 50
	served := make(chan int, 1)
	go func() { served <- 0 }()
	begun := time.Now()
	for range breaths {
		b.breathe(breath)
	}
	took := time.Since(begun)
	if len(served) != 1 {
		t.Error("nobody else was served")
	}
	if took < breaths*breath {
		t.Errorf("%d breaths of %v took %v", breaths, breath, took)
	}
	t.Logf("a breath took %v", took/breaths)
}
