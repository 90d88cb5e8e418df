package main

import "math"

// precision is how close to each other the highest clean and the lowest unclean rate of a search get.
const precision = 0.04

// highestClean finds the highest rate, in calls/s, for which clean is true: it climbs by half from start,
// or falls by half, and then halves the gap. Each verdict against a rate needs two tries, since a machine
// has other things to do. 0 means that no rate down to floor is clean.
func highestClean(start, floor, ceiling float64, clean func(rate float64) (bool, error)) (float64, error) {
	twice := func(rate float64) (bool, error) {
		if ok, err := clean(rate); ok || err != nil {
			return ok, err
		}
		return clean(rate)
	}
	good, bad := 0.0, 0.0
	for rate := start; bad == 0 || good == 0; {
		ok, err := twice(rate)
		if err != nil {
			return 0, err
		}
		if ok {
			good, rate = rate, rate*1.5
		} else {
			bad, rate = rate, rate/2
		}
		if rate < floor || rate > ceiling {
			break
		}
	}
	for good > 0 && bad-good > precision*bad {
		rate := math.Floor((good + bad) / 2)
		ok, err := twice(rate)
		if err != nil {
			return 0, err
		}
		if ok {
			good = rate
		} else {
			bad = rate
		}
	}
	return good, nil
}
