package blame

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	noon   = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	killer = Version{"bad", "main", 7}
	victim = Version{"good", "main", 1}
)

// crash is the death of a worker by itself.
func crash(n int, apart bool) Death {
	return Death{At: noon.Add(time.Duration(n) * time.Second), Worker: fmt.Sprintf("w1.%d", n), Reason: "exit status 2", Apart: apart}
}

func acquit(l *Ledger, v Version, n int) {
	for range n {
		l.Acquit(v, noon)
	}
}

func TestSuspectsAreProvenApart(t *testing.T) {
	l := &Ledger{}
	l.Accuse(killer, crash(1, false))
	l.Accuse(victim, crash(1, false))
	if l.Standing(killer) != Suspect || l.Standing(victim) != Suspect {
		t.Fatal("a death among several must make all of them suspects")
	}
	acquit(l, victim, firstGood)
	l.Accuse(killer, crash(2, true))
	if got := l.Standing(killer); got != Guilty {
		t.Errorf("the version that a worker died with alone is %v", got)
	}
	if got := l.Standing(victim); got != Innocent {
		t.Errorf("the version that ran well apart is %v", got)
	}
	acquit(l, killer, maxGood)
	if l.Standing(killer) != Guilty {
		t.Error("good runs took guilt away")
	}
}

func TestOneDeathIsOneAccusation(t *testing.T) {
	l := &Ledger{}
	for range 50 {
		l.Accuse(victim, crash(1, false))
	}
	if c, _ := l.Case(victim); c.Accused != 1 || c.Needed != firstGood {
		t.Errorf("50 runs on one dead worker: %+v", c)
	}
}

func TestSeldomKillersNeedMoreGoodRuns(t *testing.T) {
	l := &Ledger{}
	for i, want := range []int{3, 30, 300, 3000, maxGood, maxGood} {
		l.Accuse(killer, crash(i, false))
		if c, _ := l.Case(killer); c.Needed != want {
			t.Errorf("accusation %d: %d good runs needed, want %d", i+1, c.Needed, want)
		}
		acquit(l, killer, want-1)
		if l.Standing(killer) != Suspect {
			t.Errorf("accusation %d: cleared after %d", i+1, want-1)
		}
		acquit(l, killer, 1)
		if l.Standing(killer) != Innocent {
			t.Errorf("accusation %d: not cleared after %d", i+1, want)
		}
	}
}

func TestDeathsFromOutside(t *testing.T) {
	l := &Ledger{}
	outside := func(n int, apart bool) Death {
		d := crash(n, apart)
		d.Outside = true
		return d
	}
	for i := range 20 {
		l.Accuse(victim, outside(i, false))
		acquit(l, victim, firstGood)
	}
	if l.Standing(victim) != Innocent {
		t.Error("an operator's kills made a version need more good runs")
	}
	for i := range 5 {
		l.Accuse(victim, outside(30+i, true))
		for range firstGood {
			l.Acquit(victim, noon.Add(time.Duration(30+i)*time.Second+time.Millisecond))
		}
		if got := l.Standing(victim); got != Innocent {
			t.Fatalf("kill %d from outside, apart, and then good runs: %v", i, got)
		}
	}
	l.Accuse(victim, outside(40, true))
	if got := l.Standing(victim); got != Suspect {
		t.Errorf("one kill from outside, apart: %v", got)
	}
	l.Accuse(victim, outside(41, true))
	if got := l.Standing(victim); got != Guilty {
		t.Errorf("two kills from outside, apart: %v", got)
	}
}

// TestKillsFarApart: an operator, or trouble of the machine, ends worker after worker under
// a version that needs many good runs, and has some in between.
func TestKillsFarApart(t *testing.T) {
	l := &Ledger{}
	for i := range 4 {
		l.Accuse(victim, crash(i, false))
	}
	for i := range 10 {
		d := crash(10+i, true)
		d.Outside = true
		l.Accuse(victim, d)
		acquit(l, victim, firstGood)
		if got := l.Standing(victim); got != Suspect {
			t.Fatalf("kill %d from outside and %d good runs of 3000: %v", i, firstGood, got)
		}
	}
	acquit(l, victim, 3000-firstGood)
	if got := l.Standing(victim); got != Innocent {
		t.Errorf("after all good runs: %v", got)
	}
}

// TestTheGuiltyExplainDeaths: who stood beside the killer each time is free as soon as
// that is proven, and needs no more good runs the next time.
func TestTheGuiltyExplainDeaths(t *testing.T) {
	l := &Ledger{}
	for i := range 4 {
		l.Accuse(killer, crash(i, false))
		l.Accuse(victim, crash(i, false))
	}
	other := Version{"other", "main", 1}
	l.Accuse(other, crash(3, false))
	l.Accuse(other, crash(4, false)) // a death that the killer had no part in
	l.Accuse(killer, crash(5, true))
	if l.Standing(killer) != Guilty || l.Standing(victim) != Innocent || l.Standing(other) != Suspect {
		t.Fatalf("killer %v, victim %v, other %v", l.Standing(killer), l.Standing(victim), l.Standing(other))
	}
	if c, _ := l.Case(other); c.Accused != 1 || c.Needed != firstGood || len(c.Deaths) != 1 {
		t.Errorf("of two deaths one is left: %+v", c)
	}
	l.Accuse(victim, crash(6, false))
	if c, _ := l.Case(victim); c.Accused != 1 || c.Needed != firstGood {
		t.Errorf("accused for the first time: %+v", c)
	}
}

func TestSuspicionIsForgottenAndGuiltIsNot(t *testing.T) {
	l := &Ledger{}
	l.Accuse(victim, crash(1, false))
	l.Accuse(killer, crash(1, true))
	later := noon.Add(memory + time.Minute)
	if list := l.Cases(later); len(list) != 1 || list[0].Version != killer {
		t.Errorf("an hour later: %+v", list)
	}
	if l.Standing(victim) != Innocent || l.Standing(killer) != Guilty {
		t.Error("what the call path reads differs from the cases")
	}
}

func TestReleaseAndRestore(t *testing.T) {
	l := &Ledger{}
	var changes []string
	l.Changed = func(c Case) { changes = append(changes, c.Version.String()+" "+c.Standing.String()) }
	l.Accuse(killer, crash(1, true))
	l.Accuse(victim, crash(1, false))
	again := &Ledger{}
	again.Restore(OnlyGuilty(l.Cases(noon)))
	if again.Standing(killer) != Guilty || again.Standing(victim) != Innocent {
		t.Error("another process should know the guilty and nobody else")
	}
	if !l.Release(killer, noon) || l.Release(killer, noon) || l.Standing(killer) != Innocent {
		t.Error("a release should work once")
	}
	want := []string{"bad/main@7 guilty", "good/main@1 suspect", "bad/main@7 innocent"}
	if !slices.Equal(changes, want) {
		t.Errorf("told %q, want %q", changes, want)
	}
	l.Accuse(killer, crash(2, false))
	if c, _ := l.Case(killer); c.Accused != 1 {
		t.Errorf("a released version is accused for the first time, got %+v", c)
	}
}

// TestCasesAreBounded accuses more versions than a ledger holds.
func TestCasesAreBounded(t *testing.T) {
	l := &Ledger{}
	l.Accuse(killer, crash(0, true))
	for i := range maxCases + 10 {
		l.Accuse(Version{"a", "p", uint32(i)}, Death{At: noon.Add(time.Duration(i) * time.Millisecond), Worker: "w1.1"})
	}
	if n := len(l.cases); n > maxCases {
		t.Errorf("%d cases", n)
	}
	if l.Standing(killer) != Guilty {
		t.Error("the guilty gave way to suspects")
	}
}

// TestGuiltIsBounded: of an account that publishes one killer after the other, the newest
// are remembered.
func TestGuiltIsBounded(t *testing.T) {
	l := &Ledger{}
	for i := range 3 * maxGuilty {
		l.Accuse(Version{"bad", "main", uint32(i)}, crash(i, true))
	}
	old := Version{"bad", "main", 0} // its owner goes back to it
	l.Accuse(old, crash(999, true))
	if l.Standing(old) != Guilty {
		t.Error("the version that was proven guilty last is forgotten for its low number")
	}
	l.Accuse(victim, crash(1000, true))
	if n := len(l.Cases(noon)); n != maxGuilty+1 {
		t.Errorf("%d versions of two plans are guilty, want %d", n, maxGuilty+1)
	}
	if l.Standing(Version{"bad", "main", 3*maxGuilty - 1}) != Guilty || l.Standing(Version{"bad", "main", 1}) != Innocent {
		t.Error("others than those that were proven last are remembered")
	}
}

// TestLedgerModel holds the ledger against its rules under random deaths and runs.
func TestLedgerModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, now, worker := &Ledger{}, noon, 0
		told := map[Version]Standing{}
		l.Changed = func(c Case) { told[c.Version] = c.Standing }
		apartCrash := map[Version]bool{}
		version := rapid.Custom(func(t *rapid.T) Version { return Version{"a", "p", rapid.Uint32Range(1, 4).Draw(t, "n")} })
		t.Repeat(map[string]func(*rapid.T){
			"crash": func(t *rapid.T) {
				worker++
				d := Death{At: now, Worker: fmt.Sprint(worker), Apart: rapid.Bool().Draw(t, "apart"), Outside: rapid.Bool().Draw(t, "outside")}
				v := version.Draw(t, "version")
				apartCrash[v] = apartCrash[v] || d.Apart
				l.Accuse(v, d)
				if l.Standing(v) == Innocent {
					t.Fatal("accused and innocent")
				}
				if d.Apart && !d.Outside && l.Standing(v) != Guilty {
					t.Fatal("a death alone proves nothing")
				}
			},
			"crash of several": func(t *rapid.T) {
				worker++
				for _, v := range rapid.SliceOfNDistinct(version, 2, 4, rapid.ID).Draw(t, "versions") {
					l.Accuse(v, Death{At: now, Worker: fmt.Sprint(worker), Outside: rapid.Bool().Draw(t, "outside")})
				}
			},
			"run": func(t *rapid.T) {
				v := version.Draw(t, "version")
				was := l.Standing(v)
				l.Acquit(v, now)
				if was == Guilty && l.Standing(v) != Guilty {
					t.Fatal("guilt went away by itself")
				}
			},
			"time":    func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "minutes")) * time.Minute) },
			"release": func(t *rapid.T) { v := version.Draw(t, "version"); l.Release(v, now); apartCrash[v] = false },
			"": func(t *rapid.T) {
				for _, c := range l.Cases(now) {
					if l.Standing(c.Version) != c.Standing {
						t.Fatalf("%v: the call path reads %v", c, l.Standing(c.Version))
					}
					if c.Standing == Guilty && !apartCrash[c.Version] {
						t.Fatalf("%v is guilty and was never alone with a death", c.Version)
					}
					if c.Accused < 0 || c.Standing == Suspect && c.Good >= c.Needed {
						t.Fatalf("%+v", c)
					}
					if told[c.Version] != c.Standing {
						t.Fatalf("%v: told %v", c, told[c.Version])
					}
				}
			},
		})
	})
}

func TestLedgerConcurrently(t *testing.T) {
	l := &Ledger{}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				v := Version{"a", "p", uint32(n % 5)}
				l.Accuse(v, crash(i*1000+n, false))
				l.Acquit(v, noon)
				l.Standing(v)
			}
		})
	}
	all.Wait()
	if len(l.Cases(noon.Add(time.Second))) != 5 {
		t.Error("cases were lost")
	}
}
