package dispatcher

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	simSeed    = flag.Uint64("sim.seed", 1, "seed of the first simulated world; the next has the next")
	simCalls   = flag.Int("sim.calls", 0, "calls to simulate, 100,000 by default and 5,000 with -short")
	simTime    = flag.Duration("sim.time", 0, "end the simulation after this long")
	simFails   = flag.Int64("sim.fails", 3, "end it after this many worlds that broke a rule")
	simTrace   = flag.Bool("sim.trace", false, "print what happened to the first call that a rule was broken for")
	simShow    = flag.Int("sim.show", -1, "print what happened to this call of the world instead")
	simCrashes = flag.Bool("sim.crashes", true, "let fronts be killed")
	simCopies  = flag.Bool("sim.copies", true, "let INVITEs come by two ways")
)

// TestSimulation runs worlds of random calls with random faults and holds what all
// ends have seen against the rules. A world that breaks one is run alone by its seed:
//
//	go test ./dispatcher -run 'TestSimulation$' -sim.seed SEED -sim.calls 1 -sim.trace
func TestSimulation(t *testing.T) {
	calls := *simCalls
	switch {
	case calls > 0:
	case testing.Short():
		calls = 5_000
	default:
		calls = 100_000
	}
	began := time.Now()
	s := simulation{t: t, calls: int64(calls), sum: simTally{}}
	s.next.Store(*simSeed)
	if *simTime > 0 {
		s.until = began.Add(*simTime)
	}
	var lanes sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		lanes.Go(s.run)
	}
	lanes.Wait()
	took, done := time.Since(began), max(1, s.sum["calls"])
	t.Logf("%d calls from seed %d in %v, %v each: %v", done, *simSeed, took.Round(time.Millisecond), took/time.Duration(done), s.sum)
	s.seesAll()
}

// simHangs is after which time a world, of some 30 ms, is taken to be in an endless loop.
const simHangs = 30 * time.Second

// A simulation is many worlds, as many at a time as there are processors.
type simulation struct {
	t      *testing.T
	calls  int64
	until  time.Time // zero for no end
	next   atomic.Uint64
	begun  atomic.Int64
	failed atomic.Int64

	mu  sync.Mutex
	sum simTally
}

// run is one lane.
func (s *simulation) run() {
	for s.begun.Load() < s.calls && s.failed.Load() < *simFails && (s.until.IsZero() || time.Now().Before(s.until)) {
		seed := s.next.Add(1) - 1
		watch := time.AfterFunc(simHangs, func() { panic(fmt.Sprintf("world %d hangs", seed)) })
		w := newSimWorld(seed, *simTrace)
		s.begun.Add(int64(w.size))
		w.live()
		watch.Stop()
		s.mu.Lock()
		for what, n := range w.tally {
			s.sum[what] += n
		}
		s.mu.Unlock()
		if len(w.faults) > 0 {
			s.failed.Add(1)
			s.t.Error(w.report())
		}
	}
}

// seesAll fails a simulation that was long enough and never came to what it is for.
func (s *simulation) seesAll() {
	if s.sum["calls"] < 4000 || !*simCrashes {
		return
	}
	for _, what := range []string{
		"answered", "cancels", "cancelled legs", "rings", "forks", "strays", "chats", "changed sessions", "glares", "lost", "crashes",
		"restored", "dead workers", "excused", "records",
	} {
		if s.sum[what] == 0 {
			s.t.Errorf("nothing was seen of this: %s", what)
		}
	}
}

// TestSimulationRepeats: a seed decides everything.
func TestSimulationRepeats(t *testing.T) {
	for seed := range uint64(5) {
		one, two := newSimWorld(seed, true), newSimWorld(seed, true)
		one.live()
		two.live()
		texts := func(w *simWorld) (lines []string) {
			for _, l := range w.trace {
				lines = append(lines, l.at.String()+" "+l.text)
			}
			return lines
		}
		a, b := texts(one), texts(two)
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("world %d: line %d is\n%s\nand then\n%s", seed, i, a[i], b[i])
			}
		}
		if !slices.Equal(a, b) {
			t.Fatalf("world %d: %d lines and then %d", seed, len(a), len(b))
		}
	}
}
