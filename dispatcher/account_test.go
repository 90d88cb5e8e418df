package dispatcher

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func TestAccountWithoutLimits(t *testing.T) {
	var a Account
	for range 10_000 {
		if !a.enter(noon) {
			t.Fatalf("refused with %d running", a.Running())
		}
	}
	if a.Running() != 10_000 {
		t.Errorf("%d running", a.Running())
	}
}

// TestNoAccount: a call of nobody's is limited by nobody.
func TestNoAccount(t *testing.T) {
	var a *Account
	if !a.enter(noon) {
		t.Error("refused")
	}
	a.leave()
}

func TestAccountRuns(t *testing.T) {
	a := Account{Runs: 3}
	for range 3 {
		if !a.enter(noon) {
			t.Fatalf("refused with %d running", a.Running())
		}
	}
	if a.enter(noon) || a.Running() != 3 {
		t.Fatalf("%d running", a.Running())
	}
	a.releaseRun()
	if !a.enter(noon) || a.enter(noon) {
		t.Errorf("%d running", a.Running())
	}
}

// TestAccountRate: a second's worth at once, then one each interval.
func TestAccountRate(t *testing.T) {
	for _, rate := range []int{1, 3, 7, 50, 1000} {
		a := Account{Rate: rate}
		at := func(d time.Duration) (taken int) {
			for a.enter(noon.Add(d)) {
				taken++
			}
			return taken
		}
		interval := time.Second / time.Duration(rate)
		if n := at(0); n != rate {
			t.Errorf("rate %d: %d at once", rate, n)
		}
		if n := at(interval / 2); n != 0 {
			t.Errorf("rate %d: %d more after half an interval", rate, n)
		}
		if n := at(interval); n != 1 {
			t.Errorf("rate %d: %d more after an interval", rate, n)
		}
		if n := at(time.Hour); n != rate {
			t.Errorf("rate %d: %d after an hour", rate, n)
		}
	}
}

func TestAccountRefusedByRateTakesNoRun(t *testing.T) {
	a := Account{Runs: 5, Rate: 1}
	for range 20 {
		a.enter(noon)
	}
	if a.Running() != 1 {
		t.Errorf("%d running", a.Running())
	}
	for a.Running() > 0 {
		a.releaseRun()
	}
	if a.enter(noon.Add(time.Millisecond)) {
		t.Error("a call that ended gave its token back")
	}
}

// TestAccountCalls: an answered call keeps its place when its script has ended.
func TestAccountCalls(t *testing.T) {
	a := Account{Calls: 2, Runs: 1}
	for range 2 {
		if !a.enter(noon) {
			t.Fatal("refused")
		}
		a.releaseRun()
	}
	if a.enter(noon) || a.Running() != 0 {
		t.Fatalf("a third call, %d running", a.Running())
	}
	a.leave()
	if !a.enter(noon) {
		t.Error("refused after one has left")
	}
}

// TestAccountRateSurvivesASetClock: an hour back must not refuse calls for an hour.
func TestAccountRateSurvivesASetClock(t *testing.T) {
	a := Account{Rate: 10}
	a.enter(noon)
	if !a.enter(noon.Add(-time.Hour)) {
		t.Error("refused")
	}
}

func TestAccountRefusedByRunsTakesNoToken(t *testing.T) {
	a := Account{Runs: 1, Rate: 2}
	for range 20 {
		a.enter(noon)
	}
	a.releaseRun()
	if !a.enter(noon) {
		t.Error("the second token is gone")
	}
}

// TestAccountModel holds an account against a plain token bucket and a counter.
func TestAccountModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &Account{Runs: rapid.IntRange(0, 4).Draw(t, "runs"), Rate: rapid.SampledFrom([]int{0, 1, 2, 5, 10}).Draw(t, "rate")}
		now, running, tokens := noon, 0, time.Second // tokens as time that has been saved up
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if a.Running() != running {
					t.Fatalf("%d running, want %d", a.Running(), running)
				}
			},
			"wait": func(t *rapid.T) {
				pause := time.Duration(rapid.IntRange(1, 600).Draw(t, "ms")) * time.Millisecond
				now, tokens = now.Add(pause), min(tokens+pause, time.Second)
			},
			"leave": func(t *rapid.T) {
				if running > 0 {
					a.releaseRun()
					running--
				}
			},
			"enter": func(t *rapid.T) {
				cost := time.Duration(0)
				if a.Rate > 0 {
					cost = time.Second / time.Duration(a.Rate)
				}
				want := (a.Runs == 0 || running < a.Runs) && cost <= tokens
				if got := a.enter(now); got != want {
					t.Fatalf("entered: %v; %d running of %d, %v saved up, %v each", got, running, a.Runs, tokens, cost)
				}
				if want {
					running, tokens = running+1, tokens-cost
				}
			},
		})
	})
}

// TestAccountFromManyShards: never over the limits, and all is given back.
func TestAccountFromManyShards(t *testing.T) {
	a := &Account{Runs: 5, Rate: 200}
	var entered, inside, most atomic.Int64
	var shards sync.WaitGroup
	for range 8 {
		shards.Go(func() {
			for range 2000 {
				if !a.enter(noon) {
					continue
				}
				entered.Add(1)
				for n := inside.Add(1); n > most.Load(); {
					most.Store(n)
				}
				inside.Add(-1)
				a.releaseRun()
			}
		})
	}
	shards.Wait()
	if entered.Load() != 200 || most.Load() > 5 || a.Running() != 0 {
		t.Errorf("%d entered, %d at once at the most, %d left behind", entered.Load(), most.Load(), a.Running())
	}
}

// TestLoad spends an account's CPU time and waits for more.
func TestLoad(t *testing.T) {
	a, now := &Account{Load: 0.5}, time.Unix(1_800_000_000, 0)
	enter := func() bool {
		ok := a.enter(now)
		if ok {
			a.releaseRun()
			a.leave()
		}
		return ok
	}
	a.charge(now, 4900*time.Millisecond)
	if !enter() {
		t.Error("refused below ten seconds' worth")
	}
	a.charge(now, 200*time.Millisecond)
	if enter() {
		t.Error("taken above ten seconds' worth")
	}
	now = now.Add(500 * time.Millisecond) // a quarter of a second of CPU later
	if !enter() {
		t.Error("refused when some of it was paid off")
	}
	free := &Account{}
	if free.charge(now, time.Hour); !free.enter(now) {
		t.Error("an account without a limit was refused")
	}
}
