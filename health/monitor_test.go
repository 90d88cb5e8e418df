package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A crew is a fleet whose workers are as sick as a test makes them. It carries
// verdicts out as the pool does: what is killed or has been replaced leaves within
// a second, and a successor takes its place, unproven. A test holds the lock, but
// while it lets time pass.
type crew struct {
	sync.Mutex
	begun    time.Time
	workers  []*member
	admitted int
	verdicts []carried
}

// A member is one worker of a crew.
type member struct {
	name      string
	standing  Standing
	replaces  *member
	replaced  bool
	started   time.Time
	since     time.Time // of the standing
	lastBeat  time.Time // zero: it beats
	rss, heap uint64
	overstay  int
	probes    []time.Duration // when, since the begin
	sick      error           // what its probes come to
	hangs     bool            // its probes do not come back before they must
}

// A carried verdict, and when, since the begin.
type carried struct {
	at      time.Duration
	worker  string
	verdict Verdict
}

func (c carried) String() string { return fmt.Sprintf("%v %s %v", c.at, c.worker, c.verdict) }

// newCrew has n workers that have been well for two minutes.
func newCrew(n int) *crew {
	w := &crew{begun: time.Now()}
	for range n {
		m := w.admit(Good)
		m.started = w.begun.Add(-2 * time.Minute)
		m.since = m.started
	}
	return w
}

func (w *crew) admit(s Standing) *member {
	w.admitted++
	m := &member{name: fmt.Sprintf("w%d", w.admitted), standing: s, started: time.Now(), since: time.Now(), rss: 40 * mib}
	w.workers = append(w.workers, m)
	return m
}

func (w *crew) Workers() []Worker {
	w.Lock()
	defer w.Unlock()
	w.workers = slices.DeleteFunc(w.workers, func(m *member) bool {
		return m.standing == Leaving && time.Since(m.since) >= time.Second
	})
	var list []Worker
	for _, m := range w.workers {
		o := Observation{
			Standing: m.standing, Replaced: m.replaced, Age: time.Since(m.started), InState: time.Since(m.since),
			RSS: m.rss, Heap: m.heap, Overstay: m.overstay,
		}
		if !m.lastBeat.IsZero() {
			o.BeatAge = time.Since(m.lastBeat)
		}
		list = append(list, Worker{m.name, o})
	}
	return list
}

func (w *crew) Carry(name string, v Verdict, reason string) {
	w.Lock()
	defer w.Unlock()
	w.verdicts = append(w.verdicts, carried{time.Since(w.begun), name, v})
	m := w.find(name)
	if reason == "" {
		panic("a verdict without a reason")
	}
	switch v {
	case Trust:
		m.enter(Good)
		if m.replaces != nil {
			m.replaces.enter(Leaving)
		}
	case Doubt, Stall:
		m.enter(Doubtful)
	case Recycle:
		m.replaced = true
		w.admit(Unproven).replaces = m
	case Kill:
		m.enter(Leaving)
		w.admit(Unproven)
	}
}

func (m *member) enter(s Standing) { m.standing, m.since = s, time.Now() }

func (w *crew) find(name string) *member {
	i := slices.IndexFunc(w.workers, func(m *member) bool { return m.name == name })
	return w.workers[i]
}

// probe is what the monitor places: it comes to what the worker's health says.
func (w *crew) probe(ctx context.Context, name string) error {
	w.Lock()
	m := w.find(name)
	m.probes = append(m.probes, time.Since(w.begun))
	sick, hangs := m.sick, m.hangs
	w.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return sick
}

// of lists the verdicts on a worker.
func (w *crew) of(name string) (verdicts []Verdict) {
	for _, c := range w.verdicts {
		if c.worker == name {
			verdicts = append(verdicts, c.verdict)
		}
	}
	return verdicts
}

// when is the time of the first such verdict on a worker.
func (w *crew) when(t *testing.T, name string, v Verdict) time.Duration {
	t.Helper()
	for _, c := range w.verdicts {
		if c.worker == name && c.verdict == v {
			return c.at
		}
	}
	t.Fatalf("no verdict %v on %s: %v", v, name, w.verdicts)
	return 0
}

// watch runs f in a bubble with a monitor at work on a crew of n, which is stopped
// afterwards. That all its goroutines are gone by then, the bubble sees to itself.
func watch(t *testing.T, n int, f func(t *testing.T, m *Monitor, w *crew)) {
	t.Helper()
	watchBy(t, DefaultPolicy(), n, f)
}

func watchBy(t *testing.T, p Policy, n int, f func(t *testing.T, m *Monitor, w *crew)) {
	t.Helper()
	watchMonitor(t, &Monitor{Policy: p}, n, f)
}

func watchMonitor(t *testing.T, m *Monitor, n int, f func(t *testing.T, m *Monitor, w *crew)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newCrew(n)
		m.Fleet, m.Probe, m.Log = w, w.probe, slog.New(slog.DiscardHandler)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			m.Run(ctx)
			close(ended)
		}()
		w.Lock()
		defer func() {
			w.Unlock()
			stop()
			<-ended
		}()
		f(t, m, w)
	})
}

// pass lets time pass in the bubble, and what is due happen.
func (w *crew) pass(d time.Duration) {
	w.Unlock()
	defer w.Lock()
	time.Sleep(d)
	synctest.Wait()
}

// until lets time pass until it is so, a minute at the most.
func (w *crew) until(t *testing.T, so func() bool) {
	t.Helper()
	for range 600 {
		if so() {
			return
		}
		w.pass(lookEvery)
	}
	t.Fatalf("not after a minute: %v", w.verdicts)
}

var errSick = errors.New("answered 500, not 420")
