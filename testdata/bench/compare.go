package main

import (
	"context"
	"fmt"
	"slices"
)

// versus is one rate of a comparison: medians over the rounds.
type versus struct {
	Rate float64 `json:"rate"`
	Old  point   `json:"old"`
	New  point   `json:"new"`
	// Ratio is the CPU per call of the new binary over that of the old, the median of the rounds' ratios.
	Ratio float64 `json:"ratio"`
}

// compare runs both binaries at each rate in turns: old, new, new, old, and so on, so that a drift of the
// machine falls on both.
func (b bench) compare(ctx context.Context, oldBinary, newBinary string) ([]versus, error) {
	older, err := b.startWarm(ctx, oldBinary, planRedirect)
	if err != nil {
		return nil, err
	}
	defer older.stop()
	newer, err := b.startWarm(ctx, newBinary, planRedirect)
	if err != nil {
		return nil, err
	}
	defer newer.stop()
	var all []versus
	for _, rate := range b.rates {
		v, err := b.duel(ctx, contender{"old", older}, contender{"new", newer}, rate)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// contender is a subject with the name under which it runs.
type contender struct {
	name string
	subject
}

// duel is the comparison at one rate.
func (b bench) duel(ctx context.Context, older, newer contender, rate float64) (versus, error) {
	var points [2][]point
	var ratios []float64
	for round := range b.pace.rounds {
		order := []int{0, 1}
		if round%2 == 1 {
			order = []int{1, 0}
		}
		for _, i := range order {
			s := []contender{older, newer}[i]
			fmt.Fprintf(b.progress, "%s ", s.name)
			p, err := b.point(ctx, s, rate, b.pace.point)
			if err != nil {
				return versus{}, err
			}
			points[i] = append(points[i], p)
		}
		ratios = append(ratios, ratio(points[1][round].TotalMicros, points[0][round].TotalMicros))
	}
	slices.Sort(ratios)
	return versus{Rate: rate, Old: median(points[0]), New: median(points[1]), Ratio: middle(ratios)}, nil
}

// ratio is a/b, or 0 when nothing was measured.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// median is the point in the middle by CPU per call, with the first fault of any.
func median(points []point) point {
	sorted := slices.SortedFunc(slices.Values(points), func(a, b point) int {
		return int(1000 * (a.TotalMicros - b.TotalMicros))
	})
	m := sorted[len(sorted)/2]
	for _, p := range points {
		if m.Fault == "" {
			m.Fault = p.Fault
		}
	}
	return m
}

// middle is the median of sorted values.
func middle(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
