package store

import (
	"sync"
	"sync/atomic"
	"time"
)

// A keepLoop is what others may know of one of the loops.
type keepLoop struct {
	since   atomic.Int64 // when it began what it is at, ns since origin; 0 is nothing
	failing atomic.Bool  // what it did last failed
}

// origin is a little before all that, by the clock that nobody sets.
var origin = time.Now().Add(-time.Second)

func (l *keepLoop) begin() { l.since.Store(int64(time.Since(origin))) }

func (l *keepLoop) end(err error) {
	l.failing.Store(err != nil)
	l.since.Store(0)
}

func (l *keepLoop) healthy(now time.Time) bool {
	since := l.since.Load()
	return !l.failing.Load() && (since == 0 || now.Sub(origin)-time.Duration(since) <= keepsOverdue)
}

// run is the goroutine that waits for the loops and closes the file.
func (k *Keeps) run() {
	var loops sync.WaitGroup
	loops.Go(k.write)
	for i, reader := range k.file.readers {
		loops.Go(func() { k.read(reader, &k.loops[1+i]) })
	}
	loops.Wait()
	k.closed <- k.file.close()
}

// read is the loop of one reader.
func (k *Keeps) read(reader *keepReader, loop *keepLoop) {
	for {
		asks := k.reads.take(keepsTurn)
		if len(asks) > 0 {
			k.readAll(reader, loop, asks)
			continue
		}
		select {
		case <-k.reads.wake:
		case <-k.stop:
			if k.reads.waiting() == 0 { // and nothing comes any more
				return
			}
		}
	}
}

func (k *Keeps) readAll(reader *keepReader, loop *keepLoop, asks []*keepAsk) {
	for _, a := range asks {
		loop.begin()
		a.answer = reader.read(time.Now(), a)
		loop.end(a.answer.err)
		if a.answer.err != nil {
			k.failures.Add(1)
		}
		close(a.done)
	}
}

// write is the loop that owns the connection which writes.
func (k *Keeps) write() {
	tidy := time.NewTicker(keepsTidy)
	defer tidy.Stop()
	for {
		asks := k.writes.take(keepsBatch)
		if len(asks) > 0 {
			k.commit(asks)
			k.rest()
			continue
		}
		select {
		case <-k.writes.wake:
		case <-tidy.C:
			k.commit(nil)
		case <-k.stop:
			if k.writes.waiting() == 0 {
				return
			}
		}
	}
}

// commit makes the writes, removes about as many keys as they may have made, and
// answers. If it fails none of the writes has been made.
func (k *Keeps) commit(asks []*keepAsk) {
	loop := &k.loops[0]
	loop.begin()
	written, expired, err := k.file.write(time.Now(), asks, k.quota)
	switch {
	case err != nil:
		k.failures.Add(1)
		loop.end(err)
	case written:
		k.commits.Add(1)
		k.expired.Add(uint64(expired))
		loop.end(nil)
	default: // that there was nothing to do says nothing of the disk
		loop.since.Store(0)
	}
	for _, a := range asks {
		if err != nil {
			a.answer = keepAnswer{err: err}
		}
		close(a.done)
	}
}

// rest lets writes gather. Close cuts it short.
func (k *Keeps) rest() {
	timer := time.NewTimer(keepsRest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.stop:
	}
}
