package health

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestStalledIsTrustedByNewProbes: a worker that was silent for a while is probed
// at once when it beats again, and two good probes bring it back; those from before
// do not.
func TestStalledIsTrustedByNewProbes(t *testing.T) {
	watch(t, 3, func(t *testing.T, _ *Monitor, w *crew) {
		w.pass(time.Minute)
		silent := w.workers[0]
		silent.lastBeat, silent.hangs = time.Now(), true
		w.until(t, func() bool { return silent.standing == Doubtful })
		w.pass(time.Second)
		silent.lastBeat, silent.hangs = time.Time{}, false
		before := len(silent.probes)
		w.until(t, func() bool { return silent.standing == Good })
		if n := len(silent.probes) - before; n != 2 {
			t.Errorf("trusted after %d new probes: %v", n, w.verdicts)
		}
		if doubt := w.when(t, "w1", Trust) - w.when(t, "w1", Stall); doubt > 5*time.Second {
			t.Errorf("in doubt for %v", doubt)
		}
		if got := w.of("w1"); !reflect.DeepEqual(got, []Verdict{Stall, Trust}) {
			t.Errorf("verdicts: %v", got)
		}
	})
}

// TestAlarmLeavesNoGrudge: the bad probes of an alarm are no reason to doubt or end
// a worker when it is over.
func TestAlarmLeavesNoGrudge(t *testing.T) {
	watch(t, 5, func(t *testing.T, m *Monitor, w *crew) {
		w.pass(30 * time.Second)
		for _, worker := range w.workers {
			worker.sick = errSick
		}
		w.until(t, m.Alarm)
		w.pass(time.Minute)
		for _, worker := range w.workers {
			worker.sick = nil
		}
		recovery := time.Since(w.begun)
		w.pass(time.Minute)
		for _, c := range w.verdicts {
			if c.at > recovery && c.verdict != Trust {
				t.Errorf("all are well again: %v", c)
			}
		}
	})
}

// TestLateResultIsForgotten: a probe that ends after its worker has gone leaves
// nothing behind.
func TestLateResultIsForgotten(t *testing.T) {
	watch(t, 2, func(t *testing.T, m *Monitor, w *crew) {
		w.workers[1].hangs = true
		w.pass(time.Second)
		w.workers[1].enter(Leaving)
		w.pass(5 * time.Second)
		if last, ok := m.Last("w2"); ok {
			t.Errorf("of a worker that has gone: %+v", last)
		}
	})
}

// TestEventsAreTold before they are carried out, with what was judged, and of the
// monitor itself when its alarm begins and ends.
func TestEventsAreTold(t *testing.T) {
	var told []string
	tell := func(worker string, v Verdict, reason string, o Observation) {
		told = append(told, fmt.Sprint(worker, " ", v, " ", reason, " after ", o.BadRow))
	}
	watchMonitor(t, &Monitor{Policy: DefaultPolicy(), Event: tell}, 3, func(t *testing.T, m *Monitor, w *crew) {
		w.pass(30 * time.Second)
		w.workers[1].sick = errSick
		w.until(t, func() bool { return w.workers[1].standing == Doubtful })
		for _, worker := range w.workers {
			worker.sick = errSick
		}
		w.until(t, m.Alarm)
		for _, worker := range w.workers {
			worker.sick = nil
		}
		w.pass(5 * time.Second)
		want := []string{
			"w2 suspect probes: 3 bad in a row, the last: answered 500, not 420 after 3",
			" keep alarm: 2 of 3 workers fail their probes together after 0",
			" keep alarm over: 1 of 3 workers fail their probes after 0",
			"w2 trust probes: 2 good in a row, 2 needed after 0",
		}
		if !reflect.DeepEqual(told, want) {
			t.Errorf("told:\n%s", strings.Join(told, "\n"))
		}
	})
}
