package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// What a key may be, and the pace of the file.
const (
	KeepKeyBytes   = 256      // the longest key
	KeepValueBytes = 16 << 10 // the largest value
	KeepLongest    = 366 * 24 * time.Hour

	keepsBatch    = 256                    // writes of one transaction at most: some 10 ms of work
	keepsRest     = time.Millisecond       // after a commit, so that a batch can form
	keepsReaders  = 2                      // goroutines that read, each over its own connection
	keepsTurn     = 8                      // reads that one of them takes at once
	keepsOverdue  = 250 * time.Millisecond // of one batch, before the disk counts as hanging
	keepsTidy     = time.Second            // between two looks for expired keys while nothing is written
	keepsPatience = 2 * time.Second        // how long Close waits for the disk
)

// Why something was not done. Each leaves the account's keys as they were, but
// for ErrClosed while the disk hangs, see [Keeps.Close].
var (
	ErrKey       = errors.New("a key has 1 to 256 bytes")
	ErrTooLarge  = errors.New("a value has at most 16 KiB")
	ErrTTL       = errors.New("a key is kept for at most a year")
	ErrQuota     = errors.New("the account's quota is used up")
	ErrNotNumber = errors.New("the value is not a whole number of 64 bits")
	ErrOverflow  = errors.New("the sum is not a whole number of 64 bits")
	ErrBusy      = errors.New("too much waits for the store")
	ErrClosed    = errors.New("the store is closed")
)

// Keeps holds the keys and values of accounts: what a script wants to find again
// in its next run, on whatever worker. An account sees its own keys only.
//
//	Get                    -> lines, one for each account -> 2 read loops, a connection each
//	Set, Delete, Increment -> lines, one for each account -> write loop: one transaction
//	                          for up to 256, then a rest of 1 ms
//
// The lines of the accounts are served in turn, so that one that floods waits for
// itself. At most 4,096 reads and as many writes wait, of one account 256, and
// never more than half of what is free: beyond it is ErrBusy.
//
// A write that has returned outlives the death of the process at any point, and
// every Get that is asked later sees it. A power loss or a crash of the kernel may
// cost the last half minute of writes, but not the file: the log is fsynced only
// when it is carried over. A file that is damaged all the same is set aside by the
// next start, see [Keeps.Damage].
//
// A full disk refuses the writes of that moment, with its error, and Get goes on.
// A disk that hangs is waited for until the caller's context ends.
//
// A key with a time to live ends by the wall clock, for every reader at once;
// what is left of it in the file is removed with later writes, or a second later
// without any. If the clock is set back keys live longer, and if it jumps ahead
// they end early: those that were removed then do not come back with it.
//
// It holds no key in memory but what SQLite's caches do, 2 MB for each connection.
type Keeps struct {
	file   *keepFile
	quota  func(account string) KeepQuota
	damage *KeepsDamage

	reads, writes keepDesk
	loops         [1 + keepsReaders]keepLoop // the first is the write loop

	stop   chan struct{} // closed by Close: the loops end when nothing waits
	given  chan struct{} // closed when Close has given up waiting for them
	closed chan error    // gets what closing the file said, when they have ended

	refused, commits, failures, expired atomic.Uint64

	closing  sync.Once
	closeErr error
}

// KeepQuota is how much an account may keep, expired keys not counted. A figure
// that is 0 is the default. Who has more than a new quota keeps it, and may write
// what does not add to it.
type KeepQuota struct {
	Keys  int64 // 10,000 by default
	Bytes int64 // of keys and values together; 1 MiB by default
}

// KeepsStats are counts since the start, and what waits at present.
type KeepsStats struct {
	Waiting  int    // reads and writes
	Refused  uint64 // by ErrBusy
	Commits  uint64 // transactions that went well
	Failures uint64 // reads and transactions that the disk refused
	Expired  uint64 // keys removed because their time was over
}

// OpenKeeps opens the file, creating it and its directory readable by the owner
// only, and starts the goroutines that read and write it; Close ends them. The
// file is checked for 2 s at most, which is enough for some hundred MB.
//
// quota is asked before an account gets more room. It must not block; nil stands
// for the default of all.
//
// A file that is damaged, or not this package's, or of a newer version is
// renamed, and an empty one takes its place: [Keeps.Damage] tells. An error
// means that there is no way to write: no permission, no space, or the lock of
// another process that lasted 5 s.
func OpenKeeps(path string, quota func(account string) KeepQuota) (*Keeps, error) {
	file, damage, err := openSoundKeeps(path)
	if err != nil {
		return nil, fmt.Errorf("open keeps: %w", err)
	}
	k := &Keeps{
		file:   file,
		quota:  quota,
		damage: damage,
		reads:  newKeepDesk(),
		writes: newKeepDesk(),
		stop:   make(chan struct{}),
		given:  make(chan struct{}),
		closed: make(chan error, 1),
	}
	go k.run()
	return k, nil
}

// Damage says that OpenKeeps found a file it could not use, and where that is
// now; nil when all was well.
func (k *Keeps) Damage() *KeepsDamage { return k.damage }

// Get gives the value of a key, and whether it is there.
//
// Like the other methods it may be called from any goroutine and returns when ctx
// ends, with its error. It fails with ErrKey, ErrBusy, ErrClosed, or with what
// the disk says.
func (k *Keeps) Get(ctx context.Context, account, key string) (value []byte, found bool, err error) {
	a := k.ask(ctx, &k.reads, &keepAsk{do: keepGet, account: account, key: key})
	return a.value, a.found, a.err
}

// Set gives a key a value for that time from now on, or for good if ttl is 0. It
// returns when that is safe. The value belongs to Keeps afterwards.
//
// If ctx ends, or the store is closed, while the disk is at it, it may be done all
// the same; that holds for Delete and Increment too. Further errors are
// ErrTooLarge, ErrTTL and ErrQuota.
func (k *Keeps) Set(ctx context.Context, account, key string, value []byte, ttl time.Duration) error {
	return k.ask(ctx, &k.writes, &keepAsk{do: keepSet, account: account, key: key, value: value, ttl: ttl}).err
}

// Delete removes a key, and says whether it was there.
func (k *Keeps) Delete(ctx context.Context, account, key string) (found bool, err error) {
	a := k.ask(ctx, &k.writes, &keepAsk{do: keepDelete, account: account, key: key})
	return a.found, a.err
}

// Increment adds to the number that a key holds, in one step for all who do so,
// and gives the sum. The value is decimal text, so that Get reads it and Set can
// begin it; a key that is not there counts as 0.
//
// ttl is for a key that is not there: counting on does not lengthen its life, so
// that "at most 100 an hour" is counted by one key that is kept for an hour.
// Further errors are ErrTTL, ErrNotNumber, ErrOverflow and ErrQuota.
func (k *Keeps) Increment(ctx context.Context, account, key string, by int64, ttl time.Duration) (sum int64, err error) {
	a := k.ask(ctx, &k.writes, &keepAsk{do: keepIncrement, account: account, key: key, by: by, ttl: ttl})
	return a.number, a.err
}

// Healthy says whether the disk answers: the last read of each loop and the last
// write went well, and what is under way has not taken more than 250 ms. It tells
// of what was asked last, so that who never asks never hears of a recovery.
func (k *Keeps) Healthy() bool {
	now := time.Now()
	for i := range k.loops {
		if !k.loops[i].healthy(now) {
			return false
		}
	}
	return true
}

// Stats may be called at any time, after Close too.
func (k *Keeps) Stats() KeepsStats {
	return KeepsStats{
		Waiting:  k.reads.waiting() + k.writes.waiting(),
		Refused:  k.refused.Load(),
		Commits:  k.commits.Load(),
		Failures: k.failures.Load(),
		Expired:  k.expired.Load(),
	}
}

// Close does what waits and closes the file. If the disk hangs for 2 s it is an
// error: those who wait hear ErrClosed, and the goroutines and the file are left
// behind until the disk comes back. A second Close gives the same answer.
func (k *Keeps) Close() error {
	k.closing.Do(func() {
		k.reads.shut()
		k.writes.shut()
		close(k.stop)
		select {
		case err := <-k.closed:
			if err != nil {
				k.closeErr = fmt.Errorf("close keeps: %w", err)
			}
		case <-time.After(keepsPatience):
			close(k.given)
			k.closeErr = errors.New("close keeps: the disk hangs")
		}
	})
	return k.closeErr
}
