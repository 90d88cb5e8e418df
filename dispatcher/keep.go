package dispatcher

import (
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// Keeper stores calls so that they outlive this process. Its methods never block.
type Keeper interface {
	// Put stores the state of a call in place of any before. saved is called
	// when it is safe, or when it could not be made so.
	Put(id string, state []byte, saved func())
	// Delete forgets a call.
	Delete(id string, saved func())
	// Healthy is false while it is not worth waiting for.
	Healthy() bool
}

// holdTime is how long a 2xx waits for the store, or for the record, at the most.
const holdTime = 300 * time.Millisecond

// ringTime is how long a call rings before the store has it: most legs that answer at
// once, or are refused, need never be written.
const ringTime = 100 * time.Millisecond

// save notes that the store is behind. What is saved is the state at the end of the
// shard's turn, however often it changes in it; of a call that rings, a little later.
func (s *shard) save(now time.Time, l *live) {
	state := l.call.State()
	switch {
	case s.Keep == nil || l.probe != "" || l.dirty:
	case state == call.Closing && !l.saved: // its end is near, and nobody knows of it yet
	case state == call.Talking, state == call.Closing:
		l.dirty = true
		s.dirty = append(s.dirty, l)
	default:
		s.saveSoon(now, l)
	}
}

// saveSoon has a call saved if it still goes on a little later.
func (s *shard) saveSoon(now time.Time, l *live) {
	if l.ringing || s.Keep == nil {
		return
	}
	l.ringing = true
	s.ringing = append(s.ringing, waiting{l, now.Add(ringTime)})
	if len(s.ringing) == 1 {
		s.queue.Set(&s.ringTimer, now.Add(ringTime))
	}
}

// saveRinging has the calls saved that have gone on for long enough.
func (s *shard) saveRinging(now time.Time) {
	for len(s.ringing) > 0 && !now.Before(s.ringing[0].until) {
		l := s.ringing[0].live
		s.ringing = s.ringing[1:]
		l.ringing = false
		if state := l.call.State(); state != call.Closing && keeps(state) && !l.dirty {
			l.dirty = true
			s.dirty = append(s.dirty, l)
		}
	}
	if len(s.ringing) == 0 {
		s.ringing = nil
		return
	}
	s.queue.Set(&s.ringTimer, s.ringing[0].until)
}

// hold keeps a 2xx back until the store has the dialog it makes.
func (s *shard) hold(now time.Time, l *live, reply *sip.Reply) {
	l.held = reply
	s.save(now, l)
	s.held = append(s.held, waiting{l, now.Add(holdTime)})
	if len(s.held) == 1 {
		s.queue.Set(&s.holdTimer, now.Add(holdTime))
	}
}

// waiting is a call that waits for the store, or the store for it.
type waiting struct {
	live  *live
	until time.Time
}

// letGo sends an answer that is held: a 2xx to the caller's INVITE, or the 200 to the
// BYE that ended the call.
func (s *shard) letGo(now time.Time, l *live) {
	if reply := l.held; reply != nil {
		l.held = nil
		s.payAck(l)
		s.answer(now, l, reply)
	}
	if bye := l.farewell; bye != nil {
		l.farewell = nil
		s.layer.Respond(now, bye, &sip.Reply{Status: 200})
	}
}

// letGoOverdue sends what has waited for long enough.
func (s *shard) letGoOverdue(now time.Time) {
	for len(s.held) > 0 {
		h := s.held[0]
		holds := h.live.held != nil || h.live.farewell != nil
		if holds && now.Before(h.until) {
			s.queue.Set(&s.holdTimer, h.until)
			return
		}
		if holds {
			s.Stats.Unsaved.Add(1)
			s.letGo(now, h.live)
		}
		s.held = s.held[1:]
	}
	s.held = nil
}

// saveDirty hands the changed calls to the store.
func (s *shard) saveDirty(now time.Time) {
	for i, l := range s.dirty {
		s.dirty[i] = nil
		if l.dirty = false; !keeps(l.call.State()) {
			continue
		}
		l.saved = true
		s.Keep.Put(l.call.ID, s.memo(l).encode(), s.savedFunc(l))
	}
	s.dirty = s.dirty[:0]
}

// keeps reports whether a call can be stored at all: one that no script has begun with
// cannot, nor one that is over.
func keeps(state call.State) bool { return state >= call.Running && state <= call.Closing }

// savedFunc is what the store calls when a call's answer may leave.
func (s *shard) savedFunc(l *live) func() {
	if l.held == nil && l.farewell == nil {
		return nil
	}
	return func() { s.insist(event{task: func(now time.Time) { s.letGo(now, l) }}) }
}

// unsave returns what is to be done when the record is written: then, and not
// before, the store may forget the call.
func (s *shard) unsave(l *live) func() {
	l.ended = true
	if !l.saved || s.Keep == nil {
		return nil
	}
	id, bye := l.call.ID, l.farewell != nil
	return func() {
		s.Keep.Delete(id, nil)
		if bye {
			s.insist(event{task: func(now time.Time) { s.letGo(now, l) }})
		}
	}
}
