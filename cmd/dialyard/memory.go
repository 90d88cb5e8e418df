package main

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	frontGOGC  = 200 // most of the front's heap is open transactions, small and short-lived
	quietEvery = 10 * time.Second
	quietRate  = 100 // messages a second below which the front is quiet
	quietOpen  = 100 // open transactions below which nothing of the busy time is left
)

// giveBackMemory sets the collector's goal and returns to the system what a busy time left behind,
// once that is over: without it, a front that is idle collects its garbage every two minutes at
// the earliest.
func (f *front) giveBackMemory(ctx context.Context) {
	debug.SetGCPercent(frontGOGC)
	ticker := time.NewTicker(quietEvery)
	defer ticker.Stop()
	busy := false
	last := f.dispatcher.Edge.Stats.Received.Load()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := f.dispatcher.Edge.Stats.Received.Load()
		quiet := now-last < quietRate*uint64(quietEvery/time.Second)
		_, _, transactions := f.dispatcher.Stats.Now()
		if quiet && busy && transactions < quietOpen {
			debug.FreeOSMemory()
			busy = false
		}
		busy = busy || !quiet
		last = now
	}
}
