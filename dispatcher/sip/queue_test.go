package sip

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQueueModel holds Queue against a slice that is searched each time.
func TestQueueModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &queueModel{now: dawn}
		for range 8 {
			timer := &Timer{}
			timer.Owner = timer
			m.timers = append(m.timers, timer)
		}
		m.want = make([]time.Time, len(m.timers))
		t.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"set":    m.set,
			"remove": m.remove,
			"due":    m.due,
		})
	})
}

// queueModel knows the deadline each timer ought to have, zero for none.
type queueModel struct {
	queue  Queue
	now    time.Time
	timers []*Timer
	want   []time.Time
}

func (m *queueModel) pick(t *rapid.T) int {
	return rapid.IntRange(0, len(m.timers)-1).Draw(t, "timer")
}

func (m *queueModel) set(t *rapid.T) {
	i := m.pick(t)
	// Few different times, so that equal ones are common.
	m.want[i] = m.now.Add(time.Duration(rapid.IntRange(-3, 10).Draw(t, "after")) * time.Second)
	m.queue.Set(m.timers[i], m.want[i])
}

func (m *queueModel) remove(t *rapid.T) {
	i := m.pick(t)
	m.want[i] = time.Time{}
	m.queue.Set(m.timers[i], time.Time{})
}

// due lets time pass and takes everything that has come, in order.
func (m *queueModel) due(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "pass")) * time.Second)
	var last time.Time
	for timer := m.queue.Due(m.now); timer != nil; timer = m.queue.Due(m.now) {
		i := slices.Index(m.timers, timer.Owner.(*Timer))
		at := m.want[i]
		if at.IsZero() || at.After(m.now) || at.Before(last) {
			t.Fatalf("timer %d came at %v after %v, its deadline is %v", i, m.now, last, at)
		}
		m.want[i], last = time.Time{}, at
	}
	for i, at := range m.want {
		if !at.IsZero() && !at.After(m.now) {
			t.Fatalf("timer %d of %v did not come at %v", i, at, m.now)
		}
	}
}

func (m *queueModel) check(t *rapid.T) {
	var pending []time.Time
	for _, at := range m.want {
		if !at.IsZero() {
			pending = append(pending, at)
		}
	}
	if m.queue.Len() != len(pending) {
		t.Fatalf("%d timers are queued, want %d", m.queue.Len(), len(pending))
	}
	var next time.Time
	if len(pending) > 0 {
		next = slices.MinFunc(pending, time.Time.Compare)
	}
	if !m.queue.Next().Equal(next) {
		t.Fatalf("next is %v, want %v", m.queue.Next(), next)
	}
}

// TestQueueShrinks fills a queue and empties it in a mixed order: what it held at
// the peak is given back and the order stays true while it is moved.
func TestQueueShrinks(t *testing.T) {
	const peak = 20_000
	var q Queue
	timers := make([]Timer, peak)
	for i := range timers {
		q.Set(&timers[i], dawn.Add(time.Duration(i*7919%peak)*time.Millisecond))
	}
	full := cap(q.heap)
	for i := 0; i < peak; i += 3 {
		q.Set(&timers[i], time.Time{})
	}
	last := dawn
	for q.Len() > 0 {
		next := q.Next()
		if q.Due(next) == nil || next.Before(last) {
			t.Fatalf("%v came after %v, or did not come", next, last)
		}
		last = next
	}
	if cap(q.heap) > full/4 {
		t.Errorf("an empty queue keeps room for %d of %d timers", cap(q.heap), full)
	}
}
