package health

import (
	"fmt"
	"slices"
	"time"
)

// Measure is something of a worker that may leak.
type Measure uint8

// The measures.
const (
	Heap       Measure = iota // bytes, live after a collection
	RSS                       // bytes
	Goroutines                // beside one for each run
	Fds                       // open descriptors

	measures = 4
)

func (m Measure) String() string { return [...]string{"heap", "rss", "goroutines", "fds"}[m] }

// least is growth over the whole chart that is worth a word.
func (m Measure) least() float64 { return [...]float64{4 << 20, 4 << 20, 100, 8}[m] }

// pace is growth as operators read it, from units per second.
func (m Measure) pace(rate float64) string {
	if m == Heap || m == RSS {
		return fmt.Sprintf("%v +%.2f MiB/min", m, rate*60/(1<<20))
	}
	return fmt.Sprintf("%v +%.1f/min", m, rate*60)
}

// Growth is steady growth of one measure. The zero value says that none is sure.
type Growth struct {
	Rate   float64       // units per second
	Span   time.Duration // over which it was seen
	Rising float64       // the part of the comparable pairs that rise, 0 to 1
}

// A chart keeps a worker's measures, each the median of a quarter of a minute, for
// half an hour, and tells a leak from what only looks like one.
//
// Compared are pairs of points of like load, of which the later had no more runs
// than the earlier and not many fewer: grown though not busier. (Were the later
// allowed a little more, a load that rises all morning would look like a leak.)
// What grew is the median slope of all such pairs, the Theil–Sen estimate, which
// three points out of ten may spoil without harm. It is believed if
//
//   - ten minutes are on the chart: a saw-tooth of collections, which come every
//     two minutes or sooner, has gone up and down some times;
//   - three quarters of the pairs rise: Kendall's tau is one half, some four
//     standard deviations of what forty points of mere noise come to;
//   - each third of the chart grows on its own by a third of the whole's rate: a
//     step and a cache that fills once leave at least one third flat;
//   - the last third grows at least six tenths as fast as the first: a warm-up
//     slows down;
//   - it comes to something over the whole chart.
type chart struct {
	begun  time.Time // of the quarter minute being gathered
	recent []point
	points []point // oldest first
	growth [measures]Growth
	slopes []float64 // room to work in
}

const (
	chartEvery  = 15 * time.Second
	chartPoints = 120
	chartSpan   = 10 * time.Minute
	pairsLeast  = 10 // in each third
	risingLeast = 0.75
	thirdLeast  = 1.0 / 3
	slowest     = 0.6
)

// A point is a worker's measures and its load at a time.
type point struct {
	at    time.Time
	runs  float64
	value [measures]float64
}

// add takes one observation a second, and judges anew once a quarter minute.
func (c *chart) add(now time.Time, o *Observation) {
	if c.begun.IsZero() {
		c.begun = now
	}
	if now.Sub(c.begun) >= chartEvery && len(c.recent) > 0 {
		c.condense()
		c.begun = now
		for m := range c.growth {
			c.growth[m] = c.judge(Measure(m))
		}
	}
	value := [measures]float64{float64(o.Heap), float64(o.RSS), o.used(Goroutines), float64(o.Fds)}
	c.recent = append(c.recent, point{now, float64(o.Runs), value})
}

// condense makes one point of the recent ones.
func (c *chart) condense() {
	p := point{at: c.recent[len(c.recent)/2].at}
	p.runs = c.median(func(p *point) float64 { return p.runs })
	for m := range p.value {
		p.value[m] = c.median(func(p *point) float64 { return p.value[m] })
	}
	c.recent = c.recent[:0]
	if len(c.points) == chartPoints {
		c.points = append(c.points[:0], c.points[1:]...)
	}
	c.points = append(c.points, p)
}

func (c *chart) median(of func(*point) float64) float64 {
	values := make([]float64, len(c.recent))
	for i := range c.recent {
		values[i] = of(&c.recent[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// judge says how a measure grows if that is sure.
func (c *chart) judge(m Measure) Growth {
	n := len(c.points)
	if n == 0 || c.points[n-1].at.Sub(c.points[0].at) < chartSpan {
		return Growth{}
	}
	span := c.points[n-1].at.Sub(c.points[0].at)
	whole := c.trend(m, 0, n, risingLeast)
	if whole.rate*span.Seconds() < m.least() {
		return Growth{}
	}
	var thirds [3]trend
	for i := range thirds {
		thirds[i] = c.trend(m, i*n/3, (i+1)*n/3, 0)
		if thirds[i].pairs < pairsLeast || thirds[i].rate < thirdLeast*whole.rate {
			return Growth{}
		}
	}
	if thirds[2].rate < slowest*thirds[0].rate {
		return Growth{}
	}
	return Growth{Rate: whole.rate, Span: span, Rising: whole.rising}
}

// A trend is what the comparable pairs of some points say.
type trend struct {
	rate   float64 // the median slope, units per second
	rising float64 // the part of the pairs that rise
	pairs  int
}

// trend is that of the points from one to before another; zero if fewer pairs rise
// than must, which is seen before the work of finding the median.
func (c *chart) trend(m Measure, from, to int, least float64) trend {
	slopes, rising := c.slopes[:0], 0
	for i := from; i < to; i++ {
		for j := i + 1; j < to; j++ {
			earlier, later := &c.points[i], &c.points[j]
			if !alike(earlier, later) {
				continue
			}
			d := later.value[m] - earlier.value[m]
			if d > 0 {
				rising++
			}
			slopes = append(slopes, d/later.at.Sub(earlier.at).Seconds())
		}
	}
	c.slopes = slopes
	part := float64(rising) / float64(max(1, len(slopes)))
	if len(slopes) == 0 || part < least {
		return trend{}
	}
	slices.Sort(slopes)
	return trend{slopes[len(slopes)/2], part, len(slopes)}
}

// alike reports whether two points are of like load.
func alike(earlier, later *point) bool {
	return later.runs <= earlier.runs+1 && later.runs >= 0.8*earlier.runs-2
}
