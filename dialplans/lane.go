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
// everybody else is served. A breath lasts a millisecond: that is how exactly Go waits
// when nothing else is to be done, and only then does it look at the network.
const (
	slowFrom   = 10 * time.Millisecond // of CPU time
	slowTurn   = 8 * time.Millisecond  // of CPU time
	breath     = time.Millisecond
	longestJam = time.Second // after which a script no longer waits for its turn
)

var (
	slowLane    = make(chan struct{}, runtime.GOMAXPROCS(0))
	slowWaiting atomic.Int32
)

// slowness is where a run stands towards the slow lane.
type slowness struct {
	inLane bool
	turn   time.Duration // CPU time when its turn began
}

// giveWay lets others go on, if the run is slow. The time counts neither as CPU time
// nor, but for its wall limit, at all.
func (b *budget) giveWay() {
	if b.cpu < slowFrom || b.cpu-b.turn < slowTurn {
		return
	}
	if b.inLane {
		time.Sleep(breath) // nobody of the lane works meanwhile
		if slowWaiting.Load() > 0 {
			b.leaveLane()
		}
	}
	if !b.inLane {
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
	case slowLane <- struct{}{}:
		b.inLane = true
	case <-jam.C: // somebody in it does not move: the worker will be ended for that
	}
}

// leaveLane is for a run that ends or waits for something else.
func (b *budget) leaveLane() {
	if b.inLane {
		b.inLane = false
		<-slowLane
	}
}
