package gateway

import (
	"math"
	"sync/atomic"
	"time"
)

// Entry says whether a gateway takes a call.
type Entry uint8

// The answers of [Gateway.Enter].
const (
	Entered Entry = iota
	Busy          // as many calls as it may have are under way
	TooFast       // as many calls as it may have each second have begun

	entryKinds = iota
)

func (e Entry) String() string {
	return [...]string{"entered", "busy", "too fast"}[e]
}

// limit counts calls under way and spaces new ones.
type limit struct {
	calls    int64 // at once; 0 = no limit
	interval int64 // between two new calls in the long run, ns; 0 = no limit
	burst    int64 // how far in advance calls may come, ns; at least interval

	running atomic.Int64
	next    atomic.Int64 // when the bucket is full again, Unix ns
}

// seldom bounds the interval between two calls, so that no sum overflows.
const seldom = 24 * time.Hour

// bound sets the limits, before anybody enters.
func (l *limit) bound(calls int, rate float64) {
	l.calls = int64(calls)
	if rate > 0 {
		l.interval = int64(math.Min(float64(time.Second)/rate, float64(seldom)))
		l.burst = max(int64(time.Second), l.interval)
	}
}

// enter takes a place and a token, or neither.
func (l *limit) enter(now time.Time) Entry {
	if !l.place() {
		return Busy
	}
	if l.interval > 0 && !l.token(now.UnixNano()) {
		l.running.Add(-1)
		return TooFast
	}
	return Entered
}

func (l *limit) leave() { l.running.Add(-1) }

func (l *limit) place() bool {
	for {
		n := l.running.Load()
		if l.calls > 0 && n >= l.calls {
			return false
		}
		if l.running.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// token is the generic cell rate algorithm: the bucket is one instant.
func (l *limit) token(now int64) bool {
	for {
		next := l.next.Load()
		from := max(next, now)
		if from-now > 2*l.burst {
			from = now // the clock was set back: nobody was promised so late a time
		}
		if from+l.interval-now > l.burst {
			return false
		}
		if l.next.CompareAndSwap(next, from+l.interval) {
			return true
		}
	}
}
