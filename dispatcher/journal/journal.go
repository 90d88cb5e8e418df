package journal

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Kept is how many events a Journal remembers.
const Kept = 2000

// ErrClosed says that no event will come any more.
var ErrClosed = errors.New("the journal is closed")

// A Journal keeps the newest events. Its zero value is empty and has no file; Open
// makes one that has. All methods are safe for concurrent use.
type Journal struct {
	// A mutex, because anybody may add and anybody may read. It is held for one
	// step of the ring, or for one copy of what a reader asked for.
	mu     sync.Mutex
	ring   []Event // in order from next on, once it is full
	next   int     // where in the ring the next goes, once that is full
	last   uint64  // number of the newest
	fallen uint64  // number of the newest that has fallen off
	counts map[Count]uint64
	news   chan struct{} // closed by the next event, and by Close; nil while nobody waits
	closed bool

	file *file // nil for none
}

// A Count is what events are counted by.
type Count struct {
	Kind Kind
	What string
}

// maxCounts bounds the number of different counts: beyond it, What is "other".
const maxCounts = 200

// Add numbers an event, keeps it and returns its number. The time is now unless it
// is given; Numbers belongs to the journal from now on. After Close it does nothing
// and returns 0.
func (j *Journal) Add(e Event) uint64 {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.At = e.At.Round(0).UTC()
	e.bound()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return 0
	}
	return j.add(e)
}

func (j *Journal) add(e Event) uint64 {
	j.last++
	e.Number = j.last
	j.keep(e)
	c := Count{e.Kind, e.What}
	if j.counts == nil {
		j.counts = map[Count]uint64{}
	}
	if _, known := j.counts[c]; !known && len(j.counts) >= maxCounts {
		c.What = "other"
	}
	j.counts[c]++
	j.wake()
	return e.Number
}

// keep puts an event into the ring; when that is full the oldest falls off.
func (j *Journal) keep(e Event) {
	if len(j.ring) < Kept {
		j.ring = append(j.ring, e)
		return
	}
	j.fallen = j.ring[j.next].Number
	j.ring[j.next] = e
	j.next = (j.next + 1) % Kept
}

func (j *Journal) wake() {
	if j.news != nil {
		close(j.news)
		j.news = nil
	}
}

// After returns up to limit of the events with a number above n that wanted, if not
// nil, is true for; the oldest first. missed is how many may have been above n and
// are not kept any more. upTo is the number to ask after next. wanted must not call
// the Journal.
func (j *Journal) After(n uint64, limit int, wanted func(*Event) bool) (list []Event, missed, upTo uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n < j.fallen {
		missed = j.fallen - n
	}
	upTo = max(n, j.fallen)
	for i := range j.ring {
		e := &j.ring[(j.next+i)%len(j.ring)]
		if e.Number <= n {
			continue
		}
		if len(list) >= limit {
			return list, missed, upTo
		}
		upTo = e.Number
		if wanted == nil || wanted(e) {
			list = append(list, *e)
		}
	}
	return list, missed, upTo
}

// Newest returns the last limit events that wanted, if not nil, is true for; the
// oldest of them first.
func (j *Journal) Newest(limit int, wanted func(*Event) bool) []Event {
	list, _, _ := j.After(0, Kept, wanted)
	return list[max(0, len(list)-limit):]
}

// Last is the number of the newest event, 0 if there was none.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Wait returns nil when there is an event with a number above n, ErrClosed when there
// will be none, and otherwise the context's error.
func (j *Journal) Wait(ctx context.Context, n uint64) error {
	for {
		news, err := j.awaited(n)
		if news == nil {
			return err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaited is what to wait for, nil if for nothing.
func (j *Journal) awaited(n uint64) (<-chan struct{}, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.last > n:
		return nil, nil
	case j.closed:
		return nil, ErrClosed
	case j.news == nil:
		j.news = make(chan struct{})
	}
	return j.news, nil
}

// Counts calls f for every kind of event there was in this process, with how many.
func (j *Journal) Counts(f func(c Count, events uint64)) {
	j.mu.Lock()
	counts := make(map[Count]uint64, len(j.counts))
	for c, n := range j.counts {
		counts[c] = n
	}
	j.mu.Unlock()
	for c, n := range counts {
		f(c, n)
	}
}

// Err is what keeps the file from being written; nil if nothing does, or there is none.
func (j *Journal) Err() error {
	if j.file == nil {
		return nil
	}
	if err := j.file.err.Load(); err != nil {
		return *err
	}
	return nil
}
