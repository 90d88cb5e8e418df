package store

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// What can be asked of Keeps.
const (
	keepGet = iota
	keepSet
	keepDelete
	keepIncrement
)

// A keepAsk is one thing asked of Keeps.
type keepAsk struct {
	do           int
	account, key string
	value        []byte // of a Set
	by           int64
	ttl          time.Duration

	place  *list.Element // in its account's line
	answer keepAnswer    // belongs to the loop that took it until done is closed
	done   chan struct{}
}

// A keepAnswer is what came of it.
type keepAnswer struct {
	value  []byte
	found  bool
	number int64
	err    error
}

// check refuses what cannot be done whatever is in the file.
func (a *keepAsk) check() error {
	switch {
	case len(a.key) < 1 || len(a.key) > KeepKeyBytes:
		return ErrKey
	case len(a.value) > KeepValueBytes:
		return ErrTooLarge
	case a.ttl < 0 || a.ttl > KeepLongest:
		return ErrTTL
	}
	return nil
}

// ask has something done and waits for the answer.
func (k *Keeps) ask(ctx context.Context, desk *keepDesk, a *keepAsk) keepAnswer {
	if err := a.check(); err != nil {
		return keepAnswer{err: err}
	}
	if err := ctx.Err(); err != nil {
		return keepAnswer{err: err}
	}
	a.done = make(chan struct{})
	if err := desk.add(a); err != nil {
		if err == ErrBusy {
			k.refused.Add(1)
		}
		return keepAnswer{err: err}
	}
	select {
	case <-a.done:
		return a.answer
	case <-ctx.Done():
		desk.remove(a)
		return keepAnswer{err: ctx.Err()}
	case <-k.given:
		desk.remove(a)
		return keepAnswer{err: ErrClosed}
	}
}

// A keepDesk is where asks wait for a loop.
type keepDesk struct {
	// A mutex and no channel: an ask whose caller has gone leaves from the middle,
	// and accounts are served in turn. It is never held during I/O.
	mu     sync.Mutex
	queue  keepQueue
	closed bool

	wake chan struct{} // holds a token while asks may wait and a loop may rest
}

func newKeepDesk() keepDesk {
	return keepDesk{queue: newKeepQueue(), wake: make(chan struct{}, 1)}
}

func (d *keepDesk) add(a *keepAsk) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return ErrClosed
	}
	if !d.queue.add(a) {
		return ErrBusy
	}
	signal(d.wake)
	return nil
}

// take removes up to n asks, and wakes another loop for what is left.
func (d *keepDesk) take(n int) []*keepAsk {
	d.mu.Lock()
	defer d.mu.Unlock()
	asks := d.queue.take(n)
	if d.queue.waiting > 0 {
		signal(d.wake)
	}
	return asks
}

// remove takes out an ask whose caller has gone, if no loop has it yet.
func (d *keepDesk) remove(a *keepAsk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue.remove(a)
}

func (d *keepDesk) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue.waiting
}

// shut refuses all further asks.
func (d *keepDesk) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
}
