package worker

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestSlotModel lets random things happen to a slot and to the processes it asks
// for, and holds it against what must be true of every slot at every moment.
func TestSlotModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &slotModel{slot: NewSlot(), now: noon, alive: map[uint32]*life{}}
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"want":    func(t *rapid.T) { m.want(t, true) },
			"unwant":  func(t *rapid.T) { m.want(t, rapid.IntRange(0, 4).Draw(t, "unwant") > 0) },
			"wait":    m.wait,
			"connect": m.connect,
			"exit":    m.exit,
			"tell":    m.tell,
			"late":    m.late,
		})
		m.recover(t)
		m.stop(t)
	})
}

// slotModel is what the pool knows of a slot's processes.
type slotModel struct {
	slot   *Slot
	now    time.Time
	wanted bool
	last   uint32           // generation spawned last
	alive  map[uint32]*life // processes that have not exited
}

// A life is what has been done to a process, and when.
type life struct {
	connected bool
	dying     time.Time // since when the member is; zero if it is not
	killed    bool      // SIGKILL has been sent
}

func (m *slotModel) want(t *rapid.T, wanted bool) {
	if wanted == m.wanted {
		return
	}
	m.wanted = wanted
	kind := Unwanted
	if wanted {
		kind = Wanted
	}
	m.step(t, SlotEvent{Kind: kind})
}

// wait lets up to ten seconds pass as the pool does, tick by tick.
func (m *slotModel) wait(t *rapid.T) {
	for range rapid.IntRange(1, 100).Draw(t, "ticks") {
		m.tick(t)
	}
}

func (m *slotModel) tick(t *rapid.T) {
	m.now = m.now.Add(tickEvery)
	m.step(t, SlotEvent{Kind: Tick})
	m.check(t)
}

// one draws a process that is alive.
func (m *slotModel) one(t *rapid.T) uint32 {
	var generations []uint32
	for _, member := range m.slot.Members() {
		generations = append(generations, member.Generation)
	}
	if generations == nil {
		t.Skip("nobody is there")
	}
	return rapid.SampledFrom(generations).Draw(t, "generation")
}

func (m *slotModel) connect(t *rapid.T) {
	generation := m.one(t)
	m.alive[generation].connected = true
	m.step(t, SlotEvent{Kind: Connected, Generation: generation})
}

func (m *slotModel) exit(t *rapid.T) {
	m.bury(t, m.one(t))
}

func (m *slotModel) bury(t *rapid.T, generation uint32) {
	m.step(t, SlotEvent{Kind: Exited, Generation: generation, Reason: "exit status 2"})
	if m.slot.member(generation) != nil {
		t.Fatalf("%d has exited and is still a member", generation)
	}
}

var (
	slotWords   = rapid.SampledFrom([]SlotEventKind{Probed, Probed, Suspected, Stalled, Trusted, Recycled, Recycled, Dismissed, Killed, Drained})
	slotReasons = rapid.SampledFrom([]string{"memory", "hang", "operator"})
)

// tell is anything the monitor, an operator or the pool may say of a worker.
func (m *slotModel) tell(t *rapid.T) {
	m.step(t, SlotEvent{Kind: slotWords.Draw(t, "word"), Generation: m.one(t), Reason: slotReasons.Draw(t, "reason")})
}

// late is the same of a worker that has gone, or never was.
func (m *slotModel) late(t *rapid.T) {
	generation := rapid.Uint32Range(0, m.last+2).Draw(t, "generation")
	if m.alive[generation] != nil {
		return
	}
	before := membersText(m.slot)
	m.step(t, SlotEvent{Kind: slotWords.Draw(t, "word"), Generation: generation, Reason: "late"})
	if after := membersText(m.slot); after != before {
		t.Fatalf("%s became %s", before, after)
	}
}

// step feeds the slot and lets its effects happen to the processes.
func (m *slotModel) step(t *rapid.T, ev SlotEvent) {
	gaveUp := false
	for _, e := range m.slot.Step(m.now, ev) {
		process := m.alive[e.Generation]
		switch {
		case e.Kind == Spawn:
			m.spawn(t, e.Generation)
			continue
		case process == nil:
			t.Fatalf("%v %d, which is not there", e.Kind, e.Generation)
		case e.Kind == GiveUp && e.Generation == ev.Generation:
			gaveUp = true
		case e.Kind == Kill:
			process.killed = true
		case (e.Kind == Abort || e.Kind == Terminate) && process.killed:
			t.Fatalf("%v %d after it was killed", e.Kind, e.Generation)
		}
	}
	if ev.Kind != Exited {
		return
	}
	if !gaveUp {
		t.Fatalf("the runs of %d, which exited, are not given up", ev.Generation)
	}
	delete(m.alive, ev.Generation)
}

func (m *slotModel) spawn(t *rapid.T, generation uint32) {
	if generation <= m.last {
		t.Fatalf("generation %d after %d", generation, m.last)
	}
	if !m.wanted {
		t.Fatalf("%d is started and nobody wants it", generation)
	}
	m.last, m.alive[generation] = generation, &life{}
}

// check holds what is true after every event.
func (m *slotModel) check(t *rapid.T) {
	ready, staying := 0, 0
	for _, member := range m.slot.Members() {
		process := m.alive[member.Generation]
		if process == nil {
			t.Fatalf("%v has exited", member)
		}
		if member.State == Ready {
			ready++
		}
		if member.State < Draining && !member.Replaced() {
			staying++
		}
		m.checkDying(t, member, process)
	}
	switch {
	case ready > 1:
		t.Fatalf("two take calls: %s", membersText(m.slot))
	case staying > 1:
		t.Fatalf("two are to stay: %s", membersText(m.slot))
	case m.wanted && staying == 0 && !m.slot.retryAt.After(m.now):
		t.Fatalf("nobody is there to stay: %s", membersText(m.slot))
	case m.wanted && m.slot.retryAt.Sub(m.now) > backoffMax:
		t.Fatalf("the pause goes on until %v, now %v", m.slot.retryAt, m.now)
	case len(m.alive) != len(m.slot.Members()):
		t.Fatalf("%d processes for %s", len(m.alive), membersText(m.slot))
	}
}

// checkDying holds that whoever is to go has a reason and is killed in the end.
func (m *slotModel) checkDying(t *rapid.T, member *Member, process *life) {
	if member.State < Draining {
		return
	}
	if member.Reason == "" {
		t.Fatalf("%v leaves without a reason", member)
	}
	if member.State != Dying {
		return
	}
	if process.dying.IsZero() {
		process.dying = m.now
	}
	if m.now.Sub(process.dying) > termTime+abortTime+tickEvery && !process.killed {
		t.Fatalf("%v was to die at %v and is not killed at %v", member, process.dying, m.now)
	}
}

// recover lets all go well from now on: a wanted slot must come to serve.
func (m *slotModel) recover(t *rapid.T) {
	m.want(t, true)
	for end := m.now.Add(backoffMax + time.Minute); m.now.Before(end); m.tick(t) {
		for _, member := range m.slot.Members() {
			switch {
			case m.alive[member.Generation].killed:
				m.bury(t, member.Generation)
			case member.State == Starting:
				m.step(t, SlotEvent{Kind: Connected, Generation: member.Generation})
			case member.State == Probing:
				m.step(t, SlotEvent{Kind: Probed, Generation: member.Generation})
			case member.State == Suspect:
				m.step(t, SlotEvent{Kind: Trusted, Generation: member.Generation})
			default:
				continue
			}
			break // the members are others now
		}
	}
	if members := m.slot.Members(); len(members) != 1 || members[0].State != Ready || members[0].Replaced() {
		t.Fatalf("after a minute without trouble: %s", membersText(m.slot))
	}
}

// stop ends the slot; its processes hear nothing but SIGKILL.
func (m *slotModel) stop(t *rapid.T) {
	m.want(t, false)
	for end := m.now.Add(drainTime + termTime + 3*abortTime); m.now.Before(end); m.tick(t) {
		for generation, process := range m.alive {
			if process.killed {
				m.bury(t, generation)
			}
		}
	}
	if len(m.slot.Members()) > 0 {
		t.Fatalf("nobody wants them: %s", membersText(m.slot))
	}
}
