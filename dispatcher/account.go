package dispatcher

import (
	"sync/atomic"
	"time"

	"dialyard/dispatcher/call"
)

// An Account counts what a tenant uses across all shards. Its zero value has no
// limits. Safe for concurrent use; it must not be copied.
type Account struct {
	Runs   int          // scripts at once; 0 = no limit
	Calls  int          // calls at once, answered ones too; 0 = no limit
	Rate   int          // new calls per second, with a burst of one second's worth; 0 = no limit
	Policy *call.Policy // of its calls; nil for the Dispatcher's

	running atomic.Int64
	calls   atomic.Int64
	next    atomic.Int64 // when the token bucket is full again, Unix ns
}

// policy is the account's, or the given one if it has none.
func (a *Account) policy(otherwise *call.Policy) call.Policy {
	if a == nil || a.Policy == nil {
		return *otherwise
	}
	return *a.Policy
}

// enter takes a place for a run, one for a call, and a token, or none of them.
func (a *Account) enter(now time.Time) bool {
	if a == nil {
		return true
	}
	if n := a.running.Add(1); a.Runs > 0 && n > int64(a.Runs) {
		a.running.Add(-1)
		return false
	}
	if n := a.calls.Load(); a.Calls > 0 && n >= int64(a.Calls) || a.Rate > 0 && !a.token(now.UnixNano()) {
		a.running.Add(-1)
		return false
	}
	a.calls.Add(1)
	return true
}

// enterCall takes a place for a call that goes on without a run.
func (a *Account) enterCall() bool {
	if a == nil {
		return false
	}
	a.calls.Add(1)
	return true
}

// releaseRun gives the place of a run back.
func (a *Account) releaseRun() {
	if a != nil {
		a.running.Add(-1)
	}
}

// token is the generic cell rate algorithm: the bucket is one instant.
func (a *Account) token(now int64) bool {
	interval := int64(time.Second) / int64(a.Rate)
	for {
		next := a.next.Load()
		from := max(next, now)
		if from-now > int64(2*time.Second) {
			from = now // the clock was set back
		}
		if from+interval-now > int64(time.Second) {
			return false
		}
		if a.next.CompareAndSwap(next, from+interval) {
			return true
		}
	}
}

// leave gives the place of a call back.
func (a *Account) leave() {
	if a != nil {
		a.calls.Add(-1)
	}
}

// Running is the number of the account's scripts under way.
func (a *Account) Running() int { return int(a.running.Load()) }
