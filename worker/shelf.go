package worker

import (
	"sync"

	"dialyard/proto"
)

// A shelf keeps compiled plans by the hash of their bundle, the most recently
// used of them, and the runs that wait for one to arrive.
type shelf struct {
	mu    sync.Mutex
	limit int
	clock uint64
	books map[string]*book
}

// book is one plan on the shelf, or its place while it is fetched.
type book struct {
	plan    Plan
	used    uint64
	waiting []*proto.Start
}

func newShelf(limit int) *shelf { return &shelf{limit: limit, books: map[string]*book{}} }

// get returns the plan of a run, or keeps the run until it comes; asked reports
// whether somebody has asked for it already.
func (s *shelf) get(start *proto.Start) (plan Plan, asked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	b := s.books[start.Bundle]
	if b == nil {
		s.makeRoom()
		s.books[start.Bundle] = &book{used: s.clock, waiting: []*proto.Start{start}}
		return nil, false
	}
	b.used = s.clock
	if b.plan == nil {
		b.waiting = append(b.waiting, start)
	}
	return b.plan, true
}

// put shelves a plan, or takes its place away if there is an error, and returns
// the runs that waited for it.
func (s *shelf) put(hash string, plan Plan, err *proto.ScriptError) []*proto.Start {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[hash]
	if b == nil {
		return nil
	}
	waiting := b.waiting
	b.plan, b.waiting = plan, nil
	if err != nil {
		delete(s.books, hash)
	}
	return waiting
}

// makeRoom drops the plan that was not used for the longest time.
func (s *shelf) makeRoom() {
	if len(s.books) < s.limit {
		return
	}
	oldest := ""
	for hash, b := range s.books {
		if b.plan != nil && (oldest == "" || b.used < s.books[oldest].used) {
			oldest = hash
		}
	}
	delete(s.books, oldest)
}
