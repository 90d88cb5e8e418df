package worker

import (
	"errors"
	"strings"
	"sync"
	"time"
)

// Errors of Disable and Enable.
var (
	ErrLastWorker = errors.New("no other worker is ready")
	ErrNotOff     = errors.New("the worker is not disabled")
)

// switches are the slots that operators do not want filled. It is forgotten when the
// pool ends: a server starts whole.
type switches struct {
	order sync.Mutex // one command at a time, so that two do not each count on the other's worker

	mu  sync.Mutex // guards off; between operators and the pool's goroutine, which makes the roster
	off map[int]switched
}

// switched is why a slot is off, and since when.
type switched struct {
	reason string
	since  time.Time
}

// Disable has a slot, "w1", emptied and not filled again until Enable: its worker takes
// no more runs, ends those it has, and leaves. ErrLastWorker says that no other slot has
// a ready worker that is to stay; force is to do it all the same. Disabling a slot that
// is disabled changes the reason.
func (p *Pool) Disable(slot, reason string, force bool) error {
	i, ok := p.slotNamed(slot)
	if !ok {
		return ErrNoWorker
	}
	p.switches.order.Lock()
	defer p.switches.order.Unlock()
	if !force && !p.othersReady(i) {
		return ErrLastWorker
	}
	p.switches.set(i, switched{reason, time.Now()})
	return p.post(message{i, SlotEvent{Kind: Unwanted, Reason: reason}})
}

// Enable has a disabled slot filled again. ErrNotOff says that it was not disabled.
func (p *Pool) Enable(slot, reason string) error {
	i, ok := p.slotNamed(slot)
	if !ok {
		return ErrNoWorker
	}
	p.switches.order.Lock()
	defer p.switches.order.Unlock()
	if !p.switches.clear(i) {
		return ErrNotOff
	}
	return p.post(message{i, SlotEvent{Kind: Wanted, Reason: reason}})
}

// slotNamed finds an ordinary slot by its name, or by that of a worker of it. Those for
// suspects are the pool's alone.
func (p *Pool) slotNamed(name string) (slot int, ok bool) {
	name, _, _ = strings.Cut(name, ".")
	for i := range p.Slots {
		if p.slotName(i) == name {
			return i, true
		}
	}
	return 0, false
}

// othersReady reports whether a slot that is not off has a ready worker.
func (p *Pool) othersReady(slot int) bool {
	for _, proc := range p.roster.Load().ready {
		if _, off := p.switches.get(proc.slot); proc.slot != slot && !off {
			return true
		}
	}
	return false
}

// post gives the pool's goroutine a message, unless that has ended.
func (p *Pool) post(m message) error {
	select {
	case p.messages <- m:
		return nil
	case <-p.closed:
		return ErrNoWorker
	}
}

func (s *switches) set(slot int, how switched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off == nil {
		s.off = map[int]switched{}
	}
	s.off[slot] = how
}

func (s *switches) clear(slot int) (was bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, was = s.off[slot]
	delete(s.off, slot)
	return was
}

func (s *switches) get(slot int) (how switched, off bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how, off = s.off[slot]
	return how, off
}

// vacancy is how a slot without workers is shown, if an operator wants it so.
func (p *Pool) vacancy(slot int) (status, bool) {
	how, off := p.switches.get(slot)
	if !off || len(p.slots[slot].Members()) > 0 {
		return status{}, false
	}
	m := Member{Generation: p.slots[slot].last, State: Disabled, Reason: how.reason, Since: how.since}
	return status{ID: p.slotName(slot), Member: m}, true
}
