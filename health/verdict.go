package health

import (
	"fmt"
	"time"
)

// Verdict is what the monitor concludes of a worker.
type Verdict uint8

// The verdicts, from mild to harsh.
const (
	Keep    Verdict = iota
	Trust           // its probes are good (again): it may take calls
	Doubt           // no new calls until its probes are good again
	Stall           // it does not answer at all: its runs go elsewhere
	Recycle         // replace it without haste
	Kill            // end it now
)

func (v Verdict) String() string {
	return [...]string{"keep", "trust", "suspect", "stall", "recycle", "kill"}[v]
}

// Policy holds the thresholds. Its zero value is not useful; DefaultPolicy is that
// of the design.
type Policy struct {
	Interval time.Duration // between probes of a worker in good standing, ±20 %
	Hurry    time.Duration // between probes while in doubt
	Timeout  time.Duration // of one probe
	Fall     int           // bad probes in a row that make a worker suspect
	Rise     int           // good probes in a row that clear it

	BeatsMissed  time.Duration // no heartbeat for so long: stalled
	BeatsGone    time.Duration // for so long: killed
	DoubtTime    time.Duration // a suspect that is not cleared in this time is replaced
	MemorySoft   uint64        // bytes of RSS; above, replaced
	MemoryHard   uint64        // bytes; the kernel ends it there
	LeakWarning  time.Duration // a slope that reaches MemoryHard within this is a leak
	OverstayMany int           // runs that do not end when told to: the engine hangs
	MinimumLife  time.Duration // no replacement for a leak or for age before
	MaximumAge   time.Duration // replaced when older; 0 = never
}

// DefaultPolicy is that of DESIGN §6.4 and §6.5.
func DefaultPolicy() Policy {
	return Policy{
		Interval: 10 * time.Second, Hurry: time.Second, Timeout: 2 * time.Second, Fall: 3, Rise: 2,
		BeatsMissed: 3 * time.Second, BeatsGone: 10 * time.Second, DoubtTime: 10 * time.Second,
		MemorySoft: 150 << 20, MemoryHard: 256 << 20, LeakWarning: time.Minute,
		OverstayMany: 1, MinimumLife: time.Minute,
	}
}

// Standing is a worker's state, as far as it matters here.
type Standing uint8

// The standings.
const (
	Unproven Standing = iota // started, takes no calls before a good probe
	Good
	Doubtful
	Leaving // nothing to judge
)

// Observation is all that is known of one worker at one moment.
type Observation struct {
	Standing Standing
	Replaced bool          // a successor is on its way already
	Age      time.Duration // since the start
	InState  time.Duration // since the standing changed
	BeatAge  time.Duration // since the last heartbeat
	GoodRow  int           // good probes in a row
	BadRow   int           // bad ones
	RSS      uint64        // bytes
	Slope    float64       // bytes of live heap per second, robust
	Heap     uint64        // bytes, live
	Overstay int           // runs that were told to end a second ago and have not
	Jitter   float64       // -1 to 1, the worker's own, so that not all age together
}

// Judge says what to do with a worker and why. It is pure.
func (p *Policy) Judge(o Observation) (Verdict, string) {
	if o.Standing == Leaving {
		return Keep, ""
	}
	if v, why := p.judgeBeats(o); v != Keep {
		return v, why
	}
	switch {
	case o.Overstay >= p.OverstayMany && p.OverstayMany > 0 && o.Standing != Unproven:
		return Kill, fmt.Sprintf("hang: %d runs do not end", o.Overstay)
	case o.Standing == Unproven && o.GoodRow >= 1:
		return Trust, "good probe"
	case o.Standing == Unproven:
		return Keep, ""
	case o.Standing == Doubtful && o.GoodRow >= p.Rise && o.BeatAge < p.BeatsMissed:
		return Trust, fmt.Sprintf("%d good probes", o.GoodRow)
	case o.Standing == Doubtful && o.InState >= p.DoubtTime && o.BadRow > 0:
		return Kill, fmt.Sprintf("hang: in doubt for %v", o.InState.Round(time.Second))
	case o.Standing == Good && o.BadRow >= p.Fall:
		return Doubt, fmt.Sprintf("%d bad probes", o.BadRow)
	}
	return p.judgeWear(o)
}

func (p *Policy) judgeBeats(o Observation) (Verdict, string) {
	silence := fmt.Sprintf("no heartbeat for %v", o.BeatAge.Round(100*time.Millisecond))
	switch {
	case o.BeatAge >= p.BeatsGone:
		return Kill, "hang: " + silence
	case o.BeatAge >= p.BeatsMissed && o.Standing == Good:
		return Stall, silence
	}
	return Keep, ""
}

// judgeWear looks for what calls for a successor: memory and age.
func (p *Policy) judgeWear(o Observation) (Verdict, string) {
	if o.Replaced || o.Standing != Good {
		return Keep, ""
	}
	soft := p.MemorySoft - uint64(float64(p.MemorySoft)*0.05*(1+o.Jitter)/2)
	if p.MemorySoft > 0 && o.RSS >= soft {
		return Recycle, fmt.Sprintf("memory: rss %d bytes, heap %d bytes, soft limit %d", o.RSS, o.Heap, p.MemorySoft)
	}
	if o.Age < p.MinimumLife {
		return Keep, ""
	}
	if left := float64(p.MemoryHard) - float64(o.RSS); o.Slope > 0 && left/o.Slope < p.LeakWarning.Seconds() {
		return Recycle, fmt.Sprintf("leak: heap %d bytes grows by %.0f bytes/s", o.Heap, o.Slope)
	}
	if limit := p.MaximumAge + time.Duration(float64(p.MaximumAge)*0.1*o.Jitter); p.MaximumAge > 0 && o.Age >= limit {
		return Recycle, fmt.Sprintf("age %v", o.Age.Round(time.Second))
	}
	return Keep, ""
}
