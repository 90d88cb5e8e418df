package health

import (
	"fmt"
	"time"
)

// guard is the suspicion that what many workers seem to have is something that all
// of them need, or the monitor itself.
type guard struct {
	alarm   bool      // most fail their probes together: probes are not believed
	hush    bool      // all have fallen silent together: one at a time is ended
	endedAt time.Time // the last one
}

// mistrust looks for what cannot be the fault of so many workers.
func (w *Ward) mistrust(workers []Worker) {
	serving, failing, quiet, silent := 0, 0, 0, 0
	for _, one := range workers {
		if one.Standing != Good && one.Standing != Doubtful {
			continue
		}
		serving++
		switch age := one.BeatAge; {
		case age >= w.Policy.BeatsMissed:
			silent++
			quiet++
		case age >= w.Policy.BeatsMissed/2:
			quiet++
		}
		if one.BadRow > 0 && one.BeatAge < w.Policy.BeatsMissed {
			failing++
		}
	}
	w.doubtProbes(serving > 1 && 2*failing > serving, failing, serving, workers)
	w.doubtBeats(serving > 0 && quiet == serving && (w.guard.hush || serving > 1 && silent > 0), serving, workers)
}

// doubtProbes: if more than half of the workers beat and fail their probes, the
// probe is the suspect, or what every call needs. Nobody is judged by probes until
// that is over, and nothing is held against anybody then.
func (w *Ward) doubtProbes(alarm bool, failing, serving int, workers []Worker) {
	if alarm == w.guard.alarm {
		return
	}
	w.guard.alarm = alarm
	if alarm {
		w.tell(fmt.Sprintf("alarm: %d of %d workers fail their probes together", failing, serving))
		return
	}
	w.tell(fmt.Sprintf("alarm over: %d of %d workers fail their probes", failing, serving))
	w.forgive(workers)
}

// forgive forgets bad probes that say nothing of a worker.
func (w *Ward) forgive(workers []Worker) {
	for i := range workers {
		w.patients[workers[i].Name].bad, workers[i].BadRow = 0, 0
	}
}

// doubtBeats: if all workers fall silent together, nobody may have listened. They
// stay in service, such as it is, and one at a time is ended, the one longest
// silent; if its successor proves itself then the others are dead in earnest.
func (w *Ward) doubtBeats(hush bool, serving int, workers []Worker) {
	if hush == w.guard.hush {
		return
	}
	w.guard.hush, w.guard.endedAt = hush, time.Time{}
	if hush {
		w.tell(fmt.Sprintf("alarm: all %d workers fell silent together", serving))
		return
	}
	w.tell("alarm over: workers are heard again")
	w.forgive(workers)
}

// turn reports whether this silent worker is the next to be ended under a hush.
func (g *guard) turn(now time.Time, one *Worker, workers []Worker, pause time.Duration) bool {
	if now.Sub(g.endedAt) < pause {
		return false
	}
	for _, other := range workers {
		if other.Standing != Leaving && other.BeatAge > one.BeatAge {
			return false
		}
	}
	g.endedAt = now
	return true
}

// Alarm reports whether the ward mistrusts what it sees at the moment.
func (w *Ward) Alarm() bool { return w.guard.alarm || w.guard.hush }
