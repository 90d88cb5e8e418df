package health

import "time"

// summon orders a probe to a worker when one is due, or when the runs it was given
// fail in a row: five call for a probe at once, five more for another.
func (w *Ward) summon(now time.Time, one *Worker) {
	p := w.patients[one.Name]
	if one.Standing >= Parting {
		return
	}
	if w.Policy.FailuresMany > 0 {
		complaints := one.Failures / w.Policy.FailuresMany
		if complaints > p.complaints {
			p.hasten(now, w.Policy.Hurry)
		}
		p.complaints = complaints
	}
	if p.probing || now.Before(p.due) {
		return
	}
	p.probing, p.placedAt = true, now
	p.placed++
	w.orders.Probes = append(w.orders.Probes, one.Name)
}

// hasten makes the next probe due, at once or when the last is a hurry old.
func (p *patient) hasten(now time.Time, hurry time.Duration) {
	at := now
	if soonest := p.placedAt.Add(hurry); soonest.After(now) {
		at = soonest
	}
	if at.Before(p.due) {
		p.due = at
	}
}

// Note takes in the result of a probe that Round ordered. The worker may have gone
// meanwhile.
func (w *Ward) Note(now time.Time, worker string, r Result) {
	w.wake(now)
	p := w.patients[worker]
	if p == nil {
		return
	}
	p.probing = false
	if r.OK {
		p.good, p.bad, p.complaint = p.good+1, 0, ""
	} else if r.At.Before(w.resumed) {
		p.due = now // it was the monitor that was not there for the answer
		return
	} else {
		p.good, p.bad, p.complaint = 0, p.bad+1, r.Error
	}
	if p.bad == 1 && p.standing == Good {
		w.compare(now)
	}
	pause := time.Duration(float64(w.Policy.Interval) * (0.8 + 0.4*chance(worker, p.placed)))
	if p.bad > 0 || p.good < w.Policy.rise(len(p.falls)) {
		pause = min(w.Policy.Hurry, pause)
	}
	p.due = r.At.Add(pause)
}

// compare has everybody probed soon when one worker's probe is bad: whether the
// others are well is to be known before it is judged.
func (w *Ward) compare(now time.Time) {
	for _, other := range w.patients {
		other.hasten(now, w.Policy.Hurry)
	}
}
