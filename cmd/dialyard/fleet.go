package main

import (
	"strconv"
	"time"

	"dialyard/cmd/dialyard/config"
	"dialyard/dispatcher/call"
	"dialyard/health"
	"dialyard/worker"
)

// fleet shows the pool to the monitor.
type fleet struct{ *worker.Pool }

// Workers lists the members as the monitor judges them.
func (f fleet) Workers() []health.Worker {
	var list []health.Worker
	now := time.Now()
	for _, s := range f.Pool.All() {
		o := health.Observation{
			Standing: standing(s.State), Replaced: s.Replaced,
			Age: time.Duration(s.Age * float64(time.Second)), InState: now.Sub(s.Since),
			BeatAge: s.BeatAge, Overstay: s.Overstayed, Runs: s.Runs, Failures: s.Failures,
			RSS: s.RSS, Heap: s.Heap, Goroutines: s.Goroutines, Fds: s.Fds,
		}
		list = append(list, health.Worker{Name: s.Name, Observation: o})
	}
	return list
}

func standing(s worker.State) health.Standing {
	switch s {
	case worker.Probing:
		return health.Unproven
	case worker.Ready:
		return health.Good
	case worker.Suspect:
		return health.Doubtful
	case worker.Draining:
		return health.Parting
	}
	return health.Leaving
}

// Carry passes a verdict on to the pool. A worker that has gone meanwhile needs
// no verdict.
func (f fleet) Carry(name string, v health.Verdict, reason string) {
	switch v {
	case health.Trust:
		f.Probed(name)
	case health.Doubt:
		f.Suspect(name, reason)
	case health.Stall:
		f.Stall(name, reason)
	case health.Recycle:
		f.RecycleSick(name, reason)
	case health.Kill:
		f.Kill(name, reason)
	}
}

// policyOf is the monitor's policy under a configuration.
func policyOf(c *config.Config) health.Policy {
	p := health.DefaultPolicy()
	p.Interval, p.Timeout, p.Fall, p.Rise = c.Health.Interval, c.Health.Timeout, c.Health.Fall, c.Health.Rise
	p.Hurry = min(p.Hurry, p.Interval)
	p.MemorySoft, p.MemoryHard = uint64(c.Workers.MemorySoft), uint64(c.Workers.MemoryHard)
	p.GoroutinesSoft = max(p.GoroutinesSoft, 20*c.Workers.Runs)
	p.MinimumReady = health.MinimumReady(c.Workers.Count)
	return p
}

// vitals are the X-Dialyard headers of a worker for a probe's answer.
func vitals(pool *worker.Pool, name string) []call.Field {
	s, ok := pool.Find(name)
	if !ok {
		return nil
	}
	number := func(n int) string { return strconv.Itoa(n) }
	return []call.Field{
		{Name: "X-Dialyard-Worker", Value: s.ID},
		{Name: "X-Dialyard-Generation", Value: number(int(s.Generation))},
		{Name: "X-Dialyard-Pid", Value: number(s.Pid)},
		{Name: "X-Dialyard-State", Value: s.State.String()},
		{Name: "X-Dialyard-Uptime", Value: number(int(s.Age))},
		{Name: "X-Dialyard-Rss-Bytes", Value: number(int(s.RSS))},
		{Name: "X-Dialyard-Heap-Bytes", Value: number(int(s.Heap))},
		{Name: "X-Dialyard-Goroutines", Value: number(s.Goroutines)},
		{Name: "X-Dialyard-Fds", Value: number(s.Fds)},
		{Name: "X-Dialyard-Runs", Value: number(s.Runs)},
		{Name: "X-Dialyard-Runs-Total", Value: strconv.FormatUint(s.RunsTotal, 10)},
		{Name: "X-Dialyard-Jail", Value: s.Jail},
	}
}
