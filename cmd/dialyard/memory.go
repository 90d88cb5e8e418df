package main

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	quietEvery = 10 * time.Second
	quietRate  = 100 // messages a second below which the front is quiet
)

// giveBackMemory returns what a busy time left behind to the system, once that is
// over: without it, a front that is idle collects its garbage every two minutes at
// the earliest.
func (f *front) giveBackMemory(ctx context.Context) {
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
		if quiet && busy && transactions == 0 {
			debug.FreeOSMemory()
			busy = false
		}
		busy = busy || !quiet
		last = now
	}
}
