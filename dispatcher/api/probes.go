package api

import (
	"sync/atomic"
	"time"
)

// probeBounds are the upper bounds of ProbeTimes.
var probeBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
}

// ProbeTimes counts the monitor's probe calls by how long they took. Its zero value
// has none. Safe for concurrent use; it must not be copied.
type ProbeTimes struct{ good, bad times }

type times struct {
	counts [len(probeBounds) + 1]atomic.Uint64 // the last without bound
	sum    atomic.Uint64                       // nanoseconds
}

// Observe counts one probe.
func (p *ProbeTimes) Observe(took time.Duration, good bool) {
	t := &p.bad
	if good {
		t = &p.good
	}
	i := 0
	for i < len(probeBounds) && took > probeBounds[i] {
		i++
	}
	t.counts[i].Add(1)
	t.sum.Add(uint64(max(0, took)))
}

// histogram is the counts as Prometheus wants them: cumulative, by seconds.
func (t *times) histogram() (count uint64, seconds float64, buckets map[float64]uint64) {
	buckets = map[float64]uint64{}
	for i, bound := range probeBounds {
		count += t.counts[i].Load()
		buckets[bound.Seconds()] = count
	}
	count += t.counts[len(probeBounds)].Load()
	return count, time.Duration(t.sum.Load()).Seconds(), buckets
}
