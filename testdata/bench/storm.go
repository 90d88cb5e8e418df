package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"dialyard/cmd/dialyard/load"
)

const (
	calmRate   = 300 // calls/s of the account that is watched
	stormRate  = 200 // calls/s of the account whose scripts never end
	stormRises = 1500 * time.Millisecond
)

// storm is what the calls of one account notice of another's scripts that never end.
type storm struct {
	Rounds []stormRound `json:"rounds"`
	Quiet  point        `json:"quiet"`  // of the round with the median p99
	During point        `json:"during"` // the same
	Ratio  float64      `json:"p99_ratio"`
}

// stormRound is the same calls before a storm and during it.
type stormRound struct {
	Quiet  point `json:"quiet"`
	During point `json:"during"`
}

// storm takes turns of quiet and storm on one server.
func (b bench) storm(ctx context.Context, binary string) (*storm, error) {
	s, err := b.startWarm(ctx, binary, planRedirect)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	b.grain = 0 // it would be seen in latencies as short as these
	var rounds []stormRound
	for range b.pace.rounds {
		r := stormRound{}
		if r.Quiet, err = b.point(ctx, s, calmRate, b.pace.point); err != nil {
			return nil, err
		}
		if r.During, err = b.during(ctx, s); err != nil {
			return nil, err
		}
		rounds = append(rounds, r)
	}
	return newStorm(rounds), nil
}

// during measures while the other account's calls come in. Those are refused, most of
// them, or end by a limit; the last may still run when this returns.
func (b bench) during(ctx context.Context, s *server) (point, error) {
	rages, end := context.WithCancel(ctx)
	over := make(chan error, 1)
	go func() {
		_, err := load.Run(rages, load.Options{Target: "sip:storm@" + s.sip, Rate: stormRate, Duration: b.pace.point + 2*stormRises})
		over <- err
	}()
	err := sleep(ctx, stormRises)
	var p point
	if err == nil {
		p, err = b.point(ctx, s, calmRate, b.pace.point)
	}
	end()
	if stormErr := <-over; err == nil {
		err = stormErr
	}
	return p, err
}

// newStorm compares the medians. There is at least one round.
func newStorm(rounds []stormRound) *storm {
	byP99 := func(a, b point) int { return int(a.P99 - b.P99) }
	var quiet, during []point
	for _, r := range rounds {
		quiet, during = append(quiet, r.Quiet), append(during, r.During)
	}
	slices.SortFunc(quiet, byP99)
	slices.SortFunc(during, byP99)
	s := &storm{Rounds: rounds, Quiet: quiet[len(quiet)/2], During: during[len(during)/2]}
	if s.Quiet.P99 > 0 {
		s.Ratio = float64(s.During.P99) / float64(s.Quiet.P99)
	}
	return s
}

func writeStorm(b *bytes.Buffer, s storm) {
	t := newTable(b)
	fmt.Fprintf(t, "%d calls/s\tp50 ms\tp99 ms\tp99.9 ms\tp99 to quiet\t  clean\n", calmRate)
	row := func(when string, p point, ratio string) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t  %s\n", when, millis(p.P50), millis(p.P99), millis(p.P999), ratio, clean(p.Fault))
	}
	row("quiet", s.Quiet, "")
	row(fmt.Sprintf("another account's storm of %d/s", stormRate), s.During, fmt.Sprintf("%.2f", s.Ratio))
	t.Flush()
	fmt.Fprintln(b)
}
