package store

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// queueModel drives a changeQueue against a disk that may refuse, and knows
// what each callback may claim.
type queueModel struct {
	queue   changeQueue
	disk    map[int64]string // row -> id
	states  map[int64]int    // row -> number of the change that is there
	deleted map[string]int   // number of the last deletion asked for
	wanted  map[string]int   // number of the last change, negative for a deletion
	told    map[int]int      // number of a change -> how often it was told
	flight  []*change
	changes int
}

func (m *queueModel) ask(t *rapid.T, id string, gone bool) {
	m.changes++
	n := m.changes
	m.wanted[id] = n
	if gone {
		m.wanted[id] = -n
		m.deleted[id] = n
	}
	saved := func() { m.hear(t, id, n) }
	if gone && m.queue.idle(id) {
		saved()
		return
	}
	_, done := m.queue.add(&change{id: id, state: []byte{byte(n >> 8), byte(n)}, gone: gone,
		since: time.Duration(n), saved: callbacks(saved)})
	call(done)
}

// hear checks what a callback claims: the disk has this change or a newer one.
func (m *queueModel) hear(t *rapid.T, id string, n int) {
	if m.told[n]++; m.told[n] > 1 {
		t.Fatalf("change %d of %s was told twice", n, id)
	}
	if there, ok := m.find(t, id); ok && there < n || !ok && m.deleted[id] < n {
		t.Fatalf("change %d of %s was told, the disk has %d, %v", n, id, there, ok)
	}
}

func (m *queueModel) find(t *rapid.T, id string) (n int, ok bool) {
	for row, owner := range m.disk {
		if owner != id {
			continue
		}
		if ok {
			t.Fatalf("call %s has two rows", id)
		}
		n, ok = m.states[row], true
	}
	return n, ok
}

// end lets the disk take the batch in flight, or refuse it.
func (m *queueModel) end(good bool) {
	batch := m.flight
	m.flight = nil
	if !good {
		m.queue.restore(batch)
		return
	}
	for _, c := range batch {
		switch {
		case c.row == 0:
		case c.gone:
			delete(m.disk, c.row)
			delete(m.states, c.row)
		default:
			m.disk[c.row] = c.id
			m.states[c.row] = int(c.state[0])<<8 | int(c.state[1])
		}
	}
	m.queue.release(batch)
	for _, c := range batch {
		call(c.saved)
	}
}

func (m *queueModel) check(t *rapid.T) {
	var last time.Duration
	for e := m.queue.order.Front(); e != nil; e = e.Next() {
		c := e.Value.(*change)
		if m.queue.byID[c.id] != e || c.since < last {
			t.Fatalf("change %+v is out of place", c)
		}
		last = c.since
	}
	if len(m.queue.byID) != m.queue.len() {
		t.Fatalf("%d changes, %d ids", m.queue.len(), len(m.queue.byID))
	}
}

func call(callbacks []func()) {
	for _, f := range callbacks {
		f()
	}
}

// TestChangeQueueModel plays random changes, batches and refusals: a callback is
// told once and never early, and in the end the disk has what was asked for.
func TestChangeQueueModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &queueModel{queue: newChangeQueue(map[string]int64{}, 0), disk: map[int64]string{}, states: map[int64]int{},
			deleted: map[string]int{}, wanted: map[string]int{}, told: map[int]int{}}
		id := rapid.Map(rapid.IntRange(0, 4), func(n int) string { return fmt.Sprint("call", n) })
		t.Repeat(map[string]func(*rapid.T){
			"put":    func(t *rapid.T) { m.ask(t, id.Draw(t, "id"), false) },
			"delete": func(t *rapid.T) { m.ask(t, id.Draw(t, "id"), true) },
			"take": func(t *rapid.T) {
				if m.flight == nil {
					m.flight = m.queue.take(rapid.IntRange(1, 4).Draw(t, "n"))
				}
			},
			"end": func(t *rapid.T) { m.end(rapid.Bool().Draw(t, "good")) },
			"":    m.check,
		})
		m.end(false)
		m.flight = m.queue.take(100)
		m.end(true)
		for id, n := range m.wanted {
			if there, ok := m.find(t, id); ok != (n > 0) || ok && there != n {
				t.Fatalf("%s: the disk has %d, %v, want %d", id, there, ok, n)
			}
		}
		if len(m.told) != m.changes || m.queue.len() != 0 || len(m.queue.rows) != len(m.disk) {
			t.Fatalf("%d of %d told, %d left, rows %v, disk %v", len(m.told), m.changes, m.queue.len(), m.queue.rows, m.disk)
		}
	})
}
