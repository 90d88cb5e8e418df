package worker

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Status is one worker as operators see it. Sizes are in bytes.
type Status struct {
	ID         string    `json:"id"` // the slot, "w1"
	Generation uint32    `json:"generation"`
	Name       string    `json:"-"` // "w1.3"
	Pid        int       `json:"pid"`
	State      State     `json:"state"`
	Since      time.Time `json:"since"` // of the state
	Jail       string    `json:"jail"`  // what holds it, as it said when it was confined; empty before
	RSS        uint64    `json:"rss_bytes"`
	Heap       uint64    `json:"heap_bytes"` // live after the last collection
	Goroutines int       `json:"goroutines"`
	Fds        int       `json:"fds"`
	Runs       int       `json:"runs"`
	RunsTotal  uint64    `json:"runs_total"`
	Age        float64   `json:"age_seconds"`
	Reason     string    `json:"reason"` // of the last change of state

	Penalty    bool          `json:"-"` // for suspects only
	Overstayed int           `json:"-"` // runs that do not end when told to
	Failures   int           `json:"-"` // orders it did not take, and runs it did not end, in a row
	BeatAge    time.Duration `json:"-"` // since the last heartbeat, or the start
	Replaced   bool          `json:"-"` // a successor is on its way
}

// status is a member of the roster.
type status struct {
	ID      string
	penalty bool
	Member
	proc *process
}

// publish makes the roster anew.
func (p *Pool) publish() {
	r := &roster{}
	for i, slot := range p.slots {
		if vacant, ok := p.vacancy(i); ok {
			r.members = append(r.members, vacant)
		}
		for _, m := range slot.Members() {
			proc := p.processes[p.nameOf(i, m.Generation)]
			r.members = append(r.members, status{ID: p.slotName(i), penalty: i >= p.Slots, Member: *m, proc: proc})
			if proc == nil || m.State != Ready {
				continue
			}
			proc.youngUntil.Store(int64(m.readyAt.Add(youngTime).Sub(proc.started)))
			if i >= p.Slots {
				r.penalty = append(r.penalty, proc)
			} else {
				r.ready = append(r.ready, proc)
			}
		}
	}
	p.roster.Store(r)
}

// Workers lists every worker there is but those for suspects, measured now.
func (p *Pool) Workers() (list []Status) {
	for _, s := range p.All() {
		if !s.Penalty {
			list = append(list, s)
		}
	}
	return list
}

// All lists every worker there is, measured now.
func (p *Pool) All() (list []Status) {
	for _, m := range p.roster.Load().members {
		list = append(list, m.measure(time.Now()))
	}
	return list
}

// Find is the status of one worker by its full name, "w1.3".
func (p *Pool) Find(name string) (Status, bool) {
	for _, m := range p.roster.Load().members {
		if m.proc != nil && m.proc.name == name {
			return m.measure(time.Now()), true
		}
	}
	return Status{}, false
}

func (m *status) measure(now time.Time) Status {
	s := Status{
		ID: m.ID, Generation: m.Generation, Name: fmt.Sprintf("%s.%d", m.ID, m.Generation),
		State: m.State, Since: m.Since, Reason: m.Reason, Replaced: m.Replaced(), Penalty: m.penalty,
	}
	if m.proc == nil {
		return s
	}
	p := m.proc
	s.Replaced = s.Replaced || p.examined.Load()
	s.Pid, s.Runs, s.RunsTotal = int(p.born.Load()), int(p.inflight.Load()), p.total.Load()
	s.Age = now.Sub(p.started).Seconds()
	s.RSS, s.Fds = residentBytes(s.Pid), openFiles(s.Pid)
	s.Failures, s.BeatAge = int(p.failures.Load()), now.Sub(p.started)
	if b := p.beat.Load(); b != nil {
		s.Jail = b.Jail
		s.Heap, s.Goroutines, s.Overstayed = b.HeapBytes, int(b.Goroutines), int(b.Overstayed)
		s.BeatAge -= time.Duration(p.beatAt.Load())
	}
	return s
}

// residentBytes is the resident set of a process, 0 if it is gone (proc(5)).
func residentBytes(pid int) uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

func openFiles(pid int) int {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	return len(names)
}
