package worker

import (
	"sync"
	"sync/atomic"
)

// waitingFactor is how many runs may wait for a result on a worker for each that
// may be at work there. A waiting run holds some 45 KB and no CPU, and waits for as
// long as telephones ring: if it kept a place from one at work, a worker would take
// a few calls a second.
const waitingFactor = 4

// waiting are the runs of one worker that wait for a result, as far as the host
// knows: from the dial that came from it to the result that went there, or to the
// run's end. It is between the worker's reader and the shards; the mutex is held for
// one access to the map.
type waiting struct {
	count atomic.Int64
	mu    sync.Mutex
	runs  map[uint64]struct{}
}

// begin notes that a run waits, unless so many do that this worker must be making
// them up.
func (w *waiting) begin(run uint64, most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.runs == nil {
		w.runs = map[uint64]struct{}{}
	}
	if len(w.runs) < most {
		w.runs[run] = struct{}{}
	}
	w.count.Store(int64(len(w.runs)))
}

// end notes that a run does not wait, if it did.
func (w *waiting) end(run uint64) {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.runs, run)
	w.count.Store(int64(len(w.runs)))
}
