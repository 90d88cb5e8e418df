package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"

	"dialyard/cmd/dialyard/load"
)

// pace is how long the parts of a measurement take.
type pace struct {
	point  time.Duration // a run at a fixed rate
	step   time.Duration // a try of the search for the highest rate
	settle time.Duration // after each run
	soak   time.Duration // load and rest of the memory measurement, each
	rounds int           // of a comparison, each with both
	held   int           // calls held at once
	stand  time.Duration // in which all of them are up
}

var (
	fullPace = pace{point: 10 * time.Second, step: 5 * time.Second, settle: time.Second, soak: time.Minute, rounds: 4,
		held: 100_000, stand: time.Minute}
	quickPace = pace{point: 2 * time.Second, step: time.Second, settle: 200 * time.Millisecond, soak: 5 * time.Second, rounds: 2,
		held: 5000, stand: 3 * time.Second}
)

const (
	warmRate = 1000 // calls/s for one pace.step, before the first measurement
	soakRate = 10_000

	searchStart   = 4000
	searchFloor   = 250
	searchCeiling = 150_000

	dialledSearchStart = 2000
)

// subject is what is measured: a server, or a relay to measure it by.
type subject interface {
	target() string // called URI
	answer() string // where it dials, empty when it redirects
	family() (family, error)
}

// bench is how to measure; it holds nothing of a run.
type bench struct {
	pace         pace
	grain        time.Duration // of the generator
	rates        []float64     // calls/s
	dialledRates []float64     // of dialled calls
	only         string        // one section, empty for all
	progress     io.Writer
}

// sections are what one execution measures, in this order.
var sections = []string{"redirected", "storm", "memory", "dialled", "held"}

// measure takes the figures of one binary, those of one section or all.
func (b bench) measure(ctx context.Context, binary string) (results, error) {
	r := results{Binary: binary, CPUs: runtime.NumCPU(), Grain: b.grain}
	for _, section := range sections {
		if b.only != "" && b.only != section {
			continue
		}
		var err error
		switch section {
		case "redirected":
			r.Points, r.HighestClean, err = b.speed(ctx, binary)
		case "storm":
			r.Storm, err = b.storm(ctx, binary)
		case "memory":
			r.Memory, err = b.memory(ctx, binary)
		case "dialled":
			r.Dialled, err = b.dialled(ctx, binary)
		case "held":
			r.Held, err = b.held(ctx, binary)
		}
		if err != nil {
			return results{}, fmt.Errorf("%s: %w", section, err)
		}
	}
	return r, nil
}

// speed runs the fixed rates and finds the highest clean one.
func (b bench) speed(ctx context.Context, binary string) (points []point, highest float64, err error) {
	s, err := b.startWarm(ctx, binary, planRedirect)
	if err != nil {
		return nil, 0, err
	}
	defer s.stop()
	for _, rate := range b.rates {
		p, err := b.point(ctx, s, rate, b.pace.point)
		if err != nil {
			return nil, 0, err
		}
		points = append(points, p)
	}
	highest, err = b.search(ctx, s, searchStart)
	if err != nil || highest == 0 {
		return points, 0, err
	}
	top, err := b.sustained(ctx, s, highest)
	if err != nil {
		return nil, 0, err
	}
	half, err := b.point(ctx, s, top.Rate/2, b.pace.point)
	if err != nil {
		return nil, 0, err
	}
	return append(points, half, top), top.Rate, nil
}

// sustained goes down from a rate which was clean for a step until it is clean for a whole point.
func (b bench) sustained(ctx context.Context, s subject, rate float64) (point, error) {
	for {
		p, err := b.point(ctx, s, rate, b.pace.point)
		if err != nil || p.Fault == "" || rate < searchFloor {
			return p, err
		}
		rate = math.Floor(rate * (1 - precision))
	}
}

// startWarm starts a server and lets it take a few calls, so that its first plan is compiled.
func (b bench) startWarm(ctx context.Context, binary, plan string) (*server, error) {
	s, err := startServer(ctx, binary, plan)
	if err != nil {
		return nil, err
	}
	if _, err := b.point(ctx, s, warmRate, b.pace.step); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (b bench) search(ctx context.Context, s subject, start float64) (float64, error) {
	return highestClean(start, searchFloor, searchCeiling, func(rate float64) (bool, error) {
		p, err := b.point(ctx, s, rate, b.pace.step)
		return p.Fault == "", err
	})
}

// point places calls at one rate and takes the server's CPU time before and after. Lost calls are a fault
// of the point and no error.
func (b bench) point(ctx context.Context, s subject, rate float64, d time.Duration) (point, error) {
	before, err := s.family()
	if err != nil {
		return point{}, err
	}
	report, err := load.Run(ctx, load.Options{Target: s.target(), Answer: s.answer(), Rate: rate, Duration: d, Grain: b.grain})
	if err != nil {
		return point{}, err
	}
	if ctx.Err() != nil {
		return point{}, ctx.Err()
	}
	after, err := s.family()
	if err != nil {
		return point{}, err
	}
	p := newPoint(report, before, after)
	fmt.Fprintf(b.progress, "%8.0f calls/s  %5.1f µs  p99 %v  %s\n", rate, p.TotalMicros, p.P99, p.Fault)
	return p, sleep(ctx, b.pace.settle)
}

// sleep returns early with the context's error when it ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// memory soaks a fresh server in calls and watches its RSS.
func (b bench) memory(ctx context.Context, binary string) (memory, error) {
	s, err := startServer(ctx, binary, planRedirect)
	if err != nil {
		return memory{}, err
	}
	defer s.stop()
	if err := sleep(ctx, b.pace.settle); err != nil {
		return memory{}, err
	}
	m := memory{Rate: soakRate, Load: b.pace.soak}
	if m.Start, err = s.resident(); err != nil {
		return memory{}, err
	}
	p, err := b.point(ctx, s, soakRate, b.pace.soak)
	if err != nil {
		return memory{}, err
	}
	m.Fault = p.Fault
	if m.Loaded, err = s.resident(); err != nil {
		return memory{}, err
	}
	fmt.Fprintf(b.progress, "resting for %v\n", b.pace.soak)
	if err := sleep(ctx, b.pace.soak); err != nil {
		return memory{}, err
	}
	m.Rested, err = s.resident()
	return m, err
}

// resident is what the server holds now.
func (s *server) resident() (resident, error) {
	f, err := s.family()
	return resident{Front: f.front.rss, Worker: f.workerRSS(), Workers: f.running()}, err
}
