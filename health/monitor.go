package health

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A Worker is what the fleet says of one of its members.
type Worker struct {
	Name string // with its generation, "w1.3"
	Observation
}

// A Fleet is the pool of workers as far as health is concerned. Its methods
// return at once.
type Fleet interface {
	// Workers lists the members with all that is observed from outside; what
	// comes of probes is the monitor's to add.
	Workers() []Worker
	// Carry carries out a verdict other than Keep.
	Carry(name string, v Verdict, reason string)
}

// Probe places one probe call to a worker and returns nil if it was answered as
// a healthy worker answers.
type Probe func(ctx context.Context, worker string) error

// Result is the last probe of a worker.
type Result struct {
	OK      bool      `json:"ok"`
	Seconds float64   `json:"seconds"`
	At      time.Time `json:"at"`
	Error   string    `json:"error,omitempty"`
}

// A Monitor watches a fleet. Its exported fields are set before Run.
type Monitor struct {
	Policy Policy
	Fleet  Fleet
	Probe  Probe
	Log    *slog.Logger

	results chan result
	probing sync.WaitGroup
	patient map[string]*patient

	mu    sync.Mutex // guards last and alarm, which others read
	last  map[string]Result
	alarm bool
}

// patient is what the monitor remembers of one worker.
type patient struct {
	good, bad int // probes in a row
	probing   bool
	nextProbe time.Time
	sampled   time.Time
	history   history
	slope     float64
	jitter    float64
}

type result struct {
	worker string
	Result
}

const lookEvery = 100 * time.Millisecond

// Run watches until ctx ends and returns when every probe has.
func (m *Monitor) Run(ctx context.Context) {
	m.results = make(chan result, 64)
	m.patient = map[string]*patient{}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	defer m.probing.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-m.results:
			m.note(r)
		case <-ticker.C:
		}
		m.round(ctx, time.Now())
	}
}

// round looks at every worker once.
func (m *Monitor) round(ctx context.Context, now time.Time) {
	workers := m.Fleet.Workers()
	m.forgetMissing(workers)
	suspicious := m.blameless(workers)
	replacing := slices.ContainsFunc(workers, func(w Worker) bool { return w.Replaced || w.Standing == Unproven })
	for _, w := range workers {
		p := m.patient[w.Name]
		if p == nil {
			p = &patient{jitter: 2*rand.Float64() - 1}
			m.patient[w.Name] = p
		}
		if w.Standing == Leaving {
			continue
		}
		if now.Sub(p.sampled) >= time.Second {
			p.sampled = now
			p.history.add(now, w.Heap)
			p.slope = p.history.slope()
		}
		if !p.probing && !now.Before(p.nextProbe) {
			m.probe(ctx, w.Name, p)
		}
		o := w.Observation
		o.GoodRow, o.BadRow, o.Slope, o.Jitter = p.good, p.bad, p.slope, p.jitter
		if suspicious {
			o.BadRow = 0
		}
		v, why := m.Policy.Judge(o)
		if v == Keep || v == Recycle && replacing {
			continue // one planned recycle at a time
		}
		replacing = replacing || v == Recycle
		if v == Stall {
			p.good, p.nextProbe = 0, now // what its probes said before counts no more
		}
		m.Fleet.Carry(w.Name, v, why)
	}
}

// blameless reports whether so many workers fail their probes together that the
// probe itself is the suspect. Heartbeats and memory are judged all the same.
func (m *Monitor) blameless(workers []Worker) bool {
	probed, failing := 0, 0
	for _, w := range workers {
		if p := m.patient[w.Name]; p != nil && (w.Standing == Good || w.Standing == Doubtful) {
			probed++
			if p.bad > 0 && w.BeatAge < m.Policy.BeatsMissed {
				failing++
			}
		}
	}
	alarm := probed > 1 && 2*failing > probed
	m.mu.Lock()
	defer m.mu.Unlock()
	if alarm != m.alarm {
		m.alarm = alarm
		m.Log.Warn("most workers fail their probes together", "alarm", alarm, "failing", failing, "workers", probed)
		if !alarm {
			m.forgive()
		}
	}
	return alarm
}

// forgive forgets the bad probes of an alarm: they say nothing of a worker.
func (m *Monitor) forgive() {
	for _, p := range m.patient {
		p.bad = 0
	}
}

// Alarm reports whether the monitor mistrusts its own probes at the moment.
func (m *Monitor) Alarm() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.alarm
}

// Last is the last probe of a worker, by its full name.
func (m *Monitor) Last(worker string) (Result, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.last[worker]
	return r, ok
}

// probe places one call without waiting for it.
func (m *Monitor) probe(ctx context.Context, worker string, p *patient) {
	p.probing = true
	m.probing.Go(func() {
		begun := time.Now()
		limited, cancel := context.WithTimeout(ctx, m.Policy.Timeout)
		defer cancel()
		err := m.Probe(limited, worker)
		r := result{worker, Result{OK: err == nil, Seconds: time.Since(begun).Seconds(), At: begun}}
		if err != nil {
			r.Error = err.Error()
		}
		select {
		case m.results <- r:
		case <-ctx.Done():
		}
	})
}

// note takes in a probe's result and sets the time of the next.
func (m *Monitor) note(r result) {
	p := m.patient[r.worker]
	if p == nil {
		return // it has gone meanwhile
	}
	m.mu.Lock()
	if m.last == nil {
		m.last = map[string]Result{}
	}
	m.last[r.worker] = r.Result
	m.mu.Unlock()
	p.probing = false
	pause := time.Duration(float64(m.Policy.Interval) * (0.8 + 0.4*rand.Float64()))
	if r.OK {
		p.good, p.bad = p.good+1, 0
	} else {
		p.good, p.bad = 0, p.bad+1
		m.Log.Warn("probe failed", "worker", r.worker, "reason", r.Error, "seconds", r.Seconds)
	}
	if p.bad > 0 || p.good < m.Policy.Rise {
		pause = min(m.Policy.Hurry, pause)
	}
	p.nextProbe = r.At.Add(pause)
}

// forgetMissing drops what is remembered of workers that are gone.
func (m *Monitor) forgetMissing(workers []Worker) {
	there := make(map[string]bool, len(workers))
	for _, w := range workers {
		there[w.Name] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.patient {
		if !there[name] {
			delete(m.patient, name)
			delete(m.last, name)
		}
	}
}
