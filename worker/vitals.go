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
	b := &proto.Beat{HeapBytes: read("/gc/heap/live:bytes"), Goroutines: uint32(runtime.NumGoroutine())}
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
	suspicious = 50 * time.Millisecond // no plan that behaves is in Lua for so long
	restEvery  = 5 * time.Second
	restRuns   = 50 // runs within restEvery below which a worker rests
)

// watchMemory ends runs that eat the worker's memory before the kernel ends the
// worker: above the soft limit, the run that has been in Lua for longest goes. It
// looks often only while runs are under way.
func (e *engine) watchMemory() {
	for pause := idleEvery; ; {
		select {
		case <-e.gone:
			return
		case <-time.After(pause):
		}
		longest, any := e.longest()
		pause = watchEvery
		if !any {
			pause = idleEvery
			continue
		}
		if read("/memory/classes/heap/objects:bytes") < e.limits.MemorySoft {
			continue
		}
		if longest != nil {
			e.stop(longest.id, proto.Outcome_OUTCOME_LIMIT, "out of memory")
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

// longest is the run most likely to be the eater, nil if all are short.
func (e *engine) longest() (found *running, any bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	most := suspicious
	for _, r := range e.runs {
		if active := r.Active(); active > most && r.stopped.IsZero() {
			found, most = r, active
		}
	}
	return found, len(e.runs) > 0
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
