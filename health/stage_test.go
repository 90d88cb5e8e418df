package health

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// noon is when every story and model begins.
var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// A stage is a ward, its workers and the time, in which nothing happens but what
// is told. Verdicts are carried out as the pool does.
type stage struct {
	ward    Ward
	now     time.Time
	away    time.Time // the dispatcher is stopped until then
	bodies  []*actor
	last    []int // generation of each slot
	flights []flight
	grim    bool // successors are sick from the start
	heard   func(s *stage, d Decision)
}

// An actor is one worker on a stage.
type actor struct {
	Observation
	name     string
	slot     int
	replaces *actor
	started  time.Time
	since    time.Time // of the standing
	due      time.Time // the next heartbeat
	beat     time.Time // the last, as the dispatcher's clock said
	stopped  bool
	hangs    bool
	sick     string        // what its probes come to; empty is well
	leak     float64       // bytes a second
	memory   float64       // bytes
	harmed   bool          // something was done to it
	silent   time.Duration // that the dispatcher was awake to hear
	unheard  time.Duration // the same since its clock was set
}

// A flight is a probe under way.
type flight struct {
	worker     string
	begun, end time.Time
	failure    string
}

// newStage has so many workers that have been well for two minutes.
func newStage(workers int, policy Policy) *stage {
	s := &stage{ward: Ward{Policy: policy}, now: noon, last: make([]int, workers)}
	for slot := range workers {
		a := s.admit(slot)
		a.enter(noon, Good)
		a.started, a.since = noon.Add(-2*time.Minute), noon.Add(-2*time.Minute)
		a.beat = noon.Add(-time.Duration(slot) * 170 * time.Millisecond)
		a.due = a.beat.Add(time.Second)
	}
	return s
}

func (s *stage) admit(slot int) *actor {
	s.last[slot]++
	a := &actor{name: fmt.Sprintf("w%d.%d", slot+1, s.last[slot]), slot: slot, started: s.now, beat: s.now, memory: 40 * mib}
	a.Goroutines, a.Fds = 20, 12
	a.enter(s.now, Unproven)
	if s.grim {
		a.sick, a.harmed = "answered 500, not 420", true
	}
	s.bodies = append(s.bodies, a)
	return a
}

func (a *actor) enter(now time.Time, to Standing) { a.Standing, a.since = to, now }

// serving is the worker of a slot that has not been told to leave; the eldest, if
// it has a successor.
func (s *stage) serving(slot int) *actor {
	for _, a := range s.bodies {
		if a.slot == slot && a.Standing != Leaving {
			return a
		}
	}
	return nil
}

// tick lets a tenth of a second pass. A dispatcher that comes back from being
// stopped finds the probes' timeouts before the heartbeats that wait for it.
func (s *stage) tick() {
	s.now = s.now.Add(lookEvery)
	awake := !s.now.Before(s.away)
	back := awake && s.now.Sub(s.away) < lookEvery
	for _, a := range s.bodies {
		a.memory += a.leak * lookEvery.Seconds()
		a.RSS, a.Heap = uint64(a.memory), uint64(a.memory/2)
		if awake {
			a.silent, a.unheard = a.silent+lookEvery, a.unheard+lookEvery
		}
		if !a.stopped && awake && !back && !s.now.Before(a.due) {
			a.silent, a.unheard, a.beat, a.due = 0, 0, s.now, s.now.Add(time.Second)
		}
	}
	if !awake {
		return
	}
	s.depart()
	s.land()
	s.round()
}

// depart lets go of those who have been leaving for a second, and fills slots that
// are empty for it.
func (s *stage) depart() {
	s.bodies = slices.DeleteFunc(s.bodies, func(a *actor) bool {
		return a.Standing == Leaving && s.now.Sub(a.since) >= time.Second
	})
	for slot := range s.last {
		if s.serving(slot) == nil {
			s.admit(slot)
		}
	}
}

// land brings back the probes that have ended.
func (s *stage) land() {
	s.flights = slices.DeleteFunc(s.flights, func(f flight) bool {
		if s.now.Before(f.end) {
			return false
		}
		s.ward.Note(s.now, f.worker, Result{OK: f.failure == "", At: f.begun, Error: f.failure})
		return true
	})
}

func (s *stage) round() {
	var workers []Worker
	for _, a := range s.bodies {
		o := a.Observation
		o.Age, o.InState, o.BeatAge = s.now.Sub(a.started), s.now.Sub(a.since), s.now.Sub(a.beat)
		workers = append(workers, Worker{a.name, o})
	}
	orders := s.ward.Round(s.now, workers)
	for _, d := range orders.Decisions {
		s.heard(s, d)
		s.carry(d)
	}
	for _, name := range orders.Probes {
		s.launch(s.find(name))
	}
}

// launch places a probe, which takes as long as the worker's health will have it.
func (s *stage) launch(a *actor) {
	f := flight{a.name, s.now, s.now.Add(lookEvery / 2), a.sick}
	if a.stopped || a.hangs {
		f.end, f.failure = s.now.Add(s.ward.Policy.Timeout), "no answer within 2s"
	}
	if f.end.Before(s.away) {
		f.failure = "no answer within 2s"
	}
	s.flights = append(s.flights, f)
}

func (s *stage) carry(d Decision) {
	a := s.find(d.Worker)
	if a == nil {
		return
	}
	switch d.Verdict {
	case Trust:
		a.enter(s.now, Good)
		if old := a.replaces; old != nil && old.Standing != Leaving {
			old.enter(s.now, Leaving)
		}
	case Doubt, Stall:
		a.enter(s.now, Doubtful)
	case Recycle:
		a.Replaced = true
		s.admit(a.slot).replaces = a
	case Kill:
		a.enter(s.now, Leaving)
	}
}

func (s *stage) find(name string) *actor {
	for _, a := range s.bodies {
		if a.name == name {
			return a
		}
	}
	return nil
}

// stop stops the dispatcher: nothing is heard, and probes under way time out.
func (s *stage) stop(d time.Duration) {
	s.away = s.now.Add(d)
	for i := range s.flights {
		s.flights[i].failure = "no answer within 2s"
	}
}

// setClock lets the clock by which heartbeats are timed leap.
func (s *stage) setClock(d time.Duration) {
	for _, a := range s.bodies {
		a.beat = a.beat.Add(-d)
	}
}

func (s *stage) count(st Standing) (n int) {
	for _, a := range s.bodies {
		if a.Standing == st {
			n++
		}
	}
	return n
}

func (s *stage) String() string {
	var list []string
	for _, a := range s.bodies {
		text := a.name + " " + a.Standing.String()
		if a.Replaced {
			text += " replaced"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}
