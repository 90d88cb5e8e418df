package dispatcher

import (
	"sync/atomic"
	"time"
)

// An Account counts what a tenant uses across all shards. Its zero value has no
// limits. Safe for concurrent use; it must not be copied.
type Account struct {
	Runs int // calls in progress at once; 0 = no limit
	Rate int // new calls per second, with a burst of one second's worth; 0 = no limit

	running atomic.Int64
	next    atomic.Int64 // when the token bucket is full again, Unix ns
}

// enter takes one run and one token, or neither.
func (a *Account) enter(now time.Time) bool {
	if a == nil {
		return true
	}
	if n := a.running.Add(1); a.Runs > 0 && n > int64(a.Runs) {
		a.running.Add(-1)
		return false
	}
	if a.Rate > 0 && !a.token(now.UnixNano()) {
		a.running.Add(-1)
		return false
	}
	return true
}

// token is the generic cell rate algorithm: the bucket is one instant.
func (a *Account) token(now int64) bool {
	interval := int64(time.Second) / int64(a.Rate)
	for {
		next := a.next.Load()
		from := max(next, now)
		if from+interval-now > int64(time.Second) {
			return false
		}
		if a.next.CompareAndSwap(next, from+interval) {
			return true
		}
	}
}

func (a *Account) leave() {
	if a != nil {
		a.running.Add(-1)
	}
}

// Running is the number of the account's calls in progress.
func (a *Account) Running() int { return int(a.running.Load()) }
