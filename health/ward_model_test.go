package health

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWardModel lets random things happen to workers, to the dispatcher and to its
// clock, and holds what the ward decides against what must be true at every moment.
// Some workers are spared and always well, whatever their load: nothing is ever to
// be decided against those.
func TestWardModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		workers := rapid.IntRange(1, 6).Draw(t, "workers")
		policy := DefaultPolicy()
		policy.MinimumReady = MinimumReady(workers)
		m := &wardModel{stage: newStage(workers, policy), spared: rapid.IntRange(0, workers).Draw(t, "spared")}
		m.stage.heard = func(_ *stage, d Decision) { m.hear(t, d) }
		t.Repeat(map[string]func(*rapid.T){
			"":      func(t *rapid.T) { m.check(t) },
			"wait":  func(t *rapid.T) { m.wait(t, rapid.IntRange(1, 80).Draw(t, "ticks")) },
			"load":  m.load,
			"harm":  m.harm,
			"heal":  m.heal,
			"stop":  m.stop,
			"clock": m.clock,
		})
		m.recover(t)
	})
}

type wardModel struct {
	stage  *stage
	spared int // the first slots, to which nothing is done
}

func (m *wardModel) wait(t *rapid.T, ticks int) {
	for range ticks {
		m.stage.tick()
		m.check(t)
	}
}

// load is anything that calls may do to a worker that is well.
func (m *wardModel) load(t *rapid.T) {
	a := m.stage.serving(rapid.IntRange(0, len(m.stage.last)-1).Draw(t, "slot"))
	if a == nil {
		return
	}
	a.Runs = rapid.IntRange(0, 256).Draw(t, "runs")
	a.Goroutines = 20 + a.Runs + rapid.IntRange(0, 64).Draw(t, "idle")
	a.Failures = rapid.IntRange(0, 40).Draw(t, "failures")
	a.Overstay = rapid.IntRange(0, 1).Draw(t, "overstay")
	if a.slot < m.spared {
		a.Overstay = 0
		a.memory = float64(40*mib + a.Runs*perRun)
	} else {
		a.harmed = a.harmed || a.Overstay > 0
	}
}

// harm does something to a worker that is not spared.
func (m *wardModel) harm(t *rapid.T) {
	if m.spared == len(m.stage.last) {
		return
	}
	a := m.stage.serving(rapid.IntRange(m.spared, len(m.stage.last)-1).Draw(t, "slot"))
	if a == nil {
		return
	}
	a.harmed = true
	switch rapid.SampledFrom([]string{"sick", "hangs", "stops", "dies", "fat", "leaks", "fds", "old"}).Draw(t, "harm") {
	case "sick":
		a.sick = "answered 500, not 420"
	case "hangs":
		a.hangs = true
	case "stops":
		a.stopped = true
	case "dies":
		a.enter(m.stage.now, Leaving)
	case "fat":
		a.memory = 200 * mib
	case "leaks":
		a.leak = 2 * mib
	case "fds":
		a.Fds = 60
	case "old":
		a.started = a.started.Add(-time.Hour)
	}
}

func (m *wardModel) heal(t *rapid.T) {
	for _, a := range m.stage.bodies {
		if rapid.Bool().Draw(t, "heal") {
			cure(a)
		}
	}
}

func cure(a *actor) {
	a.sick, a.hangs, a.stopped, a.leak, a.Overstay = "", false, false, 0, 0
	a.Fds, a.memory = 12, 40*mib
}

// stop stops the dispatcher.
func (m *wardModel) stop(t *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 30).Draw(t, "seconds")) * time.Second
	m.stage.stop(d)
	for _, a := range m.stage.bodies {
		if a.stopped {
			a.silent += m.stage.ward.Policy.Lapse // more is forgiven
		}
	}
	m.wait(t, int(d/lookEvery)+1)
}

// clock sets the clock. Set back, it may hide for as long that a worker is silent.
func (m *wardModel) clock(t *rapid.T) {
	d := time.Duration(rapid.IntRange(-3600, 3600).Draw(t, "seconds")) * time.Second
	m.stage.setClock(d)
	for _, a := range m.stage.bodies {
		a.unheard = min(0, d)
	}
}

// hear holds for every decision, before it is carried out.
func (m *wardModel) hear(t *rapid.T, d Decision) {
	if d.Reason == "" {
		t.Fatalf("%v without a reason on %q", d.Verdict, d.Worker)
	}
	if d.Worker == "" {
		return
	}
	a := m.stage.find(d.Worker)
	switch {
	case a == nil || a.Standing == Leaving:
		t.Fatalf("%s, which has gone: %v", decisionText(d), m.stage)
	case d.Verdict == Keep:
		t.Fatalf("%s is no decision", decisionText(d))
	case d.Verdict != Trust && !a.harmed:
		t.Fatalf("%s, which is well: %v", decisionText(d), m.stage)
	}
	dead := strings.Contains(d.Reason, "no heartbeat")
	planned := a.Standing == Good && (d.Verdict == Doubt || d.Verdict == Kill && !dead)
	if ready := m.stage.count(Good) - 1; planned && ready < m.stage.ward.Policy.MinimumReady {
		t.Fatalf("%s leaves %d ready: %v", decisionText(d), ready, m.stage)
	}
	if dead && a.silent < 2*time.Second {
		t.Fatalf("%s, which was silent for %v: %v", decisionText(d), a.silent, m.stage)
	}
}

// check holds after every tick.
func (m *wardModel) check(t *rapid.T) {
	replaced, heard := 0, false
	for _, a := range m.stage.bodies {
		if a.Replaced && a.Standing != Leaving {
			replaced++
		}
		if a.Standing == Good && a.slot < m.spared {
			heard = true
		}
	}
	if replaced > 1 {
		t.Fatalf("%d are replaced at once: %v", replaced, m.stage)
	}
	for _, a := range m.stage.bodies {
		if !heard || !a.stopped {
			continue // if nobody beats, it may be that nobody listens
		}
		if a.Standing == Good && a.unheard > 3500*time.Millisecond {
			t.Fatalf("%s takes calls, silent for %v: %v", a.name, a.unheard, m.stage)
		}
		if a.Standing != Leaving && a.unheard > 11*time.Second {
			t.Fatalf("%s lives, silent for %v: %v", a.name, a.unheard, m.stage)
		}
	}
}

// recover lets all be well from now on: they must come to serve, all of them, and
// the ward must believe what it sees.
func (m *wardModel) recover(t *rapid.T) {
	for range 90 * 10 {
		for _, a := range m.stage.bodies {
			cure(a)
		}
		m.stage.tick()
	}
	if m.stage.count(Good) != len(m.stage.last) || m.stage.ward.Alarm() {
		t.Fatalf("after a minute and a half without trouble, alarm %v: %v", m.stage.ward.Alarm(), m.stage)
	}
	if n := len(m.stage.ward.patients); n > 2*len(m.stage.last) {
		t.Fatalf("%d are remembered", n)
	}
}
