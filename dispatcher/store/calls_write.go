package store

import "time"

// write is the goroutine that owns the file, its readers aside.
func (c *Calls) write() {
	defer close(c.written)
	retry := callsRetryMin
	for {
		select {
		case <-c.wake:
		case <-c.stop:
			c.drain()
			return
		}
		left, err := c.commit()
		var pause time.Duration
		pause, retry = nextPause(left, err, retry)
		if left > 0 {
			signal(c.wake)
		}
		c.rest(pause)
	}
}

// nextPause is how long to wait after a commit that left so many changes or
// failed, and how long it will be if the next one fails.
func nextPause(left int, err error, retry time.Duration) (pause, nextRetry time.Duration) {
	switch {
	case err != nil:
		return retry, min(2*retry, callsRetryMax)
	case left >= callsBatch:
		return 0, callsRetryMin // the next batch has formed
	}
	return callsRest, callsRetryMin
}

// rest lets changes gather, or the disk recover. Close cuts it short.
func (c *Calls) rest(pause time.Duration) {
	if pause == 0 {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.stop:
	}
}

// drain writes all that is left at Close, and gives up on a disk that goes on
// refusing. Nothing is added any more.
func (c *Calls) drain() {
	last := time.Now().Add(callsPatience)
	retry := callsRetryMin
	for {
		left, err := c.commit()
		if err == nil {
			if left == 0 {
				return
			}
			continue
		}
		if !time.Now().Add(retry).Before(last) {
			c.giveUp()
			return
		}
		time.Sleep(retry)
		retry *= 2
	}
}

// commit writes one batch and settles its changes. It returns how many wait
// afterwards.
func (c *Calls) commit() (left int, err error) {
	c.mu.Lock()
	batch := c.queue.take(callsBatch)
	c.stats.Waiting = len(batch)
	c.mu.Unlock()

	start := time.Now()
	if len(batch) > 0 {
		err = c.file.write(batch)
	}
	took := time.Since(start)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Waiting = 0
	c.stats.Err = err
	switch {
	case err != nil:
		c.stats.Failures++
		c.stats.Coalesced += uint64(c.queue.restore(batch))
	case len(batch) > 0:
		c.settle(batch, took)
	}
	c.failing.Store(err != nil)
	c.setOldest()
	return c.queue.len(), err
}

// settle counts a batch that is in the file, and passes its callbacks on.
func (c *Calls) settle(batch []*change, took time.Duration) {
	c.stats.Commits++
	c.stats.LastCommit = took
	c.queue.release(batch)
	for _, done := range batch {
		if done.row == 0 {
			c.stats.Coalesced++
		} else {
			c.stats.Written++
		}
		c.tellLater(done.saved...)
	}
}

func (c *Calls) setOldest() {
	since, ok := c.queue.oldest()
	if !ok {
		c.oldest.Store(0)
		return
	}
	c.oldest.Store(max(1, int64(since)))
}

// giveUp drops what waits.
func (c *Calls) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, lost := range c.queue.take(c.queue.len()) {
		c.stats.Dropped++
		c.tellLater(lost.saved...)
	}
	c.setOldest()
}

// tell is the goroutine that calls back. It is not the one that writes, because
// a change that is dropped or not needed is told while the disk hangs, too.
func (c *Calls) tell() {
	defer close(c.rung)
	for range c.ring {
		c.tellNow()
	}
	c.tellNow()
}

func (c *Calls) tellNow() {
	c.mu.Lock()
	told := c.told
	c.told = nil
	c.mu.Unlock()
	for _, saved := range told {
		saved()
	}
}

// tellLater hands callbacks to the tell loop; the caller holds the mutex.
func (c *Calls) tellLater(saved ...func()) {
	for _, f := range saved {
		if f != nil {
			c.told = append(c.told, f)
		}
	}
	if len(c.told) > 0 {
		signal(c.ring)
	}
}

// callbacks is the list of a change that has one callback, or none.
func callbacks(saved func()) []func() {
	if saved == nil {
		return nil
	}
	return []func(){saved}
}

// signal leaves a token in a channel of one, unless there is one.
func signal(token chan<- struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
