package health

import (
	"fmt"
	"time"
)

// judgeWear looks for what calls for a successor: limits, leaks, flapping and age.
func (p *Policy) judgeWear(o Observation) (Verdict, string) {
	if o.Replaced || o.Standing != Good {
		return Keep, ""
	}
	for _, look := range []func(Observation) string{p.overMemory, p.overLimit, p.leaks, p.flaps, p.aged} {
		if why := look(o); why != "" {
			return Recycle, why
		}
	}
	return Keep, ""
}

// overMemory finds a worker above its soft limit: up to 5 % below, by its jitter.
// It holds for the young too: one that fills up within its minimum life cannot wait
// for the end of it, as above the limit it begins to end runs.
func (p *Policy) overMemory(o Observation) string {
	if p.MemorySoft == 0 {
		return ""
	}
	limit := p.MemorySoft - uint64(float64(p.MemorySoft)*0.05*(1+o.Jitter)/2)
	if o.RSS < limit {
		return ""
	}
	return fmt.Sprintf("memory: rss %s, live heap %s, soft limit %s", size(o.RSS), size(o.Heap), size(p.MemorySoft))
}

func (p *Policy) overLimit(o Observation) string {
	surplus := o.used(Goroutines)
	switch {
	case o.Age < p.MinimumLife:
		return ""
	case p.GoroutinesSoft > 0 && surplus >= float64(p.GoroutinesSoft):
		return fmt.Sprintf("goroutines: %d with %d runs, soft limit %d and one a run", o.Goroutines, o.Runs, p.GoroutinesSoft)
	case p.FdsSoft > 0 && o.Fds >= p.FdsSoft:
		return fmt.Sprintf("fds: %d open, soft limit %d", o.Fds, p.FdsSoft)
	}
	return ""
}

// leaks finds growth that ends at a limit: a heap about to be full at its present
// pace, or anything that has grown steadily for long enough to be believed.
func (p *Policy) leaks(o Observation) string {
	if o.Age < p.MinimumLife {
		return ""
	}
	if left := float64(p.MemoryHard) - float64(o.RSS); o.Slope > 0 && left/o.Slope < p.LeakWarning.Seconds() {
		return fmt.Sprintf("leak: live heap %s grows by %s/s, rss %s of %s", size(o.Heap), size(uint64(o.Slope)), size(o.RSS), size(p.MemoryHard))
	}
	for m, g := range o.Growth {
		limit := p.limit(Measure(m))
		left := (limit - o.used(Measure(m))) / max(g.Rate, 1e-9)
		if g.Rate > 0 && limit > 0 && left < p.LeakHorizon.Seconds() {
			full := time.Duration(max(0, left) * float64(time.Second)).Round(time.Minute)
			return fmt.Sprintf("leak: %s for %v, %.0f %% of pairs rise, at the limit in %v",
				Measure(m).pace(g.Rate), g.Span.Round(time.Second), 100*g.Rising, full)
		}
	}
	return ""
}

// limit is the value that a measure must not reach, 0 if there is none.
func (p *Policy) limit(m Measure) float64 {
	switch m {
	case Heap, RSS:
		return float64(p.MemoryHard)
	case Goroutines:
		return float64(p.GoroutinesSoft)
	}
	return float64(p.FdsSoft)
}

func (p *Policy) flaps(o Observation) string {
	if p.FlapMany == 0 || o.Falls < p.FlapMany || o.Age < p.MinimumLife {
		return ""
	}
	return fmt.Sprintf("flaps: in doubt %d times within %v", o.Falls, p.FlapMemory)
}

func (p *Policy) aged(o Observation) string {
	limit := p.MaximumAge + time.Duration(float64(p.MaximumAge)*0.1*o.Jitter)
	if p.MaximumAge == 0 || o.Age < limit || o.Age < p.MinimumLife {
		return ""
	}
	return fmt.Sprintf("age: %v, limit %v", o.Age.Round(time.Second), limit.Round(time.Second))
}

func size(bytes uint64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
