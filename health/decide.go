package health

import (
	"fmt"
	"time"
)

// A tally is how much the fleet can spare in the course of one round.
type tally struct {
	ready     int  // in good standing, heard, and not taken out by a verdict yet to be carried out
	replacing bool // a successor is on its way, or another new worker
}

// decide judges everybody. The dead come first: they serve nobody, and what is
// left decides what else can be done.
func (w *Ward) decide(now time.Time, workers []Worker) {
	var living []*Worker
	for i := range workers {
		one := &workers[i]
		v, why := w.Policy.judgeBeats(one.Observation)
		switch {
		case v == Keep:
			living = append(living, one)
		case !w.guard.hush || v == Kill && w.guard.turn(now, one, workers, w.Policy.BeatsGone):
			w.carry(now, one, v, why)
		}
	}
	t := w.count(now, living)
	for _, one := range living {
		v, why := w.Policy.Judge(one.Observation)
		v, why = w.weigh(one, v, why, &t)
		w.carry(now, one, v, why)
	}
}

func (w *Ward) count(now time.Time, living []*Worker) (t tally) {
	for _, one := range living {
		p := w.patients[one.Name]
		pending := w.pending(now, p, one.Standing)
		if one.Standing == Good && (!pending || p.told == Recycle) {
			t.ready++
		}
		if one.Replaced || one.Standing == Unproven || pending && p.told == Recycle {
			t.replacing = true
		}
	}
	return t
}

// pending reports whether a verdict was told so recently that it may not have been
// carried out yet.
func (w *Ward) pending(now time.Time, p *patient, s Standing) bool {
	return p.told != Keep && p.toldIn == s && now.Sub(p.toldAt) < w.Policy.Hurry
}

// weigh asks whether the others can do without a worker that is not dead. If they
// cannot, a sick one gets a successor first, as a worn one does: one at a time, and
// the worn ones only while enough are ready.
func (w *Ward) weigh(one *Worker, v Verdict, why string, t *tally) (Verdict, string) {
	enough := t.ready >= w.Policy.MinimumReady
	if one.Standing == Good && (v == Doubt || v == Kill) {
		if t.ready > w.Policy.MinimumReady {
			t.ready--
			return v, why
		}
		if one.Replaced {
			return Keep, ""
		}
		v, why, enough = Recycle, fmt.Sprintf("%s; only %d ready", why, t.ready), true
	}
	if v != Recycle {
		return v, why
	}
	if t.replacing || !enough {
		return Keep, ""
	}
	t.replacing = true
	return v, why
}

// carry orders a verdict, unless it has just been ordered.
func (w *Ward) carry(now time.Time, one *Worker, v Verdict, why string) {
	p := w.patients[one.Name]
	if v == Keep || v == p.told && w.pending(now, p, one.Standing) {
		return
	}
	if v == Stall && p.told == Stall && p.toldIn == Parting {
		return // it has no runs any more, and stays where it is
	}
	p.told, p.toldIn, p.toldAt = v, one.Standing, now
	if v == Stall {
		p.good, p.due = 0, now // what its probes said before counts no more
	}
	w.orders.Decisions = append(w.orders.Decisions, Decision{one.Name, v, why, one.Observation})
}
