package broker

import "time"

// Bounds of the cache: an answer with longer texts is not kept.
const (
	maxKept      = 4096
	maxKeptBytes = 4 << 10
	evictAmong   = 8 // how many compete when one must go
)

// An answerCache keeps readings until they expire. The zero value is empty. Not safe
// for concurrent use.
type answerCache struct {
	entries map[question]*keptAnswer
}

type keptAnswer struct {
	reading
	used time.Time
}

func (k *keptAnswer) expired(now time.Time) bool { return now.Sub(k.at) >= k.keep }

// get finds a reading that has not expired.
func (c *answerCache) get(now time.Time, q question) (*reading, bool) {
	k := c.entries[q]
	if k == nil {
		return nil, false
	}
	if k.expired(now) {
		delete(c.entries, q)
		return nil, false
	}
	k.used = now
	return &k.reading, true
}

// put keeps a reading for its time, and lets go of another if there is no room.
func (c *answerCache) put(now time.Time, q question, r reading) {
	if r.keep <= 0 || r.bytes > maxKeptBytes {
		return
	}
	if c.entries == nil {
		c.entries = make(map[question]*keptAnswer)
	}
	if _, held := c.entries[q]; !held && len(c.entries) >= maxKept {
		c.evict(now)
	}
	c.entries[q] = &keptAnswer{r, now}
}

// evict lets go of one answer among a few taken at random: one that has expired, or
// the one that was not asked for longest. A flood of names costs no more than that.
func (c *answerCache) evict(now time.Time) {
	var (
		victim question
		oldest *keptAnswer
		seen   int
	)
	for q, k := range c.entries { // Go begins at a random place
		if oldest == nil || k.expired(now) || k.used.Before(oldest.used) {
			victim, oldest = q, k
		}
		if seen++; seen == evictAmong || k.expired(now) {
			break
		}
	}
	delete(c.entries, victim)
}
