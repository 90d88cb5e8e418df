package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"
)

// processStart is what the times of the last proof are counted from.
var processStart = time.Now()

const (
	// turnPatience is how long a shard may take to carry out a task.
	turnPatience = time.Second
	// forlornTime is how long a front may be without any ready worker before it is to
	// be restarted: it still answers 503, and ends calls that are answered; its pool
	// tries to start workers every 30 s at least.
	forlornTime = 2 * time.Minute
)

// vigour is what the watchdog knows of the front.
type vigour struct {
	turning  bool          // every shard takes events
	unproven time.Duration // since the last good probe through the whole path, or the start
	patience time.Duration // within which there is one if all is well
	ready    int           // workers
}

// lacks is why the front is to be restarted; empty if it is not.
//
// No probe has succeeded though workers are ready: something between the socket and them
// is broken, and new calls most likely fare the same. No worker is ready: the pool is
// replacing them, and does that as well as a new process could, for a while.
func (v vigour) lacks() string {
	switch {
	case !v.turning:
		return "a shard stands still"
	case v.unproven <= v.patience:
		return ""
	case v.ready == 0 && v.unproven <= v.patience+forlornTime:
		return ""
	}
	return fmt.Sprintf("no probe call has succeeded for %v, with %d workers ready", v.unproven.Round(time.Second), v.ready)
}

// provenWithin is when the next good probe is due at the latest: a probe comes an
// interval and a fifth after the last, and one may be lost.
func provenWithin(interval, timeout time.Duration) time.Duration {
	return 12*interval/5 + timeout
}

// feedWatchdog tells systemd that the front works, as often as it wants to hear it and
// as long as it is true.
func (f *front) feedWatchdog(ctx context.Context) {
	every := watchdogInterval(os.Getenv)
	if every == 0 || !systemd.on() {
		return
	}
	cfg := f.started.Health
	begun := time.Since(processStart)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		v := vigour{turning: f.dispatcher.Turning(turnPatience), patience: provenWithin(cfg.Interval, cfg.Timeout), ready: f.pool.Ready()}
		v.unproven = time.Since(processStart) - max(begun, time.Duration(f.proven.Load()))
		if why := v.lacks(); why == "" {
			systemd.say("WATCHDOG=1")
		} else {
			f.log.Error("the watchdog is not fed", "reason", why)
			systemd.status("is to be restarted: %s", why)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// watchdogInterval is half of what systemd allows, 0 if it does not watch this process
// (sd_watchdog_enabled(3)).
func watchdogInterval(env func(string) string) time.Duration {
	if pid := env("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	usec, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64)
	if err != nil || usec <= 0 {
		return 0
	}
	return time.Duration(usec) * time.Microsecond / 2
}
