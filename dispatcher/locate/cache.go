package locate

import "time"

// A cache keeps values until they expire, at most limit of them. The zero value
// with a limit is empty. Not safe for concurrent use.
type cache[K comparable, V any] struct {
	limit   int
	entries map[K]*entry[V]
}

type entry[V any] struct {
	value   V
	expires time.Time
	used    time.Time
}

// evictAmong is how many entries compete when one must go. Looking at all of them
// would make a flood of names cost more the fuller the cache is.
const evictAmong = 8

// get finds a value that has not expired, and marks it as used.
func (c *cache[K, V]) get(now time.Time, key K) (value V, ok bool) {
	e := c.entries[key]
	if e == nil {
		return value, false
	}
	if !now.Before(e.expires) {
		delete(c.entries, key)
		return value, false
	}
	e.used = now
	return e.value, true
}

// put keeps a value, and lets go of another if there is no room. One that has
// expired already is not kept.
func (c *cache[K, V]) put(now time.Time, key K, value V, expires time.Time) {
	if !now.Before(expires) || c.limit <= 0 {
		return
	}
	if c.entries == nil {
		c.entries = make(map[K]*entry[V])
	}
	if _, held := c.entries[key]; !held && len(c.entries) >= c.limit {
		c.evict(now)
	}
	c.entries[key] = &entry[V]{value: value, expires: expires, used: now}
}

// evict lets go of one entry: of a few taken at random, one that has expired, or
// the one that has not been used for longest. So names in use stay, whatever
// number of names a flood brings.
func (c *cache[K, V]) evict(now time.Time) {
	var (
		victim K
		oldest time.Time
		seen   int
	)
	for key, e := range c.entries { // Go begins at a random place
		used := e.used
		if !now.Before(e.expires) {
			used = time.Time{}
		}
		if seen == 0 || used.Before(oldest) {
			victim, oldest = key, used
		}
		if seen++; seen == evictAmong {
			break
		}
	}
	delete(c.entries, victim)
}
