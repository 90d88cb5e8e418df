package dispatcher

import (
	"maps"
	"slices"
	"time"

	"dialyard/dispatcher/call"
)

// simStore is the Keeper and the file of records. What has been put is safe after a
// while; in a sulk that is long in coming. A record is safe when it is written.
type simStore struct {
	w       *simWorld
	rows    map[string][]byte     // that outlive the front
	waiting map[string]*simChange // that do not yet
	due     bool                  // a commit is on its way
	sulking time.Duration         // until then
	written map[string]bool       // records, by the ID of their call
}

// simChange is the newest change of a call that is not safe yet.
type simChange struct {
	state []byte // nil for a deletion
	saved []func()
}

func (s *simStore) Put(id string, state []byte, saved func()) { s.change(id, state, saved) }

func (s *simStore) Delete(id string, saved func()) { s.change(id, nil, saved) }

func (s *simStore) Healthy() bool { return s.w.clock >= s.sulking }

func (s *simStore) change(id string, state []byte, saved func()) {
	if s.waiting == nil {
		s.waiting = map[string]*simChange{}
	}
	c := s.waiting[id]
	if c == nil {
		c = &simChange{}
		s.waiting[id] = c
	}
	c.state = state
	if saved != nil {
		c.saved = append(c.saved, saved)
	}
	s.w.note(s.owner(id), "store: %.150s", state)
	s.wake()
}

// wake sees to it that what waits will be committed.
func (s *simStore) wake() {
	if s.due {
		return
	}
	s.due = true
	rest := s.w.between(time.Millisecond, 12*time.Millisecond)
	if s.w.chance(0.02) {
		rest = s.w.upTo(600 * time.Millisecond)
	}
	front := s.w.front
	s.w.after(max(rest, s.sulking-s.w.clock), func() {
		if front.up {
			s.commit()
		}
	})
}

func (s *simStore) commit() {
	if s.due = false; s.w.clock < s.sulking {
		s.wake()
		return
	}
	waiting := s.waiting
	s.waiting = nil
	for _, id := range slices.Sorted(maps.Keys(waiting)) {
		c := waiting[id]
		if c.state == nil {
			delete(s.rows, id)
		} else {
			s.rows[id] = c.state
		}
		for _, saved := range c.saved {
			saved()
		}
	}
	s.w.front.collect()
}

// sulk lets the disk hang for a while.
func (s *simStore) sulk() { s.sulking = s.w.clock + s.w.upTo(3*time.Second) }

// crash loses what is not safe.
func (s *simStore) crash() { s.waiting, s.due, s.sulking = nil, false, 0 }

// newest reports whether the file has the newest state of a call.
func (s *simStore) newest(id string) bool { return s.rows[id] != nil && s.waiting[id] == nil }

// record takes a finished call's record.
func (s *simStore) record(r *call.Record, written func()) {
	if written != nil {
		defer written()
	}
	c := s.w.owners[r.CallID]
	if c == nil {
		s.w.fault(nil, "a record of nobody's call: %+v", r)
		return
	}
	if s.w.keeps && s.written[r.ID] {
		s.w.fault(c, "a second record with the ID %s", r.ID)
	}
	s.written[r.ID] = true
	s.w.note(c, "record: %d %s, ended by %s, answer %v, %d legs", r.Status, r.Outcome, r.EndedBy, !r.Answer.IsZero(), len(r.Legs))
	c.records = append(c.records, r)
}

// owner is the call that an ID was given to, nil if that is not known yet.
func (s *simStore) owner(id string) *simCall {
	for _, sh := range s.w.front.shards {
		for _, l := range sh.calls {
			if l.call.ID == id {
				return s.w.owners[l.call.CallID]
			}
		}
	}
	return nil
}
