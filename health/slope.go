package health

import (
	"slices"
	"time"
)

// slopeWindow is how many samples a slope is taken from, one a second; fewer than
// slopeLeast tell nothing.
const (
	slopeWindow = 40
	slopeLeast  = 20
)

// A sample is a size at a time.
type sample struct {
	at    time.Time
	bytes uint64
}

// A history is the recent live heap of one worker. The zero value is empty.
type history struct{ samples []sample }

func (h *history) add(at time.Time, bytes uint64) {
	if len(h.samples) == slopeWindow {
		h.samples = append(h.samples[:0], h.samples[1:]...)
	}
	h.samples = append(h.samples, sample{at, bytes})
}

// slope is the growth, in bytes per second, that three fifths of all pairs of
// samples show: the Theil–Sen estimate, taken a little below the median. A jump in
// the middle of the window lifts up to 53 % of the pairs and is not to look like a
// leak. A collection's saw-tooth is not in the samples, which are of the live heap.
// It is 0 for one that does not grow.
func (h *history) slope() float64 {
	if len(h.samples) < slopeLeast {
		return 0
	}
	slopes, rising := make([]float64, 0, len(h.samples)*(len(h.samples)-1)/2), 0
	for i, a := range h.samples {
		for _, b := range h.samples[i+1:] {
			if dt := b.at.Sub(a.at).Seconds(); dt > 0 {
				slopes = append(slopes, (float64(b.bytes)-float64(a.bytes))/dt)
				if b.bytes > a.bytes {
					rising++
				}
			}
		}
	}
	if len(slopes)-rising > len(slopes)*2/5 {
		return 0 // no need to sort: most workers come out here
	}
	if rising == 0 {
		return 0
	}
	slices.Sort(slopes)
	return slopes[len(slopes)*2/5]
}
