package health

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// heaps is the history of a worker whose heap was measured once a second.
func heaps(seconds int, heap func(second int) float64) *history {
	h := &history{}
	noon := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	for i := range seconds {
		h.add(noon.Add(time.Duration(i)*time.Second), uint64(heap(i)))
	}
	return h
}

const mib = 1 << 20

func TestSlopeOfALeak(t *testing.T) {
	for _, seconds := range []int{slopeLeast, slopeWindow, 5 * slopeWindow} {
		h := heaps(seconds, func(s int) float64 { return 10*mib + float64(s)*mib })
		if got := h.slope(); got != mib {
			t.Errorf("after %d s: %.0f bytes/s, want %d", seconds, got, mib)
		}
	}
}

func TestSlopeOfTooFewSamples(t *testing.T) {
	h := heaps(slopeLeast-1, func(s int) float64 { return float64(s) * mib })
	if got := h.slope(); got != 0 {
		t.Errorf("%.0f bytes/s of %d samples, want 0", got, slopeLeast-1)
	}
}

// TestSlopeForgets: what counts is the last window, not the worker's youth.
func TestSlopeForgets(t *testing.T) {
	h := heaps(3*slopeWindow, func(s int) float64 { return float64(min(s, slopeWindow)) * mib })
	if got := h.slope(); got != 0 || len(h.samples) != slopeWindow {
		t.Errorf("%.0f bytes/s of %d samples, want 0 of %d", got, len(h.samples), slopeWindow)
	}
}

// TestSlopeOfAClockThatStands: samples of one moment have no slope.
func TestSlopeOfAClockThatStands(t *testing.T) {
	h := &history{}
	for i := range slopeWindow {
		h.add(time.Time{}, uint64(i)*mib)
	}
	if got := h.slope(); got != 0 {
		t.Errorf("%.0f bytes/s", got)
	}
}

// TestSlopeOfAJump: one jump, wherever it stands in the window, is no growth. A
// new plan may well take a hundred MiB at once, and keep them.
func TestSlopeOfAJump(t *testing.T) {
	for seconds := slopeLeast; seconds <= slopeWindow; seconds++ {
		for at := range seconds {
			up := heaps(seconds, func(s int) float64 { return step(s >= at, 100*mib) })
			down := heaps(seconds, func(s int) float64 { return step(s < at, 100*mib) })
			if up.slope() > 0 || down.slope() > 0 {
				t.Fatalf("a jump at %d of %d: %.0f up, %.0f down", at, seconds, up.slope(), down.slope())
			}
		}
	}
}

func step(up bool, height float64) float64 {
	if up {
		return 10*mib + height
	}
	return 10 * mib
}

// TestSlopeInNoise adds noise of 4 MiB to heaps that stand still and to heaps
// that leak half a MiB a second, and expects to tell them apart.
func TestSlopeInNoise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		noise := rapid.SliceOfN(rapid.Float64Range(0, 4*mib), slopeWindow, slopeWindow).Draw(t, "noise")
		still := heaps(slopeWindow, func(s int) float64 { return 20*mib + noise[s] })
		leaking := heaps(slopeWindow, func(s int) float64 { return 20*mib + noise[s] + float64(s)*mib/2 })
		if got := still.slope(); math.Abs(got) > mib/4 {
			t.Fatalf("a heap that stands still: %.0f bytes/s", got)
		}
		if got := leaking.slope(); got < mib/4 || got > 3*mib/4 {
			t.Fatalf("a heap that leaks %d: %.0f bytes/s", mib/2, got)
		}
	})
}
