package main

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// How late the kernel may wake a thread that sleeps, so that wake-ups can be shared
// (prctl(2), PR_SET_TIMERSLACK), in nanoseconds. Go's monitor thread looks after the
// others every 20 µs while anything runs, which is most of the time in a process that
// wakes for each call, and costs a tenth of its CPU time; with this slack it comes round
// every 0.3 ms. No deadline of a call needs to be kept better than that.
const (
	usualSlack  = 50_000
	wantedSlack = 300_000
)

// loosenedBefore is set in the environment of the program that loosenTimers starts.
const loosenedBefore = "DIALYARD_TIMERS_LOOSENED"

// loosenTimers gives this process, and those it will start, their timer slack. A thread
// has that of the one which created it, and the monitor is created before any code of
// ours: so the program is started once more, in the same process. It does not return
// then. Where the slack is another than usual, somebody has chosen it, and it stays.
func loosenTimers() {
	if os.Getenv(loosenedBefore) != "" {
		os.Unsetenv(loosenedBefore)
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || slack != usualSlack {
		return
	}
	self, err := os.Executable()
	if err != nil || unix.Prctl(unix.PR_SET_TIMERSLACK, wantedSlack, 0, 0, 0) != nil {
		return
	}
	syscall.Exec(self, os.Args, append(os.Environ(), loosenedBefore+"=1"))
	unix.Prctl(unix.PR_SET_TIMERSLACK, usualSlack, 0, 0, 0) // it cannot be started, so all stays as it was
}
