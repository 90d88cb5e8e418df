package main

import (
	"context"
	"slices"
	"time"
)

// The figures that are promised.
const (
	figureExit     = "exit seen"
	figureStrength = "full strength after a crash"
	figureSilent   = "stopped: no new calls"
	figureGone     = "stopped: gone"
	figureHang     = "stuck engine ended"
)

// promised is what the median of each figure may be, and what the worst: other things go wrong at the same
// time, and a machine that is short of CPU time is slow to see anything. Heartbeats are looked at ten times a
// second, which comes on top.
var promised = []struct {
	what         string
	limit, worst time.Duration
}{
	{figureExit, 100 * time.Millisecond, time.Second},
	{figureStrength, 2 * time.Second, 6 * time.Second},
	{figureSilent, 3200 * time.Millisecond, 9 * time.Second},
	{figureGone, 15 * time.Second, 45 * time.Second},
	{figureHang, 20 * time.Second, time.Minute},
}

const (
	lookEvery = 5 * time.Millisecond
	longest   = time.Minute // that anything is waited for
)

// await looks until something is so. It is false if it never is.
func (t *trouble) await(ctx context.Context, within time.Duration, so func() bool) bool {
	for deadline := time.Now().Add(within); !so(); time.Sleep(lookEvery) {
		if ctx.Err() != nil || time.Now().After(deadline) || !t.server.alive() {
			return false
		}
	}
	return true
}

// until waits for something to be true of the workers. What never becomes true counts as the longest.
func (t *trouble) until(ctx context.Context, so func([]worker) bool) bool {
	t.await(ctx, longest, func() bool {
		list, err := t.server.workers()
		return err == nil && so(list)
	})
	return ctx.Err() == nil
}

// serves reports whether a worker takes calls.
func serves(list []worker, w worker) bool {
	return slices.ContainsFunc(ready(list), func(other worker) bool { return other.name() == w.name() })
}

// refilled waits for a successor of a worker to take calls.
func (t *trouble) refilled(ctx context.Context, old worker) bool {
	return t.until(ctx, func(list []worker) bool {
		return slices.ContainsFunc(ready(list), func(w worker) bool { return w.ID == old.ID && w.Generation > old.Generation })
	})
}

// median is the middle of some durations, and longestOf the largest; 0 of none.
func median(ds []time.Duration) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(ds))[len(ds)/2]
}

func longestOf(ds []time.Duration) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	return slices.Max(ds)
}
