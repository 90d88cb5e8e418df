package health

import (
	"hash/fnv"
	"slices"
	"time"
)

// patient is what the ward remembers of one worker.
type patient struct {
	standing Standing
	forgiven time.Duration // of the time in that standing
	jitter   float64
	falls    []time.Time // into doubt, as far as they are held against it

	good, bad  int // probes in a row
	complaint  string
	probing    bool
	placed     uint64    // probes so far
	placedAt   time.Time // the last of them
	due        time.Time // the next
	complaints int       // how often failures have called for a probe

	beatAge     time.Duration // as last reported
	silence     time.Duration // as far as the ward was awake to hear it
	overstaying time.Time     // since when; zero if nothing overstays

	sampled time.Time
	history history
	slope   float64
	chart   chart

	told   Verdict // carried last, in which standing and when
	toldIn Standing
	toldAt time.Time
}

func newPatient(name string, now time.Time) *patient {
	return &patient{jitter: 2*chance(name, 0) - 1, due: now}
}

// listen keeps the silence of a worker. A heartbeat's age may leap because the
// clock was set or because nobody was there to take it: silence is only what the
// ward itself lived through. A clock set back is taken for a heartbeat.
func (p *patient) listen(age, elapsed time.Duration) {
	if age < p.beatAge || age >= 0 && age <= elapsed {
		p.silence = max(0, min(age, elapsed))
	} else {
		p.silence += min(age-p.beatAge, elapsed)
	}
	p.beatAge = age
}

// enter keeps the standing, and falls from a good one.
func (p *patient) enter(now time.Time, s Standing, memory time.Duration) {
	if s != p.standing {
		if p.standing == Good && s == Doubtful {
			p.falls = append(p.falls, now)
		}
		p.standing, p.forgiven = s, 0
	}
	p.falls = slices.DeleteFunc(p.falls, func(at time.Time) bool { return now.Sub(at) >= memory })
}

// overstay keeps how long there have been too many overstaying runs.
func (p *patient) overstay(now time.Time, so bool) time.Duration {
	switch {
	case !so:
		p.overstaying = time.Time{}
		return 0
	case p.overstaying.IsZero():
		p.overstaying = now
	}
	return now.Sub(p.overstaying)
}

// sample measures once a second.
func (p *patient) sample(now time.Time, o *Observation) {
	if now.Sub(p.sampled) < time.Second {
		return
	}
	p.sampled = now
	p.history.add(now, o.Heap)
	p.slope = p.history.slope()
	p.chart.add(now, o)
}

// chance is a number from 0 to 1 of a worker's own, the nth: random enough that
// workers started together do not act together, and the same each time.
func chance(name string, n uint64) float64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	x := h.Sum64() + n*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}
