package dialplans

import (
	"fmt"
	"sync/atomic"
	"time"

	"dialyard/proto"
)

const (
	// lookEvery is how many steps may pass between two looks at the clock.
	lookEvery = 64
	// slowWindow is the time between two looks beyond which every further
	// step looks: the script is in operations that take long.
	slowWindow = time.Millisecond
	// maxSlice is the most CPU time charged between two looks, but for work
	// that was paid for in one go. A longer gap means that the scheduler ran
	// others, which is not this script's doing; the wall limit still holds.
	maxSlice = 5 * time.Millisecond
	// stepTime is the longest that a step of paid work is taken to last.
	stepTime = 50 * time.Nanosecond

	// totalLimit is how long a run may go on in all, dials included.
	totalLimit = 300 * time.Second
	// afterCall is how long a script may go on once its call has been answered
	// or given up.
	afterCall = time.Second

	// maxString is the longest string a script may build, in bytes.
	maxString = 1 << 20
	// maxBuilt is what a run may build in strings altogether, in bytes.
	maxBuilt = 64 << 20
)

// ended is the channel that Done gives once a run is over.
var ended = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// origin is a little before all runs, by the clock that nobody sets.
var origin = time.Now().Add(-time.Second)

// ending says why a run is over before its script came to an end.
type ending struct {
	outcome proto.Outcome
	why     string
}

// budget is what one run may use. It is the context of the run's Lua state: the
// interpreter asks Done before each instruction, which makes it the only clock
// a run needs: no timer, no goroutine.
//
// All fields but over and begun belong to the run's goroutine.
type budget struct {
	run *Run
	slowness

	over  atomic.Pointer[ending]
	begun atomic.Int64 // start of Lua plus the waits since, ns since origin
	spent atomic.Int64 // ns in Lua plus one, while the script waits and when it has ended

	start     time.Time
	paused    time.Duration // since start, when the present wait began
	waited    time.Duration // in all waits before
	stood     time.Duration // in those of them for which the script's clock stood still
	looked    time.Duration // on the script's clock, at the last look
	cpu       time.Duration
	paid      time.Duration // for work since the last look
	left      int           // steps until the next look
	built     int           // bytes of string
	wallLimit time.Duration // on the script's clock
	cpuLimit  time.Duration
	farewell  string // what has happened to the call that leaves the script a last second
}

// begin starts the clock.
func (b *budget) begin() {
	b.start = time.Now()
	b.begun.Store(int64(b.start.Sub(origin)))
	b.left = lookEvery
}

// finish stops the clock and gives the time charged.
func (b *budget) finish() time.Duration {
	b.leaveLane()
	b.charge(b.clock())
	b.spent.Store(int64(time.Since(b.start)-b.waited) + 1)
	return b.cpu
}

// clock is the script's own: the time since begin, without what legs took to ring.
func (b *budget) clock() time.Duration { return time.Since(b.start) - b.stood }

// pause begins a wait, which is no time in Lua.
func (b *budget) pause() {
	b.leaveLane()
	b.paused = time.Since(b.start)
	b.charge(b.paused - b.stood)
	b.spent.Store(int64(b.paused-b.waited) + 1)
}

// resume ends a wait, for which the script's clock stood still or went on.
func (b *budget) resume(still bool) {
	took := time.Since(b.start) - b.paused
	b.waited += took
	if still {
		b.stood += took
	}
	b.looked = b.clock()
	b.begun.Add(int64(took))
	b.spent.Store(0)
}

// patience is how long a wait may last.
func (b *budget) patience(still bool) time.Duration {
	if still {
		return b.totalLeft()
	}
	return b.remaining()
}

// endLate ends a run whose time went by while it waited.
func (b *budget) endLate() {
	if b.totalLeft() == 0 {
		b.endTotal()
		return
	}
	b.endWall()
}

// part shortens the time that the script has left: its call is over as far as
// it is concerned, for the reason given.
func (b *budget) part(why string) {
	if b.farewell == "" {
		b.wallLimit, b.farewell = min(b.wallLimit, b.clock()+afterCall), why
	}
}

// active is the time in Lua since begin, up to finish. Any goroutine may ask.
func (b *budget) active() time.Duration {
	if spent := b.spent.Load(); spent != 0 {
		return time.Duration(spent)
	}
	begun := b.begun.Load()
	if begun == 0 {
		return 0
	}
	return max(0, time.Since(origin)-time.Duration(begun))
}

// end ends the run; the first reason given stands. Any goroutine may call it.
func (b *budget) end(outcome proto.Outcome, why string) {
	b.over.CompareAndSwap(nil, &ending{outcome, why})
}

// spend takes n steps of about ten nanoseconds each and reports whether the run
// may go on. Long work in Go calls it as it goes.
func (b *budget) spend(n int) bool {
	if b.left -= n; b.left <= 0 {
		b.look()
		b.paid = time.Duration(n) * stepTime
	}
	return b.over.Load() == nil
}

// look reads the clock and ends the run if a limit has passed.
func (b *budget) look() {
	now := b.clock()
	if b.charge(now) > slowWindow {
		b.left = 1
	} else {
		b.left = lookEvery
	}
	switch {
	case b.cpu > b.cpuLimit:
		b.end(proto.Outcome_OUTCOME_LIMIT, fmt.Sprintf("the script used more than %v of CPU time", b.cpuLimit))
	case now > b.wallLimit:
		b.endWall()
	case now+b.stood > totalLimit:
		b.endTotal()
	default:
		b.giveWay()
	}
}

// endWall ends a run that has taken too long by the script's clock.
func (b *budget) endWall() {
	if b.farewell != "" {
		b.end(proto.Outcome_OUTCOME_LIMIT, fmt.Sprintf("the script went on for more than %v after %s", afterCall, b.farewell))
		return
	}
	b.end(proto.Outcome_OUTCOME_LIMIT, fmt.Sprintf("the script took longer than %v", b.wallLimit))
}

// endTotal ends a run that has lasted too long, dials included.
func (b *budget) endTotal() {
	b.end(proto.Outcome_OUTCOME_LIMIT, fmt.Sprintf("the script and its dials took longer than %v", totalLimit))
}

// totalLeft is how long the run may still go on, dials included.
func (b *budget) totalLeft() time.Duration { return max(0, totalLimit-time.Since(b.start)) }

// charge adds what has passed since the last look to the CPU time.
func (b *budget) charge(now time.Duration) (passed time.Duration) {
	passed = now - b.looked
	b.looked = now
	b.cpu += min(passed, maxSlice+b.paid)
	b.paid = 0
	return passed
}

// remaining is the time left on the script's clock.
func (b *budget) remaining() time.Duration {
	return min(max(0, b.wallLimit-b.clock()), b.totalLeft())
}

// grow asks for a new string of n bytes. An error means that the string would
// be too long; passing the total for all strings ends the run.
func (b *budget) grow(n int) error {
	if err := b.tooLong(n); err != nil {
		return err
	}
	if b.built += n; b.built > maxBuilt {
		b.end(proto.Outcome_OUTCOME_LIMIT, fmt.Sprintf("the script built more than %d MiB of strings", maxBuilt>>20))
		return b.Err()
	}
	if !b.spend(n >> 8) {
		return b.Err()
	}
	return nil
}

// tooLong complains about a string of n bytes if no script may build it.
func (b *budget) tooLong(n int) error {
	if n > maxString {
		return fmt.Errorf("a string of %d bytes is too long, the limit is %d", n, maxString)
	}
	return nil
}

// Done is asked by the interpreter before each instruction: nil, which never
// delivers, while the run may go on.
func (b *budget) Done() <-chan struct{} {
	if b.left--; b.left <= 0 {
		b.look()
	}
	if b.over.Load() != nil {
		return ended
	}
	return nil
}

// Err says why the run is over.
func (b *budget) Err() error {
	if e := b.over.Load(); e != nil {
		return e
	}
	return nil
}

// Deadline is part of context.Context; limits are kept by Done alone.
func (b *budget) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value is part of context.Context; a budget carries none.
func (b *budget) Value(any) any { return nil }

func (e *ending) Error() string { return e.why }
