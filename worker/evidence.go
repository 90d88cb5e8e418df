package worker

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"time"

	"dialyard/proto"
)

// Evidence is what is kept of a worker that is sick or dead, for those who look for
// the cause later: a directory of the data directory, named for the time and the
// worker, with
//
//	worker.json     its numbers at that moment, and why
//	runs.json       its last runs, and those it held
//	heap.pprof      of a worker that is replaced and answers
//	goroutines.txt  of the same
//	stderr.txt      the end of what a dead one wrote: the stacks, if it was aborted
const (
	evidenceKept = 10 // directories; the oldest go
	pastKept     = 64 // runs of a worker that ended last
	maxProfile   = 256 << 10
	profileTime  = 2 * time.Second // that a worker may take to tell of itself
)

// A pastRun is a run that a worker has had, or has.
type pastRun struct {
	run uint64
	Version
	CallID  string    `json:"call_id"`
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"` // that it took; of one under way, so far
	Held    bool      `json:"held,omitempty"`
}

// last lists the runs that ended last, oldest first, and then those under way.
func (h *holdings) last() []pastRun {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []pastRun{}
	for i := max(0, h.ended-pastKept); i < h.ended; i++ {
		list = append(list, h.past[i%pastKept])
	}
	for _, r := range h.runs {
		list = append(list, pastRun{Version: r.of, CallID: r.call, Began: r.began, Seconds: time.Since(r.began).Seconds(), Held: true})
	}
	return list
}

// RecycleSick is Recycle for a worker with which something is wrong: what it can tell
// of itself is kept first, if it can tell anything within two seconds.
func (p *Pool) RecycleSick(name, reason string) error {
	proc := p.roster.Load().find(name, Draining)
	if proc == nil {
		return ErrNoWorker
	}
	if proc.examined.Swap(true) {
		return nil // it is about to be recycled
	}
	p.running.Go(func() {
		reason += p.examine(proc, reason)
		p.Recycle(name, reason)
	})
	return nil
}

// examine asks a worker for profiles of itself and keeps them.
func (p *Pool) examine(proc *process, reason string) string {
	proc.offer(&proto.Order{Is: &proto.Order_Profile{Profile: &proto.Profile{}}})
	for deadline := time.Now().Add(profileTime); proc.profiled.Load() == nil && time.Now().Before(deadline); {
		select {
		case <-proc.stop:
		case <-time.After(20 * time.Millisecond):
		}
	}
	told := proc.profiled.Load()
	return p.keep(proc, reason, map[string][]byte{"heap.pprof": told.GetHeap(), "goroutines.txt": told.GetGoroutines()})
}

// lastWords keeps the end of a dead worker's standard error, if it left any, and
// names the place in the reason.
func (p *Pool) lastWords(proc *process, reason string) string {
	text := proc.stderr.String()
	if text == "" {
		return reason
	}
	return reason + p.keep(proc, reason, map[string][]byte{"stderr.txt": []byte(text)})
}

// keep writes evidence down and returns what to add to the reason; nothing if it could
// not be kept.
func (p *Pool) keep(proc *process, reason string, files map[string][]byte) string {
	if p.Dumps == "" {
		return ""
	}
	now := time.Now()
	m := status{ID: p.slotName(proc.slot), Member: Member{Generation: proc.generation, Reason: reason}, proc: proc}
	numbers := m.measure(now)
	files["worker.json"], _ = json.MarshalIndent(numbers, "", "  ")
	files["runs.json"], _ = json.MarshalIndent(proc.held.last(), "", "  ")
	dir := filepath.Join(p.Dumps, now.UTC().Format("20060102T150405.000000")+"-"+proc.name)
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	for name, content := range files {
		if len(content) > 0 && os.WriteFile(filepath.Join(dir, name), content, 0o600) != nil {
			return ""
		}
	}
	p.prune()
	return ", evidence in " + dir
}

// prune removes the oldest evidence.
func (p *Pool) prune() {
	dirs, err := filepath.Glob(filepath.Join(p.Dumps, "2*-*"))
	if err != nil || len(dirs) <= evidenceKept {
		return
	}
	slices.Sort(dirs)
	for _, dir := range dirs[:len(dirs)-evidenceKept] {
		os.RemoveAll(dir)
	}
}

// profile tells the host of this worker's heap and goroutines.
func (e *engine) profile() {
	told := &proto.Profiled{}
	var b bytes.Buffer
	if pprof.Lookup("heap").WriteTo(&b, 0) == nil && b.Len() <= maxProfile {
		told.Heap = bytes.Clone(b.Bytes())
	}
	b.Reset()
	if pprof.Lookup("goroutine").WriteTo(&b, 1) == nil {
		told.Goroutines = bytes.ToValidUTF8(b.Bytes()[:min(b.Len(), maxProfile)], nil)
	}
	e.report(&proto.Report{Is: &proto.Report_Profiled{Profiled: told}})
}
