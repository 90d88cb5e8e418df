package health

import "time"

// Policy holds the thresholds. Its zero value is not useful; DefaultPolicy is that
// of the design.
type Policy struct {
	Interval time.Duration // between probes of a worker in good standing, ±20 %
	Hurry    time.Duration // between probes while in doubt
	Timeout  time.Duration // of one probe
	Fall     int           // bad probes in a row that make a worker suspect
	Rise     int           // good probes in a row that clear it the first time

	BeatsMissed  time.Duration // no heartbeat for so long: stalled
	BeatsGone    time.Duration // for so long: killed
	DoubtTime    time.Duration // a suspect that is not cleared in this time is killed
	OverstayMany int           // runs that do not end when told to: the engine hangs; 0 = never
	OverstayTime time.Duration // for so long, so that one slow moment is none
	FailuresMany int           // lost or refused runs in a row that call for a probe; 0 = never

	FlapMany   int           // falls within FlapMemory after which a worker is replaced; 0 = never
	FlapMemory time.Duration // how long a fall is held against a worker

	MinimumReady int           // workers that planned steps leave in service; see MinimumReady
	MinimumLife  time.Duration // no replacement for wear before, but for memory
	MaximumAge   time.Duration // replaced when older, a tenth more or less; 0 = never
	Lapse        time.Duration // a longer pause between two rounds is our own fault

	MemorySoft     uint64 // bytes of RSS; above, replaced; 0 = no limit
	MemoryHard     uint64 // bytes; the kernel ends it there
	GoroutinesSoft int    // beside one for each run; above, replaced; 0 = no limit
	FdsSoft        int    // open descriptors; above, replaced; 0 = no limit

	LeakWarning time.Duration // a heap that at its present pace is full so soon cannot wait
	LeakHorizon time.Duration // steady growth that reaches a limit within this is a leak
}

// DefaultPolicy is that of DESIGN §6.4 and §6.5.
//
// LeakHorizon: with 40 MiB of 256 in use, six hours make a leak of what gains 0.6
// MiB a minute, and such a worker is replaced after a quarter of an hour with 50
// MiB, not after three hours with 150. A wrong verdict costs one start of a
// process and no call. What is slower is left to the soft limit. FdsSoft is three
// quarters of what a worker may open; 5000 goroutines are twenty times its runs.
func DefaultPolicy() Policy {
	return Policy{
		Interval: 10 * time.Second, Hurry: time.Second, Timeout: 2 * time.Second, Fall: 3, Rise: 2,
		BeatsMissed: 3 * time.Second, BeatsGone: 10 * time.Second, DoubtTime: 10 * time.Second,
		OverstayMany: 1, OverstayTime: time.Second, FailuresMany: 5,
		FlapMany: 4, FlapMemory: 10 * time.Minute,
		MinimumReady: 1, MinimumLife: time.Minute, Lapse: time.Second,
		MemorySoft: 150 << 20, MemoryHard: 256 << 20, GoroutinesSoft: 5000, FdsSoft: 48,
		LeakWarning: time.Minute, LeakHorizon: 6 * time.Hour,
	}
}

// MinimumReady is how many of so many slots planned steps leave in service: half
// of them rounded up, and at least one.
func MinimumReady(slots int) int { return max(1, (slots+1)/2) }
