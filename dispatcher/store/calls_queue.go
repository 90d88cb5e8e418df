package store

import (
	"container/list"
	"time"
)

// A change is what is to become of one call's row.
type change struct {
	id    string
	state []byte
	gone  bool          // delete the row
	since time.Duration // when the oldest change that is merged into this one came
	saved []func()      // to be called once the row says this, or something newer
	row   int64         // its key in the file, given by take
}

// A changeQueue holds the changes that wait to be written, oldest first and at
// most one for each call. It is pure; Calls guards it with its mutex.
//
// It also knows which calls have a row, because that decides what a deletion
// costs. A row is given when its first write is about to be tried, and taken
// back when its deletion has been committed; numbers are not used again, so that
// new rows always go to the end of the file's tree, which is the cheapest place.
type changeQueue struct {
	order *list.List // of *change
	byID  map[string]*list.Element
	rows  map[string]int64
	last  int64 // the highest row ever given
}

func newChangeQueue(rows map[string]int64, last int64) changeQueue {
	return changeQueue{order: list.New(), byID: map[string]*list.Element{}, rows: rows, last: last}
}

func (q *changeQueue) len() int { return q.order.Len() }

// idle says that nothing is known of the call, neither a change nor a row.
func (q *changeQueue) idle(id string) bool {
	return q.byID[id] == nil && !q.hasRow(id)
}

// full says that there is no place for another call's change. Deletions always
// have one: there can be no more of them than rows.
func (q *changeQueue) full(id string) bool {
	return q.order.Len() >= callsLimit && q.byID[id] == nil
}

func (q *changeQueue) hasRow(id string) bool {
	_, ok := q.rows[id]
	return ok
}

// add takes a change in, or into the one that waits for the same call. It
// returns how many changes will have no row of their own, and the callbacks
// that are due because nothing is left to write.
func (q *changeQueue) add(c *change) (merged int, done []func()) {
	e := q.byID[c.id]
	if e == nil {
		q.byID[c.id] = q.order.PushBack(c)
		return 0, nil
	}
	old := e.Value.(*change)
	if c.gone && !q.hasRow(c.id) {
		q.remove(e)
		return 2, append(old.saved, c.saved...)
	}
	old.state, old.gone = c.state, c.gone
	old.saved = append(old.saved, c.saved...)
	return 1, nil
}

// take removes up to n changes, the oldest, and gives them their rows.
func (q *changeQueue) take(n int) []*change {
	batch := make([]*change, 0, min(n, q.order.Len()))
	for len(batch) < cap(batch) {
		c := q.remove(q.order.Front())
		if !c.gone && !q.hasRow(c.id) {
			q.last++
			q.rows[c.id] = q.last
		}
		c.row = q.rows[c.id] // 0, which is nobody's, if an earlier batch deleted it
		batch = append(batch, c)
	}
	return batch
}

// restore takes a batch back that was not written. A newer change of the same
// call prevails, at the age of the old one. It returns how many were merged so.
func (q *changeQueue) restore(batch []*change) (merged int) {
	for i := len(batch) - 1; i >= 0; i-- {
		c := batch[i]
		if e := q.byID[c.id]; e != nil {
			newer := q.remove(e)
			c.state, c.gone = newer.state, newer.gone
			c.saved = append(c.saved, newer.saved...)
			merged++
		}
		q.byID[c.id] = q.order.PushFront(c)
	}
	return merged
}

// release forgets the rows whose deletion has been written.
func (q *changeQueue) release(batch []*change) {
	for _, c := range batch {
		if c.gone {
			delete(q.rows, c.id)
		}
	}
}

// oldest is when the first of the waiting changes came.
func (q *changeQueue) oldest() (since time.Duration, ok bool) {
	e := q.order.Front()
	if e == nil {
		return 0, false
	}
	return e.Value.(*change).since, true
}

func (q *changeQueue) remove(e *list.Element) *change {
	c := q.order.Remove(e).(*change)
	delete(q.byID, c.id)
	return c
}
