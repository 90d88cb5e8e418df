package worker

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dialyard/proto"
)

const (
	// waitingFactor is how many runs may wait for a result on a worker for each that
	// may be at work there. A waiting run holds some 45 KB and no CPU, and waits for as
	// long as telephones ring: if it kept a place from one at work, a worker would take
	// a few calls a second.
	waitingFactor = 4

	// maxReports is how many reports a run may cause. An honest worker ends a script
	// that gives 100 instructions or 200 lines of log.
	maxReports = 4096
	// maxNeeds is how often a worker may ask for one bundle: it keeps those it has
	// compiled, and may drop one that it has not used for long.
	maxNeeds = 64
)

// holdings are the runs that a worker holds, as far as the host knows: from the
// order that went there to the run's end. What a worker says of other runs, or more
// than a run can have to say, is a breach. They stand between the worker's reader
// and the shards; the mutex is held for one batch of reports at the most.
type holdings struct {
	waiting atomic.Int64 // of them, those that wait for a result

	mu    sync.Mutex
	runs  map[uint64]*held
	needs map[string]int // bundles that it asked for
	past  [pastKept]pastRun
	ended int // how many runs went through past
}

// held is one run on a worker.
type held struct {
	of      Version
	call    string // its Call-ID
	began   time.Time
	bundle  string
	reports int
	waits   bool
}

// take notes an order that is about to go to the worker.
func (h *holdings) take(s *proto.Start) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.runs == nil {
		h.runs, h.needs = map[uint64]*held{}, map[string]int{}
	}
	h.runs[s.GetRun()] = &held{of: versionOf(s), call: s.GetFacts().GetCallId(), began: time.Now(), bundle: s.GetBundle()}
}

func versionOf(s *proto.Start) Version { return Version{s.GetAccount(), s.GetPlan(), s.GetVersion()} }

// only reports whether the worker holds runs of nobody else's version. Probes do not
// count.
func (h *holdings) only(s *proto.Start) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.runs {
		if r.of != versionOf(s) && r.of.Account != "" {
			return false
		}
	}
	return true
}

// versions are those that have a run on the worker, but for the probes'.
func (h *holdings) versions() (list []Version) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.runs {
		if r.of.Account != "" && !slices.Contains(list, r.of) {
			list = append(list, r.of)
		}
	}
	return list
}

// drop forgets a run: it has ended, or could not be sent.
func (h *holdings) drop(run uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end(run)
}

// answered notes that a run does not wait any longer, if it did.
func (h *holdings) answered(run uint64) {
	if h.waiting.Load() == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.runs[run]; r != nil {
		h.wait(r, false)
	}
}

// A breach is something that no honest worker says.
type breach struct {
	text string
	of   Version // of the run that it speaks of, if that is known; else any may have caused it
}

func (b *breach) Error() string { return b.text }

// hear takes what a worker says of its runs. It returns how many of them have ended,
// and a breach if the worker cannot be believed any longer.
func (h *holdings) hear(reports []*proto.Report, most int) (ended int64, err error) {
	if len(reports) == 0 {
		return 0, fmt.Errorf("a batch of nothing")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range reports {
		switch r := r.Is.(type) {
		case *proto.Report_Done:
			if h.runs[r.Done.GetRun()] == nil {
				return ended, h.unheld(r.Done.GetRun(), "the end of a run it does not hold")
			}
			h.end(r.Done.GetRun())
			ended++
		case *proto.Report_Instruction:
			run, err := h.says(r.Instruction.GetRun())
			if err != nil {
				return ended, err
			}
			if r.Instruction.GetDial() != nil || r.Instruction.GetAsk() != nil {
				h.wait(run, h.waiting.Load() < int64(most))
			}
		case *proto.Report_Log:
			if _, err := h.says(r.Log.GetRun()); err != nil {
				return ended, err
			}
		case *proto.Report_NeedBundle:
			if err := h.need(r.NeedBundle.GetHash()); err != nil {
				return ended, err
			}
		}
	}
	return ended, nil
}

// says counts one report of a run.
func (h *holdings) says(run uint64) (*held, error) {
	r := h.runs[run]
	if r == nil {
		return nil, h.unheld(run, "a report of a run it does not hold")
	}
	if r.reports++; r.reports > maxReports {
		return nil, &breach{fmt.Sprintf("more than %d reports of one run", maxReports), r.of}
	}
	return r, nil
}

// unheld is the breach of speaking of a run that is not held, but may have been.
func (h *holdings) unheld(run uint64, text string) *breach {
	for i := range min(h.ended, pastKept) {
		if h.past[i].run == run {
			return &breach{text, h.past[i].Version}
		}
	}
	return &breach{text: text}
}

// need checks that a bundle is one that the worker has been given a run of.
func (h *holdings) need(bundle string) error {
	if h.needs[bundle]++; h.needs[bundle] > maxNeeds {
		return fmt.Errorf("one bundle wanted %d times", maxNeeds+1)
	}
	for _, r := range h.runs {
		if r.bundle == bundle {
			return nil
		}
	}
	return fmt.Errorf("a bundle wanted that it has no run of")
}

func (h *holdings) end(run uint64) {
	if r := h.runs[run]; r != nil {
		h.wait(r, false)
		h.past[h.ended%pastKept] = pastRun{run: run, Version: r.of, CallID: r.call, Began: r.began, Seconds: time.Since(r.began).Seconds()}
		h.ended++
		delete(h.runs, run)
	}
}

func (h *holdings) wait(r *held, waits bool) {
	switch {
	case waits && !r.waits:
		h.waiting.Add(1)
	case !waits && r.waits:
		h.waiting.Add(-1)
	}
	r.waits = waits
}
