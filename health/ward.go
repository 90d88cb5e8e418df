package health

import (
	"fmt"
	"slices"
	"time"
)

// A Ward holds all that is remembered of the workers and decides what becomes of
// them: Judge looks at one, the Ward at all. It is pure; whoever runs it calls Round
// ten times a second and Note for each probe that has come back.
//
//	          first good probe
//	Unproven ──────────────────▶ Good ◀──────────────────┐
//	   │                          │ │                    │ good probes in a
//	   │ no heartbeat             │ │ 3 bad probes, or   │ row: 2, then 4, 6
//	   │ for 10 s                 │ │ no heartbeat for 3 s
//	   ▼                          │ └──────────────▶ Doubtful
//	 killed ◀─────────────────────┤                      │
//	   ▲      runs that overstay, │                      │
//	   │      no heartbeat 10 s   ▼                      │
//	   │                    recycled: wears out, leaks,  │
//	   │                    flaps, or is sick and cannot │
//	   │                    be spared before a successor │
//	   └─────────────────────────────────────────────────┘
//	          10 s in doubt, no heartbeat for 10 s, runs that overstay
//
// The zero value with a Policy is ready to use.
type Ward struct {
	Policy Policy

	patients map[string]*patient
	orders   Orders        // that Round has still to return
	last     time.Time     // when the ward was awake last
	elapsed  time.Duration // since the last round, as far as it was
	resumed  time.Time     // when it last came back from a lapse
	guard    guard
}

// A Decision is a verdict and why. One without a worker tells of the ward itself:
// an alarm that begins or ends, a lapse that it forgives.
type Decision struct {
	Worker      string
	Verdict     Verdict
	Reason      string
	Observation Observation // what it was judged by
}

// Orders are what is owed for a round: verdicts to be carried out, in this order,
// and workers to place a probe to, each answered by Note.
type Orders struct {
	Decisions []Decision
	Probes    []string
}

// Round looks at every worker once. The slice is not kept.
func (w *Ward) Round(now time.Time, workers []Worker) Orders {
	w.wake(now)
	w.forgetMissing(workers)
	workers = slices.Clone(workers)
	for i := range workers {
		w.observe(now, &workers[i])
	}
	w.elapsed = 0
	w.mistrust(workers)
	for i := range workers {
		w.summon(now, &workers[i])
		if w.guard.alarm {
			workers[i].BadRow = 0 // they say nothing of a worker
		}
	}
	w.decide(now, workers)
	orders := w.orders
	w.orders = Orders{}
	return orders
}

// wake counts the time that the ward was awake. If it was not for longer than a
// lapse then this process was stopped, or starved: workers may have been as well as
// ever, and nobody heard them.
func (w *Ward) wake(now time.Time) {
	gap := max(0, now.Sub(w.last))
	if w.last.IsZero() {
		gap = 0
	}
	w.last = now
	if gap > w.Policy.Lapse {
		w.resumed = now
		for _, p := range w.patients {
			p.forgiven += gap
		}
		w.tell(fmt.Sprintf("lapse: the monitor stood still for %v, which is held against nobody", tenths(gap)))
		gap = w.Policy.Lapse
	}
	w.elapsed += gap
}

// tell reports something of the ward itself.
func (w *Ward) tell(what string) {
	w.orders.Decisions = append(w.orders.Decisions, Decision{Verdict: Keep, Reason: what})
}

// observe adds to an observation what is remembered of the worker.
func (w *Ward) observe(now time.Time, one *Worker) {
	p := w.patients[one.Name]
	if p == nil {
		p = newPatient(one.Name, now)
		w.patients[one.Name] = p
	}
	o := &one.Observation
	p.enter(now, o.Standing, w.Policy.FlapMemory)
	p.listen(o.BeatAge, w.elapsed)
	p.sample(now, o)
	// What a worker said while nobody listened is old, and a script that could not
	// be heard may have been unable to end.
	settled := now.Sub(w.resumed) >= w.Policy.BeatsMissed
	o.Overstaying = p.overstay(now, settled && w.Policy.OverstayMany > 0 && o.Overstay >= w.Policy.OverstayMany)
	o.BeatAge, o.InState = p.silence, o.InState-p.forgiven
	o.GoodRow, o.BadRow, o.Complaint = p.good, p.bad, p.complaint
	o.Falls, o.Slope, o.Growth, o.Jitter = len(p.falls), p.slope, p.chart.growth, p.jitter
}

// forgetMissing drops what is remembered of workers that are gone.
func (w *Ward) forgetMissing(workers []Worker) {
	if w.patients == nil {
		w.patients = map[string]*patient{}
	}
	there := make(map[string]bool, len(workers))
	for _, one := range workers {
		there[one.Name] = true
	}
	for name := range w.patients {
		if !there[name] {
			delete(w.patients, name)
		}
	}
}
