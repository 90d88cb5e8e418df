package dialplans

import (
	"runtime"
	"sync/atomic"
	"time"
)

// The slow lane. A plan is usually done within microseconds. A script that is not
// shares the process with many that are, and the scheduler would let it go on for ten
// milliseconds at a time, as often as there are such scripts, and not look at the
// network meanwhile. So a script that has used more than slowFrom enters the slow lane,
// where as many are at work at once as there are processors, the others wait for their
// turn, and even the one at work pauses for a breath between two turns, in which
// everybody else is served: others' calls take hardly longer than ever. Two thirds of a
// processor are for slow scripts, and somewhat more if there is but one.
const (
	slowFrom   = time.Millisecond       // of CPU time
	soleTurn   = time.Millisecond       // of CPU time, for a script that is the only slow one
	slowTurn   = 250 * time.Microsecond // of CPU time, for one of several
	breath     = 100 * time.Microsecond
	longestJam = time.Second // after which a script no longer waits for its turn
)

var (
	slowLane    = openLane(runtime.GOMAXPROCS(0))
	slowWaiting atomic.Int32
)

// openLane makes a lane with room for n.
func openLane(n int) chan *breather {
	lane := make(chan *breather, n)
	for range n {
		lane <- &breather{}
	}
	return lane
}

// OpenLane gives the slow lane timers that are finer than Go's. It is for a process that
// only runs scripts, before it confines itself.
func OpenLane() {
	for range cap(slowLane) {
		b := <-slowLane
		b.open()
		slowLane <- b
	}
}

// slowness is where a run stands towards the slow lane.
type slowness struct {
	place *breather     // in the lane; nil outside
	turn  time.Duration // CPU time when its turn began
}

// giveWay lets others go on, if the run is slow. The time counts neither as CPU time
// nor, but for its wall limit, at all.
func (b *budget) giveWay() {
	waiting := slowWaiting.Load() > 0
	if used := b.cpu - b.turn; b.cpu < slowFrom || used < slowTurn || used < soleTurn && !waiting {
		return
	}
	if b.place != nil {
		b.place.breathe(breath) // nobody of the lane works meanwhile
		if slowWaiting.Load() > 0 {
			b.leaveLane()
		}
	}
	if b.place == nil {
		b.enterLane()
	}
	b.turn = b.cpu
	b.looked = b.clock()
}

func (b *budget) enterLane() {
	slowWaiting.Add(1)
	defer slowWaiting.Add(-1)
	jam := time.NewTimer(longestJam)
	defer jam.Stop()
	select {
	case b.place = <-slowLane:
	case <-jam.C: // somebody in it does not move: the worker will be ended for that
	}
}

// leaveLane is for a run that ends or waits for something else.
func (b *budget) leaveLane() {
	if b.place != nil {
		slowLane <- b.place
		b.place = nil
	}
}
