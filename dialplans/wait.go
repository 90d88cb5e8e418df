package dialplans

import (
	"time"

	"dialyard/proto"
)

// wait is what a run that has asked something waits with. The run's goroutine
// sleeps on the channel: nothing else of the run goes on meanwhile, coroutines
// included, so a run waits for one answer at most.
type wait struct {
	seq    uint32
	answer chan *proto.Result // of one; nil means that the run has been stopped
}

// tell wakes the run. The first word counts.
func (w *wait) tell(answer *proto.Result) {
	select {
	case w.answer <- answer:
	default:
	}
}

// Result gives the run the answer it waits for. Any goroutine may call it; it
// never blocks, and an answer to another run or another instruction, or a
// second one, has no effect. It may come from within [Host.Instruct].
func (r *Run) Result(answer *proto.Result) {
	w := r.waiting.Load()
	if w == nil || answer.GetRun() != r.id || answer.GetSeq() != w.seq || answer.GetIs() == nil {
		return
	}
	w.tell(answer)
}

// Waiting reports whether the run waits for an answer instead of executing Lua.
// Any goroutine may ask.
func (r *Run) Waiting() bool { return r.waiting.Load() != nil }

// await sends an instruction and sleeps until its answer comes, the run is
// stopped or its time is over; the answer is nil in the latter cases, and the
// budget knows why. While legs ring the clock of the script stands still: their
// time is the call's. What the script asks for otherwise is its own time, though
// none of it is CPU time.
func (r *Run) await(i *proto.Instruction) (answer *proto.Result) {
	w := &wait{seq: i.Seq, answer: make(chan *proto.Result, 1)}
	r.waiting.Store(w)
	defer r.waiting.Store(nil)
	// Who stops the run from now on wakes it; who did before is seen here.
	if r.budget.Err() != nil {
		return nil
	}
	still := i.GetDial() != nil
	r.budget.pause()
	defer r.budget.resume(still)
	timer := time.NewTimer(r.budget.patience(still))
	defer timer.Stop()
	r.host.Instruct(i)
	select {
	case answer = <-w.answer:
	case <-timer.C:
		r.budget.endLate()
	}
	return answer
}
