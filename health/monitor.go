package health

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

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

// A Monitor watches a fleet: it is the clock and the hands of a Ward. Its exported
// fields are set before Run.
type Monitor struct {
	Policy Policy
	Fleet  Fleet
	Probe  Probe
	Log    *slog.Logger
	// Event, if there is one, hears of every verdict with what it was judged by,
	// before it is carried out. Without a worker's name, and with Keep, it tells
	// of the monitor itself: an alarm that begins or ends, a lapse of its own. It
	// is called by Run's goroutine and must not block.
	Event func(worker string, v Verdict, reason string, o Observation)

	ward    Ward
	results chan result
	probing sync.WaitGroup

	mu    sync.Mutex // guards last and alarm, which others read
	last  map[string]Result
	alarm bool
}

type result struct {
	worker string
	Result
}

const lookEvery = 100 * time.Millisecond

// Run watches until ctx ends and returns when every probe has.
func (m *Monitor) Run(ctx context.Context) {
	m.ward = Ward{Policy: m.Policy}
	m.results = make(chan result, 64)
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
		m.round(ctx)
	}
}

// round has the ward look at every worker once and does what it orders.
func (m *Monitor) round(ctx context.Context) {
	workers := m.Fleet.Workers()
	orders := m.ward.Round(time.Now(), workers)
	m.publish(workers)
	for _, d := range orders.Decisions {
		if m.Event != nil {
			m.Event(d.Worker, d.Verdict, d.Reason, d.Observation)
		}
		if d.Worker == "" {
			m.Log.Warn("health", "reason", d.Reason)
			continue
		}
		m.Fleet.Carry(d.Worker, d.Verdict, d.Reason)
	}
	for _, worker := range orders.Probes {
		m.probing.Go(func() { m.probe(ctx, worker) })
	}
}

// probe places one call.
func (m *Monitor) probe(ctx context.Context, worker string) {
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
}

// note takes in a probe's result.
func (m *Monitor) note(r result) {
	m.ward.Note(time.Now(), r.worker, r.Result)
	if !r.OK {
		m.Log.Warn("probe failed", "worker", r.worker, "reason", r.Error, "seconds", r.Seconds)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil {
		m.last = map[string]Result{}
	}
	m.last[r.worker] = r.Result
}

// publish is what others may read: results of those that are there, and the alarm.
func (m *Monitor) publish(workers []Worker) {
	there := make(map[string]bool, len(workers))
	for _, one := range workers {
		there[one.Name] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.alarm = m.ward.Alarm()
	for name := range m.last {
		if !there[name] {
			delete(m.last, name)
		}
	}
}

// Alarm reports whether the monitor mistrusts what it sees at the moment.
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
