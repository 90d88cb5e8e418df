package broker

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// nine is an arbitrary time of day.
var nine = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// expectEmpty holds that nothing of what was claimed is left in memory.
func expectEmpty(t testing.TB, c *Claims) {
	t.Helper()
	if s := c.Stats(); s != (ClaimStats{}) {
		t.Errorf("left: %+v", s)
	}
}

func TestClaimPlaces(t *testing.T) {
	type step struct {
		do     string // claim, release
		call   string
		name   string
		places int
		want   bool
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"as many as there are", []step{
			{"claim", "1", "trunk", 2, true}, {"claim", "2", "trunk", 2, true}, {"claim", "3", "trunk", 2, false},
			{"release", "1", "", 0, true}, {"claim", "3", "trunk", 2, true}, {"claim", "1", "trunk", 2, false},
		}},
		{"again is the same place", []step{
			{"claim", "1", "trunk", 2, true}, {"claim", "1", "trunk", 2, true}, {"claim", "2", "trunk", 2, true},
			{"claim", "1", "trunk", 2, true}, {"release", "1", "", 0, true}, {"claim", "3", "trunk", 2, true},
		}},
		{"names apart", []step{
			{"claim", "1", "trunk", 1, true}, {"claim", "1", "fax", 1, true}, {"claim", "2", "fax", 1, false},
			{"release", "1", "", 0, true}, {"claim", "2", "fax", 1, true}, {"claim", "2", "trunk", 1, true},
		}},
		{"fewer places in a new version", []step{
			{"claim", "1", "trunk", 3, true}, {"claim", "2", "trunk", 3, true}, {"claim", "3", "trunk", 1, false},
			{"claim", "1", "trunk", 1, true}, {"release", "1", "", 0, true}, {"claim", "3", "trunk", 1, false},
			{"claim", "4", "trunk", 3, true}, {"release", "2", "", 0, true}, {"release", "4", "", 0, true},
			{"claim", "3", "trunk", 1, true},
		}},
		{"release is idempotent", []step{
			{"release", "1", "", 0, true}, {"claim", "1", "trunk", 1, true}, {"release", "1", "", 0, true},
			{"release", "1", "", 0, true}, {"claim", "2", "trunk", 1, true}, {"claim", "3", "trunk", 1, false},
		}},
		{"figures that mean nothing", []step{
			{"claim", "1", "trunk", 0, false}, {"claim", "1", "trunk", -1, false}, {"claim", "1", "", 1, false},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &Claims{}
			for i, s := range tt.steps {
				if s.do == "release" {
					c.Release("demo", s.call)
				} else if got := c.Claim(nine, "demo", s.call, s.name, s.places, 0); got != s.want {
					t.Fatalf("step %d: call %s claims %q: %v", i, s.call, s.name, got)
				}
				if !c.Claim(nine, "other", "1", "trunk", 1, 0) { // which sees nothing of it
					t.Fatalf("step %d: an account is in another's way", i)
				}
			}
			c.Release("other", "1")
			for i := range 5 {
				c.Release("demo", fmt.Sprint(i))
			}
			expectEmpty(t, c)
		})
	}
}

func TestClaimRate(t *testing.T) {
	type step struct {
		after  time.Duration // since the step before; negative if the clock is set back
		times  int           // claims
		places int
		per    time.Duration
		want   int // granted
	}
	const minute = time.Minute
	tests := []struct {
		name  string
		steps []step
	}{
		{"a burst, then one by one", []step{
			{0, 5, 3, minute, 3}, {19 * time.Second, 1, 3, minute, 0}, {time.Second, 2, 3, minute, 1},
			{40 * time.Second, 5, 3, minute, 2}, {10 * minute, 5, 3, minute, 3},
		}},
		{"a fraction of a nanosecond", []step{{0, 9, 7, time.Second, 7}, {time.Second + 7, 9, 7, time.Second, 7}}},
		{"more places than nanoseconds", []step{{0, 10_000, 5_000, 1000, 5_000}}},
		{"more in a new version", []step{{0, 3, 2, minute, 2}, {0, 5, 4, minute, 0}, {15 * time.Second, 2, 4, minute, 1}}},
		{"a shorter time in a new version", []step{
			{0, 9, 2, time.Hour, 2}, {0, 1, 2, time.Second, 0}, {time.Second, 3, 2, time.Second, 2},
		}},
		{"the clock is set back", []step{{0, 4, 4, minute, 4}, {-23 * time.Hour, 1, 4, minute, 0}, {minute, 9, 4, minute, 4}}},
		{"the clock jumps ahead", []step{{0, 4, 4, minute, 4}, {1e6 * time.Hour, 9, 4, minute, 4}, {-1e6 * time.Hour, 9, 4, minute, 4}}},
		{"a day at most", []step{{0, 2, 1, 1 << 62, 1}, {24 * time.Hour, 2, 1, 1 << 62, 1}}},
		{"not a time", []step{{0, 2, 1, -1, 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, now := &Claims{}, nine
			for i, s := range tt.steps {
				now = now.Add(s.after)
				granted := 0
				for n := range s.times {
					if c.Claim(now, "demo", fmt.Sprint(n), "fax", s.places, s.per) {
						granted++
					}
				}
				if granted != s.want {
					t.Fatalf("step %d: %d granted, want %d", i, granted, s.want)
				}
			}
			c.Release("demo", "1") // gives nothing back, and is not needed
			c.Claim(now.Add(48*time.Hour), "demo", "1", "last", 1, 0)
			c.Release("demo", "1")
			expectEmpty(t, c)
		})
	}
}

// TestClaimBothWays uses one name for places and for a rate.
func TestClaimBothWays(t *testing.T) {
	c := &Claims{}
	for call, want := range []bool{true, false} {
		if got := c.Claim(nine, "demo", fmt.Sprint(call), "trunk", 1, 0); got != want {
			t.Errorf("place for %d: %v", call, got)
		}
		if got := c.Claim(nine, "demo", fmt.Sprint(call), "trunk", 1, time.Second); got != want {
			t.Errorf("rate for %d: %v", call, got)
		}
	}
	c.Release("demo", "0")
	if c.Claim(nine, "demo", "1", "trunk", 1, time.Second) {
		t.Error("the rate was given back with the place")
	}
	if s := c.Stats(); s != (ClaimStats{Accounts: 1, Names: 1, Rates: 1}) {
		t.Errorf("%+v", s)
	}
}

func TestClaimsOfACallAreBounded(t *testing.T) {
	c := &Claims{}
	for i := range ClaimsOfACall + 5 {
		if got, want := c.Claim(nine, "demo", "1", fmt.Sprint(i), 9, 0), i < ClaimsOfACall; got != want {
			t.Errorf("name %d: %v", i, got)
		}
	}
	if !c.Claim(nine, "demo", "1", "0", 9, 0) || !c.Claim(nine, "demo", "2", "new", 9, 0) {
		t.Error("what the call holds, or another call, was refused")
	}
	c.Release("demo", "1")
	c.Release("demo", "2")
	expectEmpty(t, c)
}

// TestClaimNamesAreBounded fills an account with names of both kinds. Those of
// rates make room when their time is over.
func TestClaimNamesAreBounded(t *testing.T) {
	c := &Claims{}
	for i := range ClaimNames {
		per := time.Duration(0)
		if i >= ClaimNames/2 {
			per = time.Minute
		}
		if !c.Claim(nine, "demo", fmt.Sprint(i), fmt.Sprint(i), 1, per) {
			t.Fatalf("name %d refused", i)
		}
	}
	for _, per := range []time.Duration{0, time.Second} {
		if c.Claim(nine, "demo", "x", "one too many", 1, per) {
			t.Errorf("one too many, per %v", per)
		}
	}
	if !c.Claim(nine, "demo", "x", "0", 2, 0) || !c.Claim(nine, "other", "x", "mine", 1, 0) {
		t.Error("a name in use, or another account, was refused")
	}
	c.Release("demo", "1")
	if !c.Claim(nine, "demo", "x", "in its place", 1, 0) {
		t.Error("no room after a release")
	}
	later := nine.Add(time.Minute)
	for i := range ClaimNames / 2 {
		if !c.Claim(later, "demo", fmt.Sprint("y", i), fmt.Sprint("new", i), 1, 0) {
			t.Fatalf("name %d has no room", i)
		}
	}
	if s := c.Stats(); s.Names != ClaimNames+1 || s.Rates != 0 {
		t.Errorf("%+v", s)
	}
}

// TestRatesMakeRoomForAll forgets all names of an account to make room for one,
// while it is other accounts' turn to be looked at.
func TestRatesMakeRoomForAll(t *testing.T) {
	c := &Claims{}
	for i := range ClaimNames {
		c.Claim(nine, "demo", "1", fmt.Sprint(i), 1, time.Second)
	}
	for i := range 10 {
		c.Claim(nine, "other", "1", fmt.Sprint(i), 1, ClaimLongestPer)
	}
	for _, n := range c.accounts["other"].names {
		c.rates.MoveToFront(n.turn)
	}
	if !c.Claim(nine.Add(time.Hour), "demo", "1", "new", 1, 0) {
		t.Error("no room")
	}
	if got := c.Held("demo", "1"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("holds %q", got)
	}
	if s := c.Stats(); s != (ClaimStats{Accounts: 2, Names: 11, Rates: 10, Places: 1}) {
		t.Errorf("%+v", s)
	}
}

// TestRatesAreForgotten claims ever new names: what is over does not pile up.
func TestRatesAreForgotten(t *testing.T) {
	c, now := &Claims{}, nine
	for i := range 100_000 {
		now = now.Add(10 * time.Millisecond)
		if !c.Claim(now, fmt.Sprint("account", i%300), "1", fmt.Sprint("caller", i), 1, time.Second) {
			t.Fatalf("claim %d refused", i)
		}
		if s := c.Stats(); s.Rates > 250 || s.Names != s.Rates { // 100 are not full
			t.Fatalf("claim %d: %+v", i, s)
		}
	}
}

func TestRestoreClaims(t *testing.T) {
	c := &Claims{}
	for call, names := range map[string][]string{"1": {"trunk", "fax"}, "2": {"trunk"}} {
		for _, name := range names {
			c.Claim(nine, "demo", call, name, 2, 0)
		}
	}
	next := &Claims{}
	for _, call := range []string{"1", "2", "3"} {
		next.Restore("demo", call, c.Held("demo", call))
		next.Restore("demo", call, c.Held("demo", call))
		if got, want := next.Held("demo", call), c.Held("demo", call); !slices.Equal(got, want) {
			t.Errorf("call %s holds %q, want %q", call, got, want)
		}
	}
	if next.Stats() != c.Stats() || next.Stats().Places != 3 {
		t.Errorf("%+v, before %+v", next.Stats(), c.Stats())
	}
	if next.Claim(nine, "demo", "3", "trunk", 2, 0) || !next.Claim(nine, "demo", "3", "fax", 2, 0) {
		t.Error("the restored places are not counted")
	}
	next.Restore("demo", "4", []string{"fax", "", string(make([]byte, ClaimNameBytes+1))})
	if got := next.Held("demo", "4"); !slices.Equal(got, []string{"fax"}) {
		t.Errorf("holds %q", got)
	}
	for i := range 5 {
		next.Release("demo", fmt.Sprint(i))
	}
	expectEmpty(t, next)
}

// TestClaimsFromManyGoroutines never lets more than three hold the one name.
func TestClaimsFromManyGoroutines(t *testing.T) {
	const places = 3
	c := &Claims{}
	var holding, granted atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 2000 {
				call := fmt.Sprint(i, "-", n)
				if c.Claim(nine, "demo", call, "trunk", places, 0) {
					granted.Add(1)
					if now := holding.Add(1); now > places {
						t.Errorf("%d hold a place", now)
					}
					c.Held("demo", call)
					holding.Add(-1)
				}
				c.Release("demo", call)
			}
		})
	}
	all.Wait()
	if granted.Load() < places {
		t.Errorf("%d granted", granted.Load())
	}
	expectEmpty(t, c)
}

// BenchmarkClaim takes and gives back a place among 10,000 calls.
func BenchmarkClaim(b *testing.B) {
	c := &Claims{}
	names, calls := make([]string, 500), make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprint("trunk", i)
	}
	for i := range calls {
		calls[i] = fmt.Sprintf("call-%032d", i)
		c.Claim(nine, "demo", calls[i], names[i%len(names)], 1000, 0)
	}
	b.Run("place", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			call := calls[i%len(calls)]
			c.Release("demo", call)
			c.Claim(nine, "demo", call, names[i%len(names)], 1000, 0)
		}
	})
	b.Run("rate", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				c.Claim(nine.Add(time.Duration(i)), "demo", "1", names[i%len(names)], 1000, time.Second)
			}
		})
	})
}
