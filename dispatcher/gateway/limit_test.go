package gateway

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNoLimits(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN()} {
		g := New(Config{Rate: rate})
		for range 1000 {
			if e := g.Enter(noon); e != Entered {
				t.Fatalf("rate %v: %v", rate, e)
			}
		}
		if s := g.State(); s.Calls != 1000 || s.Entered != 1000 {
			t.Errorf("got %+v", s)
		}
	}
}

// TestRate: a second's worth at once, at least one, then one each interval.
func TestRate(t *testing.T) {
	tests := []struct {
		rate     float64
		burst    int
		interval time.Duration
	}{
		{0.1, 1, 10 * time.Second},
		{0.5, 1, 2 * time.Second},
		{1, 1, time.Second},
		{2.5, 2, 400 * time.Millisecond},
		{50, 50, 20 * time.Millisecond},
		{1e-30, 1, 24 * time.Hour},
	}
	for _, tt := range tests {
		g := New(Config{Rate: tt.rate})
		take := func(after time.Duration) (taken int) {
			for g.Enter(noon.Add(after)) == Entered {
				taken++
			}
			return taken
		}
		if n := take(0); n != tt.burst {
			t.Errorf("rate %v: %d at once, want %d", tt.rate, n, tt.burst)
		}
		if n := take(tt.interval * time.Duration(tt.burst)); n != tt.burst {
			t.Errorf("rate %v: %d later, want %d", tt.rate, n, tt.burst)
		}
		if n := take(tt.interval*time.Duration(tt.burst) + tt.interval - 1); n > 1 {
			t.Errorf("rate %v: %d before their time", tt.rate, n)
		}
	}
}

func TestRateWithoutBound(t *testing.T) {
	g := New(Config{Rate: math.Inf(1)})
	for range 1000 {
		if e := g.Enter(noon); e != Entered {
			t.Fatal(e)
		}
	}
}

// TestClockSetBack: an hour that comes twice does not close the gateway for an
// hour.
func TestClockSetBack(t *testing.T) {
	g := New(Config{Rate: 2})
	g.Enter(noon)
	g.Enter(noon)
	if e := g.Enter(noon.Add(-time.Hour)); e != Entered {
		t.Errorf("an hour before: %v", e)
	}
	g = New(Config{Rate: 2})
	g.Enter(noon)
	g.Enter(noon)
	if e := g.Enter(noon.Add(-10 * time.Millisecond)); e != TooFast {
		t.Errorf("a shard that is a little behind: %v", e)
	}
}

func TestRefusedTakesNothing(t *testing.T) {
	g := New(Config{Calls: 1, Rate: 2})
	if a, b := g.Enter(noon), g.Enter(noon); a != Entered || b != Busy {
		t.Fatalf("got %v, %v", a, b)
	}
	g.Leave()
	if e := g.Enter(noon); e != Entered {
		t.Errorf("the busy one took a token: %v", e)
	}
	g.Leave()
	if e := g.Enter(noon); e != TooFast {
		t.Errorf("got %v", e)
	}
	if s := g.State(); s.Calls != 0 || s.Entered != 2 || s.Busy != 1 || s.TooFast != 1 {
		t.Errorf("got %+v", s)
	}
}

// TestLimitModel holds a gateway against a plain token bucket and a counter.
func TestLimitModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{
			Calls: rapid.IntRange(0, 4).Draw(t, "calls"),
			Rate:  rapid.SampledFrom([]float64{0, 0.25, 0.5, 1, 2, 5, 10}).Draw(t, "rate"),
		}
		cost, full := time.Duration(0), time.Second
		if c.Rate > 0 {
			cost = time.Duration(float64(time.Second) / c.Rate)
			full = max(full, cost)
		}
		g, now, calls, saved := New(c), noon, 0, full
		var counted [entryKinds]uint64
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				s := g.State()
				if s.Calls != calls || [...]uint64{s.Entered, s.Busy, s.TooFast} != counted {
					t.Fatalf("%d calls, %v counted, want %d and %v", s.Calls, s, calls, counted)
				}
			},
			"wait": func(t *rapid.T) {
				pause := time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond
				now, saved = now.Add(pause), min(saved+pause, full)
			},
			"leave": func(*rapid.T) {
				if calls > 0 {
					g.Leave()
					calls--
				}
			},
			"enter": func(t *rapid.T) {
				want := Entered
				switch {
				case c.Calls > 0 && calls == c.Calls:
					want = Busy
				case cost > saved:
					want = TooFast
				default:
					calls, saved = calls+1, saved-cost
				}
				counted[want]++
				if got := g.Enter(now); got != want {
					t.Fatalf("%v, want %v; %d of %d calls, %v saved up, %v each", got, want, calls, c.Calls, saved, cost)
				}
			},
		})
	})
}

// TestLimitFromManyShards: never over the limits, all is given back, and a place
// that is free is not refused.
func TestLimitFromManyShards(t *testing.T) {
	g := New(Config{Calls: 5, Rate: 200})
	var inside, most atomic.Int64
	var shards sync.WaitGroup
	for range 8 {
		shards.Go(func() {
			for range 1000 {
				if g.Enter(noon) != Entered {
					continue
				}
				for n := inside.Add(1); ; {
					seen := most.Load()
					if n <= seen || most.CompareAndSwap(seen, n) {
						break
					}
				}
				inside.Add(-1)
				g.Leave()
			}
		})
	}
	shards.Wait()
	s := g.State()
	if s.Entered != 200 || most.Load() > 5 || s.Calls != 0 {
		t.Errorf("%d entered, %d at once at the most, %d left behind", s.Entered, most.Load(), s.Calls)
	}
	if s.Entered+s.Busy+s.TooFast != 8000 {
		t.Errorf("not all were counted: %+v", s)
	}
}
