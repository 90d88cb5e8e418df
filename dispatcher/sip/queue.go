package sip

import "time"

// A Queue orders the deadlines of one shard. It is a binary heap whose elements
// know their place, so moving or removing one costs a few swaps and no garbage.
// The zero value is empty. Not safe for concurrent use.
type Queue struct {
	epoch time.Time // of the first deadline; the others are counted from it
	heap  []slot
}

// A slot holds its timer's deadline beside it, so that ordering the heap does not
// fetch timers from all over the memory.
type slot struct {
	at    time.Duration // since epoch
	timer *Timer
}

// A Timer is one deadline of its Owner. Embed it; at most one deadline is
// pending per Timer.
type Timer struct {
	Owner any
	place int // index in the heap + 1; 0 when not queued
}

// Set makes at the timer's only deadline; the zero time removes it.
func (q *Queue) Set(t *Timer, at time.Time) {
	if at.IsZero() {
		if t.place > 0 {
			q.remove(t)
		}
		return
	}
	if q.epoch.IsZero() {
		q.epoch = at
	}
	due := at.Sub(q.epoch)
	if t.place == 0 {
		q.heap = append(q.heap, slot{due, t})
		t.place = len(q.heap)
		q.up(t.place - 1)
		return
	}
	i := t.place - 1
	was := q.heap[i].at
	q.heap[i].at = due
	if due < was {
		q.up(i)
	} else if due > was {
		q.down(i)
	}
}

// Next is the earliest deadline, zero when there is none.
func (q *Queue) Next() time.Time {
	if len(q.heap) == 0 {
		return time.Time{}
	}
	return q.epoch.Add(q.heap[0].at)
}

// Due removes and returns one timer whose deadline has come, nil if none has.
func (q *Queue) Due(now time.Time) *Timer {
	if len(q.heap) == 0 || now.Sub(q.epoch) < q.heap[0].at {
		return nil
	}
	t := q.heap[0].timer
	q.remove(t)
	return t
}

// Len is the number of pending deadlines.
func (q *Queue) Len() int { return len(q.heap) }

func (q *Queue) remove(t *Timer) {
	i, last := t.place-1, len(q.heap)-1
	q.swap(i, last)
	q.heap[last] = slot{}
	q.heap = q.heap[:last]
	t.place = 0
	if i < last {
		q.up(i)
		q.down(i)
	}
	if cap(q.heap) > 4096 && len(q.heap) < cap(q.heap)/8 {
		q.heap = append(make([]slot, 0, cap(q.heap)/4), q.heap...)
	}
}

func (q *Queue) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if q.heap[i].at >= q.heap[parent].at {
			return
		}
		q.swap(i, parent)
		i = parent
	}
}

func (q *Queue) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q.heap); child++ {
			if q.heap[child].at < q.heap[least].at {
				least = child
			}
		}
		if least == i {
			return
		}
		q.swap(i, least)
		i = least
	}
}

func (q *Queue) swap(i, j int) {
	q.heap[i], q.heap[j] = q.heap[j], q.heap[i]
	q.heap[i].timer.place, q.heap[j].timer.place = i+1, j+1
}
