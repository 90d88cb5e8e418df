package health

import (
	"context"
	"log/slog"
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// TestFirstProbeMakesTrust: a new worker waits for a look and a probe, no longer.
func TestFirstProbeMakesTrust(t *testing.T) {
	watch(t, 1, func(t *testing.T, m *Monitor, w *crew) {
		w.pass(5 * time.Second)
		late := w.admit(Unproven)
		w.pass(2 * lookEvery)
		if late.standing != Good {
			t.Errorf("not trusted after %v: %v", 2*lookEvery, w.verdicts)
		}
		if last, ok := m.Last(late.name); !ok || !last.OK || last.Error != "" {
			t.Errorf("its last probe is %+v, %v", last, ok)
		}
	})
}

// TestUnprovenIsProbedUntilGood: at first a second apart.
func TestUnprovenIsProbedUntilGood(t *testing.T) {
	watch(t, 1, func(t *testing.T, _ *Monitor, w *crew) {
		late := w.admit(Unproven)
		late.sick = errSick
		w.pass(3500 * time.Millisecond)
		late.sick = nil
		w.pass(time.Second)
		if len(late.probes) != 5 || late.standing != Good {
			t.Errorf("probed at %v, verdicts %v", late.probes, w.verdicts)
		}
	})
}

// TestProbesOfTheHealthy come each ten seconds, a fifth more or less.
func TestProbesOfTheHealthy(t *testing.T) {
	watch(t, 3, func(t *testing.T, _ *Monitor, w *crew) {
		w.pass(10 * time.Minute)
		for _, worker := range w.workers {
			for i := 2; i < len(worker.probes); i++ { // the first two, to be sure, are close
				if gap := worker.probes[i] - worker.probes[i-1]; gap < 8*time.Second || gap > 12*time.Second+2*lookEvery {
					t.Errorf("%s was probed after %v", worker.name, gap)
				}
			}
			if n := len(worker.probes); n < 50 || n > 75 {
				t.Errorf("%s was probed %d times in ten minutes", worker.name, n)
			}
		}
		if len(w.verdicts) > 0 {
			t.Errorf("verdicts on the healthy: %v", w.verdicts)
		}
	})
}

// TestBadProbesMakeDoubt: three of them, in haste; two good ones end it.
func TestBadProbesMakeDoubt(t *testing.T) {
	watch(t, 3, func(t *testing.T, m *Monitor, w *crew) {
		w.pass(30 * time.Second)
		sick := w.workers[1]
		sick.sick = errSick
		w.until(t, func() bool { return sick.standing == Doubtful })
		if last, _ := m.Last("w2"); last.OK || last.Error != errSick.Error() {
			t.Errorf("its last probe is %+v", last)
		}
		bad := sick.probes[len(sick.probes)-3:]
		if haste := bad[2] - bad[0]; haste > 2*time.Second+3*lookEvery {
			t.Errorf("the bad probes came at %v", bad)
		}
		sick.sick = nil
		w.pass(2*time.Second + 3*lookEvery)
		if got := w.of("w2"); !reflect.DeepEqual(got, []Verdict{Doubt, Trust}) {
			t.Errorf("after two good probes: %v", w.verdicts)
		}
		if len(w.verdicts) != 2 {
			t.Errorf("others were judged too: %v", w.verdicts)
		}
	})
}

// TestOneBadProbeIsNothing: the row begins again with each good one.
func TestOneBadProbeIsNothing(t *testing.T) {
	watch(t, 3, func(t *testing.T, _ *Monitor, w *crew) {
		for range 10 {
			w.workers[0].sick = errSick
			n := len(w.workers[0].probes)
			w.until(t, func() bool { return len(w.workers[0].probes) == n+2 })
			w.workers[0].sick = nil
			w.pass(5 * time.Second)
		}
		if len(w.verdicts) > 0 {
			t.Errorf("two bad probes at a time: %v", w.verdicts)
		}
	})
}

// TestSicknessEndsInDeath: ten seconds in doubt are enough.
func TestSicknessEndsInDeath(t *testing.T) {
	watch(t, 3, func(t *testing.T, _ *Monitor, w *crew) {
		w.workers[2].sick = errSick
		w.pass(30 * time.Second)
		if got := w.of("w3"); !reflect.DeepEqual(got, []Verdict{Doubt, Kill}) {
			t.Fatalf("on the sick one: %v", w.verdicts)
		}
		if doubt := w.when(t, "w3", Kill) - w.when(t, "w3", Doubt); doubt < 10*time.Second || doubt > 11*time.Second {
			t.Errorf("it was in doubt for %v", doubt)
		}
		if w.find("w4").standing != Good {
			t.Errorf("its successor: %v", w.verdicts)
		}
	})
}

// TestHangingProbe: it ends at its timeout, counts as bad, and keeps nobody else
// waiting.
func TestHangingProbe(t *testing.T) {
	watch(t, 3, func(t *testing.T, m *Monitor, w *crew) {
		w.workers[0].hangs = true
		w.pass(lookEvery + 50*time.Millisecond)
		late := w.admit(Unproven)
		w.pass(2 * lookEvery)
		if late.standing != Good {
			t.Errorf("a new worker waits while a probe hangs: %v", w.verdicts)
		}
		if n := len(w.workers[0].probes); n != 1 {
			t.Errorf("%d probes at once of one worker", n)
		}
		w.pass(2 * time.Second)
		if last, _ := m.Last("w1"); last.OK || last.Seconds != 2 {
			t.Errorf("the hanging probe came to %+v", last)
		}
		w.pass(5 * time.Second)
		if got := w.of("w1"); !reflect.DeepEqual(got, []Verdict{Doubt}) {
			t.Errorf("after three of them: %v", w.verdicts)
		}
	})
}

// TestOneRecycleAtATime: all have grown over the limit; each is replaced when the
// one before has its successor.
func TestOneRecycleAtATime(t *testing.T) {
	watch(t, 4, func(t *testing.T, _ *Monitor, w *crew) {
		w.pass(5 * time.Second)
		for _, worker := range w.workers {
			worker.rss = 200 * mib
		}
		under := 0
		for range 200 {
			w.pass(lookEvery)
			replacing, good := 0, 0
			for _, worker := range w.workers {
				if worker.replaced {
					replacing++
				}
				if worker.standing == Good {
					good++
				}
			}
			if replacing > 1 || good < 4 {
				t.Fatalf("%d are replaced at once, %d serve: %v", replacing, good, w.verdicts)
			}
			under += replacing
		}
		for _, name := range []string{"w1", "w2", "w3", "w4"} {
			if got := w.of(name); !reflect.DeepEqual(got, []Verdict{Recycle}) {
				t.Errorf("on %s: %v", name, got)
			}
		}
		if under == 0 {
			t.Error("no replacement was seen under way")
		}
	})
}

// TestLeak: a heap that grows steadily calls for a successor before the limit.
func TestLeak(t *testing.T) {
	watch(t, 2, func(t *testing.T, _ *Monitor, w *crew) {
		leaking := w.workers[1]
		for range 60 {
			leaking.heap += mib
			leaking.rss += mib
			w.pass(time.Second)
		}
		if got := w.of("w2"); len(got) > 0 {
			t.Fatalf("3 minutes before the limit: %v", w.verdicts)
		}
		for len(w.of("w2")) == 0 && leaking.rss < 250*mib {
			leaking.heap += 2 * mib
			leaking.rss += 2 * mib
			w.pass(time.Second)
		}
		if got := w.of("w2"); !reflect.DeepEqual(got, []Verdict{Recycle}) || leaking.rss > 150*mib {
			t.Errorf("at %d MiB: %v", leaking.rss/mib, w.verdicts)
		}
	})
}

// TestMissedBeats: out of service after three seconds, ended after ten, and not
// taken back in between because of probes that were good before.
func TestMissedBeats(t *testing.T) {
	watch(t, 2, func(t *testing.T, _ *Monitor, w *crew) {
		w.pass(30 * time.Second)
		stopped, since := w.workers[0], time.Since(w.begun)
		stopped.lastBeat, stopped.hangs = time.Now(), true
		w.pass(12 * time.Second)
		if got := w.of("w1"); !reflect.DeepEqual(got, []Verdict{Stall, Kill}) {
			t.Fatalf("on the stopped one: %v", w.verdicts)
		}
		stall, kill := w.when(t, "w1", Stall)-since, w.when(t, "w1", Kill)-since
		if stall < 3*time.Second || stall > 3*time.Second+lookEvery || kill < 10*time.Second || kill > 10*time.Second+lookEvery {
			t.Errorf("stalled after %v, killed after %v", stall, kill)
		}
		if got := w.of("w2"); len(got) > 0 {
			t.Errorf("the other was judged too: %v", w.verdicts)
		}
	})
}

// TestHangingEngine: runs that do not end when told to, for a second.
func TestHangingEngine(t *testing.T) {
	watch(t, 2, func(t *testing.T, _ *Monitor, w *crew) {
		w.pass(time.Second)
		w.workers[0].overstay = 1
		w.pass(time.Second - lookEvery)
		if got := w.of("w1"); len(got) > 0 {
			t.Errorf("verdicts before a second: %v", w.verdicts)
		}
		w.pass(3 * lookEvery)
		if got := w.of("w1"); !reflect.DeepEqual(got, []Verdict{Kill}) {
			t.Errorf("verdicts: %v", w.verdicts)
		}
	})
}

// TestAllFailTogether: then it is the probe, or what all of them need. The monitor
// says so, doubts and kills nobody, and judges again when it is over.
func TestAllFailTogether(t *testing.T) {
	watch(t, 5, func(t *testing.T, m *Monitor, w *crew) {
		w.pass(30 * time.Second)
		for _, worker := range w.workers {
			worker.sick = errSick
		}
		w.pass(13 * time.Second)
		if !m.Alarm() {
			t.Fatal("no alarm")
		}
		doubted := len(w.verdicts)
		w.pass(5 * time.Minute)
		if len(w.verdicts) > doubted {
			t.Errorf("verdicts under alarm: %v", w.verdicts)
		}
		if serving(w) < 3 {
			t.Errorf("%d of 5 serve: %v", serving(w), w.verdicts)
		}
		for _, worker := range w.workers {
			worker.sick = nil
		}
		w.pass(10 * time.Second)
		if m.Alarm() || serving(w) != 5 || len(w.workers) != 5 {
			t.Errorf("alarm %v, %d serve: %v", m.Alarm(), serving(w), w.verdicts)
		}
	})
}

// TestOneDoubtedBeforeTheOthersFail is not ended while the alarm lasts, however
// long it has been in doubt.
func TestOneDoubtedBeforeTheOthersFail(t *testing.T) {
	patient := DefaultPolicy()
	patient.DoubtTime = 20 * time.Second
	watchBy(t, patient, 2, func(t *testing.T, m *Monitor, w *crew) {
		w.workers[0].sick = errSick
		w.until(t, func() bool { return w.workers[0].standing == Doubtful })
		w.workers[1].sick = errSick
		w.until(t, m.Alarm)
		w.pass(5 * time.Minute)
		if len(w.verdicts) > 1 || !m.Alarm() {
			t.Errorf("alarm %v, verdicts %v", m.Alarm(), w.verdicts)
		}
	})
}

// TestSilentWorkersRaiseNoAlarm: what stopped beating fails its probes for a reason
// of its own, even if most have stopped.
func TestSilentWorkersRaiseNoAlarm(t *testing.T) {
	patient := DefaultPolicy()
	patient.BeatsGone, patient.DoubtTime = time.Hour, time.Hour
	watchBy(t, patient, 3, func(t *testing.T, m *Monitor, w *crew) {
		w.pass(30 * time.Second)
		for _, worker := range w.workers[:2] {
			worker.lastBeat, worker.hangs = time.Now(), true
		}
		w.pass(time.Minute)
		if m.Alarm() || serving(w) != 1 {
			t.Errorf("alarm %v, %d serve: %v", m.Alarm(), serving(w), w.verdicts)
		}
	})
}

func serving(w *crew) (n int) {
	for _, worker := range w.workers {
		if worker.standing == Good {
			n++
		}
	}
	return n
}

// TestMonitorForgets: of a worker that has gone nothing is kept.
func TestMonitorForgets(t *testing.T) {
	watch(t, 2, func(t *testing.T, m *Monitor, w *crew) {
		w.pass(time.Second)
		w.workers = w.workers[:1]
		w.pass(time.Second)
		if _, ok := m.Last("w2"); ok {
			t.Error("the last probe of a worker that has gone is still there")
		}
		if _, ok := m.Last("w1"); !ok {
			t.Error("the last probe of one that is there is not")
		}
	})
}

// TestRunReturns at once when it is told to, probes under way and all.
func TestRunReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newCrew(3)
		for _, worker := range w.workers {
			worker.hangs = true
		}
		m := &Monitor{Policy: DefaultPolicy(), Fleet: w, Probe: w.probe, Log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		m.Run(ctx)
		if took := time.Since(w.begun); took != time.Second || len(w.workers[2].probes) != 1 {
			t.Errorf("Run returned after %v, probes at %v", took, w.workers[2].probes)
		}
	})
}
