package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// The pace of the calls file.
const (
	callsRest     = 5 * time.Millisecond // after a commit, so that a batch can form
	callsBatch    = 2000                 // changes of one transaction at most: some 30 ms of work
	callsLimit    = 200_000              // changes that may wait; beyond it new ones are dropped
	callsOverdue  = 250 * time.Millisecond
	callsRetryMin = 50 * time.Millisecond // after a failed commit; doubled up to the maximum
	callsRetryMax = 2 * time.Second
	callsPatience = time.Second // how long Close goes on against a disk that refuses
)

// Calls keeps the state of the calls under way, so that a dispatcher that was
// killed finds them again at its next start. A state is opaque here.
//
//	Put, Delete -> waiting, the newest change of each call -> write loop: one
//	transaction for all of them, then a rest of 5 ms -> saved, by the tell loop
//
// Most calls are over before the loop comes round: their Put and their Delete
// meet in the queue, and the disk hears of neither.
//
// What has been saved outlives the death of the process at any point. It may
// not outlive a power loss or a crash of the kernel: nothing is fsynced, so
// those can cost the last half minute, or damage the file as a whole. A damaged
// file is set aside by the next start, see [Calls.Damage].
//
// When the disk refuses or hangs, changes wait and are tried again after 50 ms
// to 2 s, [Calls.Healthy] says no, and calls go on without being saved. Beyond
// 200,000 waiting changes those of further calls are dropped and counted.
type Calls struct {
	file   *callFile
	damage *CallsDamage
	start  time.Time

	// A mutex and no mailbox: a change often meets an earlier one of the same
	// call, and the place to meet must not fill up while the disk hangs. It is
	// never held during I/O or a callback.
	mu     sync.Mutex
	queue  changeQueue
	told   []func() // what the tell loop is to call
	stats  CallsStats
	closed bool

	oldest  atomic.Int64 // when the oldest unsaved change came, ns since start; 0 is none
	failing atomic.Bool  // the last commit failed

	wake    chan struct{} // holds one token while changes wait and the write loop rests
	ring    chan struct{} // the same for told and the tell loop; closed by Close
	stop    chan struct{} // closed by Close
	written chan struct{} // closed when the write loop has ended
	rung    chan struct{} // closed when the tell loop has ended

	closing  sync.Once
	closeErr error
}

// CallsStats are counts since the start, and the present state of the queue.
type CallsStats struct {
	Commits    uint64        // transactions
	Written    uint64        // rows put or deleted by them
	Coalesced  uint64        // changes that needed no row of their own
	Dropped    uint64        // changes given up: the queue was full, or Close could not write them
	Failures   uint64        // transactions that failed; their changes are tried again
	Waiting    int           // changes that wait or are being written
	Kept       int           // rows in the file, or being put there
	LastCommit time.Duration // how long the last good transaction took
	Err        error         // of the last transaction, nil when it went well
}

// OpenCalls opens the file, creating it and its directory readable by the owner
// only, and starts the goroutines that write and report; Close ends them. It
// reads the whole file once to check it, 0.4 s for 100,000 calls of 1.5 KB.
//
// A file that is damaged, or not this package's, or of a newer version is
// renamed, and an empty one takes its place: [Calls.Damage] tells. An error
// means that there is no way to write: no permission, no space, or the lock of
// another process that lasted 5 s.
func OpenCalls(path string) (*Calls, error) {
	file, damage, err := openSoundFile(path)
	if err != nil {
		return nil, fmt.Errorf("open calls: %w", err)
	}
	c := &Calls{
		file:    file,
		damage:  damage,
		start:   time.Now(),
		queue:   newChangeQueue(file.rows, file.last),
		wake:    make(chan struct{}, 1),
		ring:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		written: make(chan struct{}),
		rung:    make(chan struct{}),
	}
	go c.write()
	go c.tell()
	return c, nil
}

// Damage says that OpenCalls found a file it could not use, and where that is
// now; nil when all was well.
func (c *Calls) Damage() *CallsDamage { return c.damage }

// Put makes state the newest state of the call id. It never waits for the disk
// and may be called from any goroutine; state belongs to Calls afterwards.
//
// saved, unless nil, is called once, by the tell loop and never by Put: when
// this or a newer state, or a deletion of id, is in the file, or when the
// change was given up (see CallsStats.Dropped). While the disk refuses that may
// be long in coming, so a caller that holds something back for it needs a timer
// of its own. saved must not block, nor call Close; it may call Put and Delete.
//
// After Close, Put only counts the change as dropped.
func (c *Calls) Put(id string, state []byte, saved func()) {
	if state == nil {
		state = []byte{} // nil would be NULL, which the file refuses
	}
	c.change(id, state, false, saved)
}

// Delete removes the call id, with the terms of Put. A call that is neither in
// the file nor on its way there costs nothing.
func (c *Calls) Delete(id string, saved func()) {
	c.change(id, nil, true, saved)
}

func (c *Calls) change(id string, state []byte, gone bool, saved func()) {
	now := time.Since(c.start)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		c.stats.Dropped++
	case gone && c.queue.idle(id):
		c.stats.Coalesced++
		c.tellLater(saved)
	case !gone && c.queue.full(id):
		c.stats.Dropped++
		c.tellLater(saved)
	default:
		first := c.queue.len() == 0
		merged, done := c.queue.add(&change{id: id, state: state, gone: gone, since: now, saved: callbacks(saved)})
		c.stats.Coalesced += uint64(merged)
		c.tellLater(done...)
		c.oldest.CompareAndSwap(0, max(1, int64(now)))
		if first {
			signal(c.wake)
		}
	}
}

// Healthy says whether saved can be expected soon: the last commit went well
// and no change has waited for more than 250 ms. It costs two atomic reads.
func (c *Calls) Healthy() bool {
	oldest := c.oldest.Load()
	return !c.failing.Load() && (oldest == 0 || time.Since(c.start)-time.Duration(oldest) <= callsOverdue)
}

// Each gives every call in the file, in no order, until yield returns an error,
// which it returns. It is meant for the start, and sees what was saved before;
// yield may call Put and Delete, and may keep state.
func (c *Calls) Each(yield func(id string, state []byte) error) error {
	return c.file.each(yield)
}

// Stats may be called at any time, after Close too.
func (c *Calls) Stats() CallsStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Waiting += c.queue.len()
	s.Kept = len(c.queue.rows)
	return s
}

// Close writes what waits, calls every saved, and closes the file. If the disk
// refuses for a second the rest is given up, and that is the error; if it hangs
// so does Close. A second Close gives the same answer.
func (c *Calls) Close() error {
	c.closing.Do(func() {
		c.mu.Lock()
		c.closed = true
		c.mu.Unlock()
		close(c.stop)
		<-c.written
		close(c.ring)
		<-c.rung
		if err := errors.Join(c.Stats().Err, c.file.close()); err != nil {
			c.closeErr = fmt.Errorf("close calls: %w", err)
		}
	})
	return c.closeErr
}
