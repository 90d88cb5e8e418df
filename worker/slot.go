package worker

import (
	"cmp"
	"fmt"
	"time"
)

// State is where one worker stands.
type State uint8

// The states of a worker; Slot has the diagram.
const (
	Down State = iota
	Starting
	Probing
	Ready
	Suspect
	Draining
	Dying
	Disabled // no member's, but that of a slot that is empty by an operator's wish
)

func (s State) String() string {
	return [...]string{"down", "starting", "probing", "ready", "suspect", "draining", "dying", "disabled"}[s]
}

// MarshalText is the state's name in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Times of the slot machine.
const (
	startingTime = 15 * time.Second // from spawn to connected; the shell should give up before
	probingTime  = 10 * time.Second // from connected to the first good probe
	drainTime    = 30 * time.Second // for runs to end before a planned stop
	termTime     = 5 * time.Second  // from SIGTERM to SIGABRT
	abortTime    = time.Second      // from SIGABRT to SIGKILL
	backoffMin   = 500 * time.Millisecond
	backoffMax   = 30 * time.Second
	provenLife   = time.Second // ready for so long, a worker's death is no failure to start
)

// A Member is one generation of a slot: one worker process, from before its
// start until it has exited.
type Member struct {
	Generation uint32
	State      State
	Reason     string // of the last change of state
	Since      time.Time

	origin   string    // why it was started
	replace  string    // why a successor is wanted, empty if none is; this one serves until then
	readyAt  time.Time // when it first took calls; zero before
	deadline time.Time // of Starting, Probing, Draining and the steps of Dying
	aborted  bool      // SIGABRT has been sent
}

// A Slot is a place in the pool and the workers that fill it: normally one; two
// while a replacement starts before the old one leaves. Pure: Step takes an event
// and returns what the shell owes.
//
//	        spawn            Connected           Probed          Suspected, Stalled
//	Down ──────────▶ Starting ────────▶ Probing ────────▶ Ready ◀─────────┐
//	 ▲                  │ Exited          │ too long        │ │   Trusted │
//	 │ back-off         ▼                 │                 │ └─────▶ Suspect
//	 └────────────── (gone) ◀── Exited ───┼── Dying ◀───────┼── Killed ───┘
//	                                      │    ▲            │ Recycled: spawn a
//	                                      └────┘            │ successor; once that
//	                                           ▲            ▼ is Ready:
//	                                           └──────── Draining
//	                                     Drained or 30 s
//
// Dying is a ladder of signals: TERM, after 5 s ABRT, after 1 s KILL to the group.
// A killed worker begins at ABRT, as it is not expected to listen; so does one that
// is Starting for 15 s, or Probing for 10 s.
//
// want and the members are joined by settle: a slot that is wanted has at least
// one member that is, or may become, Ready.
type Slot struct {
	want     bool
	members  []*Member     // oldest first
	last     uint32        // generation spawned last
	parting  string        // how the last to exit went, for its successor's origin
	failures int           // deaths before provenLife, in a row
	patience time.Duration // the longest pause between two starts
	retryAt  time.Time
	effects  []SlotEffect
}

// SlotEvent is what happened to a member of a slot.
type SlotEvent struct {
	Kind       SlotEventKind
	Generation uint32 // unused by Wanted, Unwanted and Tick
	Reason     string
}

// SlotEventKind says which event.
type SlotEventKind uint8

// The events, all of them.
const (
	Wanted    SlotEventKind = iota // the slot is to be filled
	Unwanted                       // it is not: the pool stops, or the reason says why
	Connected                      // the stream to the worker is open
	Probed                         // its first probe was good
	Suspected                      // it may be sick: no new runs
	Stalled                        // it does not answer at all: its runs go elsewhere
	Trusted                        // it is well again
	Recycled                       // replace it, gently
	Dismissed                      // let it end its runs and leave, successor or not
	Killed                         // end it now
	Drained                        // its last run has ended
	Exited                         // the process is gone, or never came to be
	Tick                           // a deadline may have come
)

// SlotEffect is what the shell owes for an event.
type SlotEffect struct {
	Kind       SlotEffectKind
	Generation uint32

	// Of GiveUp: why, and whether one of its runs may have caused it. What was
	// planned, or an operator's wish, is nobody's fault.
	Reason string
	Blame  bool
}

// SlotEffectKind says which effect.
type SlotEffectKind uint8

// The effects, all of them.
const (
	Spawn     SlotEffectKind = iota // start a process; answer with Connected or Exited
	Terminate                       // SIGTERM
	Abort                           // SIGABRT, which leaves a stack dump
	Kill                            // SIGKILL to the group
	GiveUp                          // its runs are lost to their calls
	Close                           // close the stream: it will take no more runs
)

func (k SlotEffectKind) String() string {
	return [...]string{"spawn", "terminate", "abort", "kill", "give-up", "close"}[k]
}

// NewSlot is an empty slot that nobody wants yet.
func NewSlot() *Slot { return &Slot{parting: "first start", patience: backoffMax} }

// Pausing reports whether the slot waits before it starts another worker.
func (s *Slot) Pausing(now time.Time) bool { return now.Before(s.retryAt) && !s.starts(now) }

// Members are the workers of the slot, oldest first. The slice is the slot's.
func (s *Slot) Members() []*Member { return s.members }

// Step takes one event. The slice it returns is valid until the next Step.
func (s *Slot) Step(now time.Time, ev SlotEvent) []SlotEffect {
	s.effects = s.effects[:0]
	switch ev.Kind {
	case Wanted:
		s.want = true
		if ev.Reason != "" {
			s.parting = ev.Reason
		}
	case Unwanted:
		s.want = false
		for _, m := range s.members {
			s.leave(now, m, cmp.Or(ev.Reason, "shutdown"))
		}
	case Tick:
		for _, m := range s.members {
			s.expire(now, m)
		}
	default:
		if m := s.member(ev.Generation); m != nil {
			s.stepMember(now, m, ev)
		}
	}
	s.settle(now)
	return s.effects
}

func (s *Slot) stepMember(now time.Time, m *Member, ev SlotEvent) {
	switch ev.Kind {
	case Connected:
		if m.State == Starting {
			m.enter(now, Probing, "started")
			m.deadline = now.Add(probingTime)
		}
	case Probed:
		if m.State == Probing {
			m.enter(now, Ready, m.origin)
			m.readyAt = now
			s.retire(now, m)
		}
	case Suspected:
		if m.State == Ready {
			m.enter(now, Suspect, ev.Reason)
		}
	case Stalled:
		if m.State == Ready || m.State == Suspect {
			m.enter(now, Suspect, ev.Reason)
		}
		if m.State == Suspect || m.State == Draining {
			s.giveUp(m, ev.Reason, true)
		}
	case Trusted:
		if m.State == Suspect {
			m.enter(now, Ready, "good probes")
		}
	case Recycled:
		if m.State == Ready || m.State == Suspect {
			m.replace, m.Reason = cmp.Or(ev.Reason, "recycled"), ev.Reason
		}
	case Dismissed:
		s.leave(now, m, ev.Reason)
	case Killed:
		s.abort(now, m, ev.Reason, true)
	case Drained:
		if m.State == Draining {
			s.terminate(now, m)
		}
	case Exited:
		s.bury(now, m, ev.Reason)
	}
}

// settle spawns what is missing: a first member, or the successor of one that is
// to be replaced.
func (s *Slot) settle(now time.Time) {
	if !s.want || s.Pausing(now) {
		return
	}
	origin := s.parting
	for _, m := range s.members {
		if m.State < Draining && !m.Replaced() {
			return
		}
		origin = fmt.Sprintf("replaces %d: %s", m.Generation, m.cause())
	}
	s.last++
	m := &Member{Generation: s.last, Since: now, origin: origin}
	m.enter(now, Starting, origin)
	m.deadline = now.Add(startingTime)
	s.members = append(s.members, m)
	s.emit(Spawn, s.last)
}

// retire sends away those whom a newly ready member replaces.
func (s *Slot) retire(now time.Time, successor *Member) {
	for _, m := range s.members {
		if m != successor && m.Generation < successor.Generation {
			s.leave(now, m, m.replace)
		}
	}
}

// leave begins the planned end of a member.
func (s *Slot) leave(now time.Time, m *Member, reason string) {
	switch m.State {
	case Ready, Suspect:
		m.enter(now, Draining, reason)
		m.deadline = now.Add(drainTime)
	case Starting, Probing:
		s.abort(now, m, reason, false)
	}
}

func (s *Slot) terminate(now time.Time, m *Member) {
	m.enter(now, Dying, m.Reason)
	m.deadline = now.Add(termTime)
	s.emit(Close, m.Generation)
	s.emit(Terminate, m.Generation)
}

// abort ends a member that is not expected to listen.
func (s *Slot) abort(now time.Time, m *Member, reason string, blame bool) {
	if m.State == Dying {
		return
	}
	m.enter(now, Dying, reason)
	m.deadline, m.aborted = now.Add(abortTime), true
	s.giveUp(m, reason, blame)
	s.emit(Abort, m.Generation)
}

// expire handles a member's deadline.
func (s *Slot) expire(now time.Time, m *Member) {
	if m.deadline.IsZero() || now.Before(m.deadline) {
		return
	}
	switch {
	case m.State == Starting:
		s.abort(now, m, "not connected in time", false)
	case m.State == Probing:
		s.abort(now, m, "no good probe in time", false)
	case m.State == Draining:
		s.giveUp(m, m.Reason, false)
		s.terminate(now, m)
	case m.State == Dying && !m.aborted:
		m.deadline, m.aborted = now.Add(abortTime), true
		s.emit(Abort, m.Generation)
	case m.State == Dying:
		m.deadline = now.Add(abortTime)
		s.emit(Kill, m.Generation)
	}
}

// bury takes a member out that has exited and decides when the next may start:
// at once after a proven life, else after a pause that doubles.
func (s *Slot) bury(now time.Time, m *Member, how string) {
	planned := m.State == Dying
	if planned {
		how = m.Reason + ", " + how
	}
	s.parting = fmt.Sprintf("after %d: %s", m.Generation, how)
	for i := range s.members {
		if s.members[i] == m {
			s.members = append(s.members[:i:i], s.members[i+1:]...)
			break
		}
	}
	s.giveUp(m, how, !planned)
	if m.proven(now) {
		s.failures, s.retryAt = 0, time.Time{}
		return
	}
	s.retryAt = now.Add(min(backoff(s.failures), s.patience))
	s.failures++
}

// starts reports whether the worker spawned last has proven that workers start: a
// pause for the sake of those before it is moot.
func (s *Slot) starts(now time.Time) bool {
	m := s.member(s.last)
	return m != nil && m.proven(now)
}

// backoff is the pause after the nth failure in a row: none at first, then half a
// second doubling to half a minute.
func backoff(n int) time.Duration {
	if n == 0 {
		return 0
	}
	return min(backoffMin<<min(n-1, 10), backoffMax)
}

func (s *Slot) member(generation uint32) *Member {
	for _, m := range s.members {
		if m.Generation == generation {
			return m
		}
	}
	return nil
}

func (s *Slot) emit(kind SlotEffectKind, generation uint32) {
	s.effects = append(s.effects, SlotEffect{Kind: kind, Generation: generation})
}

func (s *Slot) giveUp(m *Member, reason string, blame bool) {
	s.effects = append(s.effects, SlotEffect{Kind: GiveUp, Generation: m.Generation, Reason: reason, Blame: blame})
}

func (m *Member) enter(now time.Time, to State, reason string) {
	m.State, m.Since, m.Reason, m.deadline = to, now, reason, time.Time{}
}

// proven reports whether the member has, or had, taken calls for long enough.
func (m *Member) proven(now time.Time) bool {
	return !m.readyAt.IsZero() && now.Sub(m.readyAt) >= provenLife
}

// Replaced reports whether a successor is wanted for the member.
func (m *Member) Replaced() bool { return m.replace != "" }

// cause is why the member leaves, or is to leave once it has a successor.
func (m *Member) cause() string {
	if m.State < Draining {
		return m.replace
	}
	return m.Reason
}

func (m *Member) String() string {
	return fmt.Sprintf("%d:%s (%s)", m.Generation, m.State, m.Reason)
}
