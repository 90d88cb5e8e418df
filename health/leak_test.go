package health

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var seeds = flag.Int("seeds", 1, "of the noise on workers that leak or do not")

// A body is how one worker's measures go over the seconds of its life.
type body struct {
	name    string
	minutes int
	load    func(second int, r *rand.Rand) float64
	heap    func(second int) float64 // bytes, without what runs take
	noise   float64                  // standard deviation of the heap's, bytes
	found   int                      // the minute by which it must be found; 0 never
}

const (
	perRun = 100 << 10 // bytes of heap a run takes
	idle   = 12 * mib  // of heap
)

// flat is a load that stays about the same.
func flat(runs float64) func(int, *rand.Rand) float64 {
	return func(_ int, r *rand.Rand) float64 { return math.Max(0, runs+math.Sqrt(runs)*r.NormFloat64()) }
}

// tides is a load that goes from none to so many and back every few minutes.
func tides(runs float64, period int) func(int, *rand.Rand) float64 {
	return func(s int, r *rand.Rand) float64 {
		mean := runs / 2 * (1 - math.Cos(2*math.Pi*float64(s)/float64(period)))
		return math.Max(0, mean+math.Sqrt(mean)*r.NormFloat64())
	}
}

// between is a load of so many runs from one minute to another, else few.
func between(runs float64, from, to int) func(int, *rand.Rand) float64 {
	return func(s int, r *rand.Rand) float64 {
		if s >= 60*from && s < 60*to {
			return flat(runs)(s, r)
		}
		return flat(5)(s, r)
	}
}

func still(int) float64 { return idle }

// leaking gains so many bytes a second, for ever.
func leaking(rate float64) func(int) float64 {
	return func(s int) float64 { return idle + rate*float64(s) }
}

// settling approaches so many bytes more, two thirds of it in so many seconds.
func settling(bytes, seconds float64) func(int) float64 {
	return func(s int) float64 { return idle + bytes*(1-math.Exp(-float64(s)/seconds)) }
}

// filling takes so many bytes between two minutes and keeps them.
func filling(bytes float64, from, to int) func(int) float64 {
	return func(s int) float64 {
		part := (float64(s) - 60*float64(from)) / (60 * float64(to-from))
		return idle + bytes*math.Min(1, math.Max(0, part))
	}
}

// teeth grows by so many bytes and is collected, again and again.
func teeth(bytes float64, period int) func(int) float64 {
	return func(s int) float64 { return idle + bytes*float64(s%period)/float64(period) }
}

const kib = 1 << 10

// bodies are what must not be called a leak, and what must, long before the soft
// limit of 150 MiB.
var bodies = []body{
	{"nothing", 60, flat(50), still, 2 * mib, 0},
	{"much noise", 60, flat(50), still, 10 * mib, 0},
	{"warm-up", 60, flat(50), settling(40*mib, 120), mib, 0},
	{"slow warm-up", 60, flat(50), settling(40*mib, 300), mib, 0},
	{"load step up", 60, between(250, 20, 60), still, mib, 0},
	{"load step up and down", 60, between(250, 15, 35), still, mib, 0},
	{"load that rises for an hour", 60, func(s int, r *rand.Rand) float64 { return flat(float64(s)/15)(s, r) }, still, mib, 0},
	{"tides", 60, tides(250, 1200), still, mib, 0},
	{"saw-tooth", 60, flat(50), teeth(30*mib, 110), mib, 0},
	{"saw-tooth of three minutes", 60, flat(50), teeth(30*mib, 180), mib, 0},
	{"cache filled in two minutes", 60, flat(50), filling(60*mib, 14, 16), mib, 0},
	{"cache filled in four minutes", 60, flat(50), filling(60*mib, 1, 5), mib, 0},
	{"too slow to matter", 45, flat(50), leaking(2 * kib), mib, 0},

	{"50 KB/s", 30, flat(50), leaking(50e3), mib, 13},
	{"50 KB/s in tides", 30, tides(250, 300), leaking(50e3), 2 * mib, 20},
	{"30 KB/s in slow tides", 50, tides(250, 1200), leaking(30e3), mib, 40},
	{"1 MB/min", 45, flat(50), leaking(1e6 / 60), mib, 20},
	{"1 MB/min in noise", 45, flat(50), leaking(1e6 / 60), 6 * mib, 30},
	{"1 MB/min in tides", 45, tides(200, 300), leaking(1e6 / 60), mib, 40},
	{"1 MB/min in collections", 45, flat(50), func(s int) float64 { return leaking(1e6/60)(s) + teeth(8*mib, 110)(s) - idle }, mib, 30},
	{"1 MB/min beside a load step", 60, between(250, 15, 25), leaking(1e6 / 60), mib, 45},
}

// TestLeaks tells one from the other, by several seeds.
func TestLeaks(t *testing.T) {
	for _, b := range bodies {
		t.Run(b.name, func(t *testing.T) {
			for seed := range uint64(*seeds) {
				minute, why, rss := b.live(seed)
				switch {
				case b.found == 0 && why != "":
					t.Errorf("seed %d: no leak, but after %d min: %s", seed, minute, why)
				case b.found > 0 && (why == "" || minute > b.found):
					t.Errorf("seed %d: a leak, and after %d min: %q", seed, minute, why)
				case b.found > 0 && rss > 120*mib:
					t.Errorf("seed %d: found at %.0f MiB only", seed, rss/mib)
				}
			}
		})
	}
}

// live measures a body until it is called a leak, and says when and why.
func (b *body) live(seed uint64) (minute int, why string, rss float64) {
	r := rand.New(rand.NewPCG(seed, 42))
	policy := DefaultPolicy()
	var short history
	var long chart
	noon := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	peak := 0.0
	for s := range 60 * b.minutes {
		runs := b.load(s, r)
		heap := math.Max(mib, b.heap(s)+perRun*runs+b.noise*r.NormFloat64())
		peak = math.Max(heap, 0.995*peak) // memory goes back to the system slowly
		rss = 15*mib + 1.1*peak
		o := Observation{
			Standing: Good, Age: time.Duration(s) * time.Second, Runs: int(runs),
			Heap: uint64(heap), RSS: uint64(rss), Goroutines: 20 + int(runs), Fds: 12,
		}
		short.add(noon.Add(o.Age), o.Heap)
		long.add(noon.Add(o.Age), &o)
		if s%15 != 0 {
			continue
		}
		o.Slope, o.Growth = short.slope(), long.growth
		if why = policy.leaks(o); why != "" {
			return s / 60, why, rss
		}
	}
	return b.minutes, "", rss
}

// TestLeaksOfThings: goroutines and descriptors leak too, whatever the runs do.
func TestLeaksOfThings(t *testing.T) {
	policy := DefaultPolicy()
	for _, c := range []struct {
		name            string
		goroutines, fds float64 // more in a minute
		leak            string
	}{
		{"none", 0, 0, ""},
		{"goroutines", 60, 0, "leak: goroutines"},
		{"few goroutines", 5, 0, ""},
		{"fds", 0, 0.5, "leak: fds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var h chart
			var o Observation
			for s := range 30 * 60 {
				runs := tides(100, 240)(s, r)
				minutes := float64(s) / 60
				o = Observation{Age: time.Hour, Runs: int(runs), Goroutines: int(20 + runs + c.goroutines*minutes), Fds: int(12 + c.fds*minutes)}
				h.add(time.Unix(int64(s), 0), &o)
			}
			o.Growth = h.growth
			why := policy.leaks(o)
			if c.leak == "" && why != "" || len(why) < len(c.leak) || why[:len(c.leak)] != c.leak {
				t.Errorf("%q, want %q", why, c.leak)
			}
		})
	}
}

// TestChartIsBounded whatever the worker's age, and its rate is the leak's.
func TestChartIsBounded(t *testing.T) {
	var h chart
	for s := range 45 * 60 {
		h.add(time.Unix(int64(s), 0), &Observation{Heap: uint64(s) * 20000, Runs: s % 7})
	}
	if len(h.points) != chartPoints || len(h.recent) > 15 {
		t.Errorf("%d points, %d recent", len(h.points), len(h.recent))
	}
	g := h.growth[Heap]
	if math.Abs(g.Rate-20000) > 200 || g.Rising != 1 || g.Span < 29*time.Minute {
		t.Errorf("%+v", g)
	}
	if text := fmt.Sprint(Heap.pace(g.Rate)); text != "heap +1.14 MiB/min" {
		t.Error(text)
	}
}

func BenchmarkChart(b *testing.B) {
	var h chart
	for s := range 3600 {
		h.add(time.Unix(int64(s), 0), &Observation{Heap: uint64(s) * 20000, RSS: uint64(s) * 20000})
	}
	for b.Loop() {
		h.judge(Heap)
	}
}
