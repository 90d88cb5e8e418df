package dispatcher

import (
	"sync/atomic"
	"time"

	"dialyard/dispatcher/broker"
	"dialyard/dispatcher/call"
)

// An Account counts what a tenant uses across all shards. Its zero value has no
// limits. Safe for concurrent use; it must not be copied.
type Account struct {
	Runs   int            // scripts at once; 0 = no limit
	Calls  int            // calls at once, answered ones too; 0 = no limit
	Rate   int            // new calls per second, with a burst of one second's worth; 0 = no limit
	Load   float64        // seconds of CPU per second of its scripts, with a burst of ten seconds' worth; 0 = no limit
	Policy *call.Policy   // of its calls; nil for the Dispatcher's
	Reach  *broker.Policy // of what its scripts ask; nil for nothing

	own    usage
	shared *usage // of the Account that this one replaced
}

// usage is what an account uses now.
type usage struct {
	running atomic.Int64
	calls   atomic.Int64
	next    atomic.Int64 // when the bucket of calls is full again, ns since origin
	paid    atomic.Int64 // when the bucket of CPU is full again, ns since origin
}

// origin is what those instants count from, by the clock that nobody sets. It lies far
// back, so that a bucket which was never used is full.
var origin = time.Now().Add(-100 * 365 * 24 * time.Hour)

func instant(now time.Time) int64 { return int64(now.Sub(origin)) }

// used is what the account uses now, together with those it replaced.
func (a *Account) used() *usage {
	if a.shared != nil {
		return a.shared
	}
	return &a.own
}

// replace takes over what the account of the same name used under other limits: its
// calls go on.
func (a *Account) replace(was *Account) { a.shared = was.used() }

// limits are what the account is bounded by.
func (a *Account) limits() [4]float64 {
	return [4]float64{float64(a.Runs), float64(a.Calls), float64(a.Rate), a.Load}
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
	if n := a.used().running.Add(1); a.Runs > 0 && n > int64(a.Runs) {
		a.used().running.Add(-1)
		return false
	}
	at := instant(now)
	if n := a.used().calls.Load(); a.Calls > 0 && n >= int64(a.Calls) || a.spent(at) || a.Rate > 0 && !a.token(at) {
		a.used().running.Add(-1)
		return false
	}
	a.used().calls.Add(1)
	return true
}

// enterCall takes a place for a call that goes on without a run.
func (a *Account) enterCall() bool {
	if a == nil {
		return false
	}
	a.used().calls.Add(1)
	return true
}

// releaseRun gives the place of a run back.
func (a *Account) releaseRun() {
	if a != nil {
		a.used().running.Add(-1)
	}
}

// token is the generic cell rate algorithm: the bucket is one instant.
func (a *Account) token(now int64) bool {
	interval := int64(time.Second) / int64(a.Rate)
	for {
		next := a.used().next.Load()
		from := max(next, now)
		if from-now > int64(2*time.Second) {
			from = now // a clock was set back
		}
		if from+interval-now > int64(time.Second) {
			return false
		}
		if a.used().next.CompareAndSwap(next, from+interval) {
			return true
		}
	}
}

// loadBurst is how much CPU time an account may take at once, in seconds of its Load.
const loadBurst = 10 * time.Second

// charge puts the CPU time of a run on the account: what is known only afterwards.
func (a *Account) charge(now time.Time, cpu time.Duration) {
	if a == nil || a.Load <= 0 {
		return
	}
	cost := int64(float64(cpu) / a.Load)
	for {
		paid := a.used().paid.Load()
		if a.used().paid.CompareAndSwap(paid, max(paid, instant(now))+cost) {
			return
		}
	}
}

// spent reports whether the account's scripts have taken all the CPU time they may.
func (a *Account) spent(now int64) bool {
	return a.Load > 0 && a.used().paid.Load()-now > int64(loadBurst)
}

// leave gives the place of a call back.
func (a *Account) leave() {
	if a != nil {
		a.used().calls.Add(-1)
	}
}

// Running is the number of the account's scripts under way.
func (a *Account) Running() int { return int(a.used().running.Load()) }
