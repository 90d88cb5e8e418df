package main

import (
	"testing"
	"time"
)

// TestProcessors follows a load: the number of processors falls after a calm time and
// rises soon after one is not enough any more.
func TestProcessors(t *testing.T) {
	var d demand
	now, current := time.Now(), 4
	for i, phase := range []struct {
		used   func(look int) float64
		during time.Duration
		want   int
	}{
		{func(int) float64 { return 0.3 }, 1900 * time.Millisecond, 4},
		{func(int) float64 { return 0.3 }, 200 * time.Millisecond, 1},
		{func(look int) float64 { return []float64{0.1, 0.9}[look%2] }, 10 * time.Second, 1}, // it is uneven
		{func(int) float64 { return 1 }, 40 * time.Millisecond, 1},                           // a collection of garbage
		{func(int) float64 { return 0.3 }, time.Second, 1},                                   //
		{func(int) float64 { return 1 }, 160 * time.Millisecond, 4},                          // one is not enough
		{func(look int) float64 { return []float64{0.2, 1.2}[look%2] }, 10 * time.Second, 4}, // two thirds of one on average
		{func(look int) float64 { return []float64{0.0, 0.8}[look%2] }, 3 * time.Second, 1},  //
		{func(look int) float64 { return 3 }, 60 * time.Millisecond, 4},                      // a storm
	} {
		for look := range int(phase.during / lookAtLoad) {
			now = now.Add(lookAtLoad)
			current = d.processors(now, phase.used(look), current, 4)
		}
		if current != phase.want {
			t.Fatalf("after phase %d: %d processors, want %d", i, current, phase.want)
		}
	}
}
