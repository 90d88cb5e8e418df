package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// drain ends the server as a proxy in front of it likes it best: it says that it is not
// ready and waits until that has been noticed, then refuses new calls, lets those under
// way end, and returns. Answered calls lie in the store for the next process. A second
// signal ends it at once.
func (f *front) drain(signals <-chan os.Signal) error {
	cfg := f.config.Load().Drain
	systemd.say("STOPPING=1", "STATUS=drains")
	f.log.Info("draining", "wait", cfg.Wait.String(), "time", cfg.Time.String())
	f.dispatcher.Unready()
	f.pause(cfg.Wait, signals, func() bool { return false })
	f.dispatcher.Drain()
	f.pause(cfg.Time, signals, f.empty)
	if !f.empty() {
		calls, _, _ := f.dispatcher.Stats.Now()
		return fmt.Errorf("%d calls were still under way after %v", calls, cfg.Time)
	}
	return nil
}

// empty reports whether nobody waits for an answer and no script runs.
func (f *front) empty() bool {
	calls, runs, _ := f.dispatcher.Stats.Now()
	return calls+runs == 0
}

// pause waits for so long, or until done. A signal to end does not return from it.
func (f *front) pause(d time.Duration, signals <-chan os.Signal, done func() bool) {
	deadline := time.After(d)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ticker.C:
		case <-deadline:
			return
		case s := <-signals:
			if s == syscall.SIGTERM || s == syscall.SIGINT {
				f.endAtOnce()
			}
		}
	}
}

// endAtOnce leaves everybody who waits with 503, and no time for anything else. The
// workers die with this process.
func (f *front) endAtOnce() {
	calls, _, _ := f.dispatcher.Stats.Now()
	f.log.Warn("stopped at once", "calls", calls)
	f.dispatcher.Close()
	f.records.Close()
	f.calls.Close()
	f.journal.Close("at once, by a second signal")
	flushLog(f.log)
	os.Exit(1)
}
