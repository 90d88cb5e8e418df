package main

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialyard/health"
	"dialyard/worker"
)

// TestFleetModel ties the two machines that decide about workers, the slots and the
// ward, to made-up processes with random faults, and holds what comes of it against
// what must be true at every moment:
//
//   - a call goes to a worker that is ready, and never to one that is in doubt;
//   - of the generations of a slot one receives calls;
//   - a run is on one worker, and goes to another at most when it was given up;
//   - as many slots are ready as the minimum, or as many as have a worker with which
//     nothing is wrong;
//   - every verdict and every signal has a reason;
//   - in the end, when all faults are over, all slots are ready.
func TestFleetModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newFleetModel(rapid.IntRange(1, 5).Draw(t, "slots"))
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			m.fault(t)
			for range rapid.IntRange(1, 300).Draw(t, "rounds") {
				m.round(t)
			}
		}
		m.heal()
		for range 1200 {
			m.round(t)
		}
		if n := m.readySlots(); n != len(m.slots) {
			t.Fatalf("two minutes after the last fault %d of %d slots are ready:\n%s", n, len(m.slots), m)
		}
	})
}

// modelRound is how often pool and monitor look.
const modelRound = 100 * time.Millisecond

type fleetModel struct {
	now       time.Time
	ward      health.Ward
	slots     []*worker.Slot
	processes map[string]*modelProcess
	results   []modelResult
	noProbes  bool // the way of probes is broken
	noStarts  bool // new workers die at once
	lastRun   int
}

// modelProcess is a worker process, and what is wrong with it.
type modelProcess struct {
	name       string
	slot       int
	generation uint32
	started    time.Time
	lived      time.Duration // while this process was awake
	connected  bool
	beat       time.Time
	stopped    bool   // it does nothing at all
	deaf       bool   // it answers no probes
	stuck      bool   // runs do not end
	eats       uint64 // bytes each round
	rss        uint64
	sick       time.Time // since when something is wrong
	exits      time.Time // when it will be gone
	runs       map[int]bool
}

type modelResult struct {
	at     time.Time
	worker string
	health.Result
}

func newFleetModel(slots int) *fleetModel {
	m := &fleetModel{now: time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC), processes: map[string]*modelProcess{}}
	m.ward.Policy = health.DefaultPolicy()
	m.ward.Policy.MinimumReady = health.MinimumReady(slots)
	for i := range slots {
		m.slots = append(m.slots, worker.NewSlot())
		m.step(i, worker.SlotEvent{Kind: worker.Wanted})
	}
	return m
}

// fault lets something go wrong, or go right again.
func (m *fleetModel) fault(t *rapid.T) {
	kinds := []string{"crash", "crash", "stop", "deaf", "stuck", "eat", "probes", "starts", "run", "run", "run", "pause"}
	kind := rapid.SampledFrom(kinds).Draw(t, "fault")
	switch kind {
	case "probes":
		m.noProbes = !m.noProbes
		return
	case "starts":
		m.noStarts = !m.noStarts
		return
	case "pause": // of this process
		m.now = m.now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "pause")) * time.Second)
		for _, p := range m.processes {
			p.beat = m.now
		}
		return
	}
	i := rapid.IntRange(0, len(m.slots)-1).Draw(t, "slot")
	for _, member := range m.slots[i].Members() {
		p := m.processes[m.name(i, member.Generation)]
		if p == nil || !p.connected {
			continue
		}
		switch kind {
		case "crash":
			p.exits = m.now
		case "stop":
			p.stopped = true
		case "deaf":
			p.deaf = true
		case "stuck":
			p.stuck = true
		case "eat":
			p.eats = 1 << 20
		case "run":
			continue
		}
		if p.sick.IsZero() {
			p.sick = m.now
		}
	}
}

// heal ends all faults but those that the ward is to find. Of workers that answer no
// probes it is to find some, but not most: then it mistrusts the probes.
func (m *fleetModel) heal() {
	m.noProbes, m.noStarts = false, false
	for _, p := range m.processes {
		p.deaf = false
	}
}

// round is a tenth of a second.
func (m *fleetModel) round(t *rapid.T) {
	m.now = m.now.Add(modelRound)
	for name, p := range m.processes {
		m.live(name, p)
	}
	for i := range m.slots {
		m.stepChecked(t, i, worker.SlotEvent{Kind: worker.Tick})
		for _, member := range m.slots[i].Members() {
			if p := m.processes[m.name(i, member.Generation)]; member.State == worker.Draining && p != nil && len(p.runs) == 0 {
				m.stepChecked(t, i, worker.SlotEvent{Kind: worker.Drained, Generation: member.Generation})
				break
			}
		}
	}
	m.deliverProbes()
	orders := m.ward.Round(m.now, m.observe())
	for _, d := range orders.Decisions {
		if d.Reason == "" {
			t.Fatalf("%s: %v without a reason", d.Worker, d.Verdict)
		}
		m.carry(t, d)
	}
	for _, name := range orders.Probes {
		m.probe(name)
	}
	m.place(t)
	m.check(t)
}

// live is what a process does in a round.
func (m *fleetModel) live(name string, p *modelProcess) {
	age := m.now.Sub(p.started)
	p.lived += modelRound
	switch {
	case !p.exits.IsZero() && !m.now.Before(p.exits), m.noStarts && !p.connected && age > 50*time.Millisecond:
		delete(m.processes, name)
		m.step(p.slot, worker.SlotEvent{Kind: worker.Exited, Generation: p.generation, Reason: "exit status 2"})
		return
	case p.stopped:
		return
	case !p.connected && age > 50*time.Millisecond:
		p.connected, p.beat = true, m.now
		m.step(p.slot, worker.SlotEvent{Kind: worker.Connected, Generation: p.generation})
	}
	if p.connected && m.now.Sub(p.beat) >= time.Second {
		p.beat = m.now
	}
	p.rss += p.eats
	if !p.stuck {
		clear(p.runs)
	}
}

func (m *fleetModel) name(slot int, generation uint32) string {
	return fmt.Sprintf("w%d.%d", slot+1, generation)
}

func (m *fleetModel) observe() (list []health.Worker) {
	for i, s := range m.slots {
		for _, member := range s.Members() {
			p := m.processes[m.name(i, member.Generation)]
			if p == nil {
				continue
			}
			o := health.Observation{
				Standing: standing(member.State), Replaced: member.Replaced(), Age: m.now.Sub(p.started), InState: m.now.Sub(member.Since),
				BeatAge: m.now.Sub(p.started), Runs: len(p.runs), RSS: p.rss, Heap: p.rss, Goroutines: 20, Fds: 10,
			}
			if p.connected {
				o.BeatAge = m.now.Sub(p.beat)
			}
			if p.stuck && len(p.runs) > 0 {
				o.Overstay = 1
			}
			list = append(list, health.Worker{Name: p.name, Observation: o})
		}
	}
	return list
}

func (m *fleetModel) probe(name string) {
	p := m.processes[name]
	r := modelResult{at: m.now.Add(2 * time.Second), worker: name, Result: health.Result{At: m.now, Error: "timeout", Seconds: 2}}
	if p != nil && p.connected && !p.stopped && !p.deaf && !m.noProbes {
		r.at, r.Result = m.now.Add(modelRound), health.Result{OK: true, At: m.now}
	}
	m.results = append(m.results, r)
}

func (m *fleetModel) deliverProbes() {
	var later []modelResult
	for _, r := range m.results {
		if m.now.Before(r.at) {
			later = append(later, r)
			continue
		}
		m.ward.Note(m.now, r.worker, r.Result)
	}
	m.results = later
}

// carry does with a verdict what the fleet and the pool do.
func (m *fleetModel) carry(t *rapid.T, d health.Decision) {
	p := m.processes[d.Worker]
	if p == nil {
		return
	}
	events := map[health.Verdict][]worker.SlotEventKind{
		health.Trust: {worker.Probed, worker.Trusted}, health.Doubt: {worker.Suspected}, health.Stall: {worker.Stalled},
		health.Recycle: {worker.Recycled}, health.Kill: {worker.Killed},
	}
	for _, kind := range events[d.Verdict] {
		m.stepChecked(t, p.slot, worker.SlotEvent{Kind: kind, Generation: p.generation, Reason: d.Reason})
	}
	if d.Verdict != health.Doubt && d.Verdict != health.Stall {
		return
	}
	for _, member := range m.slots[p.slot].Members() {
		if member.Generation == p.generation && member.State == worker.Ready {
			t.Fatalf("%s is in doubt (%s) and ready", d.Worker, d.Reason)
		}
	}
}

func (m *fleetModel) step(slot int, ev worker.SlotEvent) { m.stepChecked(nil, slot, ev) }

// stepChecked feeds a slot and does what it wants.
func (m *fleetModel) stepChecked(t *rapid.T, slot int, ev worker.SlotEvent) {
	for _, e := range m.slots[slot].Step(m.now, ev) {
		name := m.name(slot, e.Generation)
		p := m.processes[name]
		switch {
		case e.Kind == worker.Spawn:
			m.processes[name] = &modelProcess{name: name, slot: slot, generation: e.Generation, started: m.now, rss: 30 << 20, runs: map[int]bool{}}
		case p == nil:
		case e.Kind == worker.GiveUp:
			clear(p.runs)
		case e.Kind == worker.Kill, e.Kind == worker.Abort && !p.stopped, e.Kind == worker.Terminate && !p.stopped && !p.stuck:
			p.exits = m.now.Add(modelRound)
		}
		if t != nil && (e.Kind == worker.Kill || e.Kind == worker.Abort || e.Kind == worker.Terminate) {
			m.checkReason(t, slot, e)
		}
	}
}

// checkReason: whoever gets a signal has a reason to show.
func (m *fleetModel) checkReason(t *rapid.T, slot int, e worker.SlotEffect) {
	for _, member := range m.slots[slot].Members() {
		if member.Generation == e.Generation && member.Reason == "" {
			t.Fatalf("%v for %s without a reason", e.Kind, m.name(slot, e.Generation))
		}
	}
}

// place gives a run to each ready worker.
func (m *fleetModel) place(t *rapid.T) {
	for i, s := range m.slots {
		takers := 0
		for _, member := range s.Members() {
			if member.State != worker.Ready {
				continue
			}
			takers++
			if p := m.processes[m.name(i, member.Generation)]; p != nil {
				m.lastRun++
				p.runs[m.lastRun] = true
			}
		}
		if takers > 1 {
			t.Fatalf("%d generations of slot %d take calls", takers, i+1)
		}
	}
}

// check holds the moment against the rules.
func (m *fleetModel) check(t *rapid.T) {
	owner := map[int]string{}
	for name, p := range m.processes {
		for run := range p.runs {
			if other := owner[run]; other != "" {
				t.Fatalf("run %d is on %s and on %s", run, name, other)
			}
			owner[run] = name
		}
	}
	if m.noProbes || m.noStarts {
		return // nobody can become ready
	}
	if healthy, ready := m.healthySlots(), m.readySlots(); ready < min(m.ward.Policy.MinimumReady, healthy) {
		t.Fatalf("%d slots are ready, the minimum is %d, %d have a worker with which nothing is wrong:\n%s",
			ready, m.ward.Policy.MinimumReady, healthy, m)
	}
}

func (m *fleetModel) readySlots() (n int) {
	for _, s := range m.slots {
		for _, member := range s.Members() {
			if member.State == worker.Ready {
				n++
			}
		}
	}
	return n
}

// settled is how long a worker has to have been well before the model counts on it.
const settled = 30 * time.Second

// healthySlots counts the slots with a worker that has been there for a while and has
// nothing wrong with it.
func (m *fleetModel) healthySlots() (n int) {
	for i, s := range m.slots {
		for _, member := range s.Members() {
			p := m.processes[m.name(i, member.Generation)]
			if p != nil && p.sick.IsZero() && member.State < worker.Draining && p.lived > settled {
				n++
				break
			}
		}
	}
	return n
}

func (m *fleetModel) String() string {
	text := ""
	for i, s := range m.slots {
		text += fmt.Sprintf("slot %d: %v\n", i+1, s.Members())
	}
	return text
}
