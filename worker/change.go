package worker

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Change is a kind of change of a worker's state: the state it entered, and the
// first word of why ("hang", "memory", "leak", "operator", "after", ...).
type Change struct{ State, Why string }

// changes counts them. The mutex is between the pool's goroutine and those who
// read metrics.
type changes struct {
	mu     sync.Mutex
	counts map[Change]uint64
}

// Changes calls f for every kind of change there was, with how often.
func (p *Pool) Changes(f func(c Change, n uint64)) {
	p.changes.mu.Lock()
	counts := maps.Clone(p.changes.counts)
	p.changes.mu.Unlock()
	for c, n := range counts {
		f(c, n)
	}
}

func (p *Pool) tellAll(e Event) {
	why, _, _ := strings.Cut(e.Reason, " ")
	p.changes.mu.Lock()
	p.changes.counts[Change{e.State, strings.Trim(why, ":,")}]++
	p.changes.mu.Unlock()
	p.Event(e)
}

// states is what announce compares.
func states(s *Slot) map[uint32]State {
	m := make(map[uint32]State, len(s.Members()))
	for _, member := range s.Members() {
		m[member.Generation] = member.State
	}
	return m
}

// announce tells of every change since before.
func (p *Pool) announce(slot int, before map[uint32]State, reason string) {
	now := time.Now()
	for _, m := range p.slots[slot].Members() {
		if was, ok := before[m.Generation]; !ok || was != m.State {
			p.tellAll(Event{Time: now, Worker: p.nameOf(slot, m.Generation), State: m.State.String(), Reason: m.Reason})
		}
		delete(before, m.Generation)
	}
	for _, gone := range slices.Sorted(maps.Keys(before)) {
		p.tellAll(Event{Time: now, Worker: p.nameOf(slot, gone), State: Down.String(), Reason: reason})
	}
}
