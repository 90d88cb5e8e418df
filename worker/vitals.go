package worker

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"dialyard/proto"
)

// beat reports the worker's vital signs each second until the stream ends.
func (e *engine) beat() {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		e.report(&proto.Report{Is: &proto.Report_Beat{Beat: e.vitals()}})
		select {
		case <-e.gone:
			return
		case <-ticker.C:
		}
	}
}

func (e *engine) vitals() *proto.Beat {
	b := &proto.Beat{HeapBytes: read("/gc/heap/live:bytes"), Goroutines: uint32(runtime.NumGoroutine()), Jail: e.limits.held}
	if b.HeapBytes == 0 { // nothing has been collected yet
		b.HeapBytes = read("/memory/classes/heap/objects:bytes")
	}
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	b.Runs, b.RunsTotal = uint32(len(e.runs)), e.total
	for _, r := range e.runs {
		if !r.stopped.IsZero() && now.Sub(r.stopped) > overstay {
			b.Overstayed++
		}
	}
	return b
}

const (
	watchEvery = 5 * time.Millisecond
	idleEvery  = 100 * time.Millisecond
	suspicious = 50 * time.Millisecond        // no plan that behaves is in Lua for so long
	patience   = int(suspicious / watchEvery) // looks until an eater must have become suspicious
	restEvery  = 5 * time.Second
	restRuns   = 50 // runs within restEvery below which a worker rests
)

// watchMemory ends runs that eat the worker's memory before the kernel ends the
// worker: above the soft limit, the run that has been in Lua for longest goes. Runs
// that wait for a result hold memory but take no more: one of them goes only if
// nobody at work turns out to be the eater. It looks often only while a script is at
// work.
func (e *engine) watchMemory() {
	above := 0 // looks in a row at which the heap was above the limit
	for pause := idleEvery; ; {
		select {
		case <-e.gone:
			return
		case <-time.After(pause):
		}
		busy, any := e.underWay()
		pause = idleEvery
		if busy {
			pause = watchEvery
		}
		if !any || read("/memory/classes/heap/objects:bytes") < e.limits.MemorySoft {
			above = 0
			continue
		}
		above++
		r := e.longest(false)
		if r == nil && above > patience {
			r = e.longest(true)
		}
		if r != nil {
			e.stop(r.id, proto.Outcome_OUTCOME_LIMIT, "out of memory")
		}
		debug.FreeOSMemory()
	}
}

// rest gives memory back to the system once a busy time is over.
func (e *engine) rest() {
	ticker := time.NewTicker(restEvery)
	defer ticker.Stop()
	busy, last := false, uint64(0)
	for {
		select {
		case <-e.gone:
			return
		case <-ticker.C:
		}
		e.mu.Lock()
		total := e.total
		e.mu.Unlock()
		quiet := total-last < restRuns
		if quiet && busy {
			runtime.GC() // pools let go of what they hold at the second collection
			debug.FreeOSMemory()
		}
		busy, last = !quiet, total
	}
}

// underWay reports whether any script is at work, and whether there are runs at
// all, such as wait for a result.
func (e *engine) underWay() (busy, any bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.runs {
		if !r.Waiting() {
			return true, true
		}
	}
	return false, len(e.runs) > 0
}

// longest is the run that has been in Lua for longest: of those at work, if that is
// suspiciously long, or of those that wait. It is nil if there is none.
func (e *engine) longest(waiting bool) (found *running) {
	e.mu.Lock()
	defer e.mu.Unlock()
	most := suspicious
	if waiting {
		most = 0
	}
	for _, r := range e.runs {
		if active := r.Active(); active > most && r.stopped.IsZero() && r.Waiting() == waiting {
			found, most = r, active
		}
	}
	return found
}

// read returns one number of the runtime's.
func read(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
