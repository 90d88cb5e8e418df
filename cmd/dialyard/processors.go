package main

import (
	"context"
	"runtime"
	"syscall"
	"time"
)

// While one processor does all the work, Go's scheduler is kept from using more: with
// some idle, each goroutine that becomes ready wakes a thread to look for work, which at
// 2,000 dialled calls a second is a fifth of all CPU time.
const (
	lookAtLoad  = 20 * time.Millisecond
	oneIsBusy   = 0.85 // seconds of CPU per second, over the last few looks; above it,
	busyMemory  = 60 * time.Millisecond
	oneIsEnough = 0.6 // over a longer time; below it for so long,
	calmMemory  = 500 * time.Millisecond
	calmTime    = 2 * time.Second
)

// A demand tells how many processors to use. The zero value has seen nothing.
type demand struct {
	lately, longer float64 // seconds of CPU per second, averages that forget
	last           time.Time
	calmSince      time.Time
}

// processors is how many of most there should be, given the seconds of CPU per second
// that were used since the last time and how many there are.
func (d *demand) processors(now time.Time, used float64, current, most int) int {
	since := now.Sub(d.last)
	d.last = now
	d.lately += (used - d.lately) * min(1, float64(since)/float64(busyMemory))
	d.longer += (used - d.longer) * min(1, float64(since)/float64(calmMemory))
	if d.longer >= oneIsEnough {
		d.calmSince = time.Time{}
	} else if d.calmSince.IsZero() {
		d.calmSince = now
	}
	switch {
	case current == 1 && d.lately > oneIsBusy:
		d.calmSince = time.Time{}
		return most
	case current > 1 && !d.calmSince.IsZero() && now.Sub(d.calmSince) >= calmTime:
		return 1
	}
	return current
}

// fitProcessors uses as many processors as the load wants, until ctx ends.
func (f *front) fitProcessors(ctx context.Context) {
	most := runtime.GOMAXPROCS(0)
	if most == 1 {
		return
	}
	defer runtime.GOMAXPROCS(most)
	ticker := time.NewTicker(lookAtLoad)
	defer ticker.Stop()
	d := demand{last: time.Now()}
	current, last, spent := most, time.Now(), cpuTime()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, cpu := time.Now(), cpuTime()
		used := float64(cpu-spent) / float64(now.Sub(last))
		last, spent = now, cpu
		if want := d.processors(now, used, current, most); want != current {
			current = want
			runtime.GOMAXPROCS(want)
		}
	}
}

// cpuTime is what this process has used, its workers aside.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
