package load

import (
	"math"
	"time"
)

// schedule is the plan of a run: which call is due when. Instants count from the start of the run.
type schedule struct {
	rate  float64 // calls per second
	calls uint32  // calls in the whole run
}

// newSchedule plans for the rate, in calls per second, over the duration; at least one call.
func newSchedule(rate float64, duration time.Duration) schedule {
	return schedule{rate: rate, calls: uint32(max(1, math.Round(rate*duration.Seconds())))}
}

// at is the instant when the call is due.
func (s schedule) at(call uint32) time.Duration {
	return time.Duration(float64(call) / s.rate * float64(time.Second))
}

// due is how many calls should have started by now: those with numbers below it.
func (s schedule) due(now time.Duration) uint32 {
	if now < 0 {
		return 0
	}
	return uint32(min(float64(s.calls), math.Floor(now.Seconds()*s.rate)+1))
}

// span is how many calls, rounded up, become due within d.
func (s schedule) span(d time.Duration) int {
	return int(math.Ceil(d.Seconds() * s.rate))
}
