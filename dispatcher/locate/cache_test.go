package locate

import (
	"math/rand/v2"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestCacheExpiry(t *testing.T) {
	c := cache[string, int]{limit: 4}
	c.put(epoch, "a", 1, epoch.Add(5*time.Second))
	c.put(epoch, "past", 2, epoch)
	if v, ok := c.get(epoch.Add(5*time.Second-1), "a"); !ok || v != 1 {
		t.Errorf("just before the end: %d, %t", v, ok)
	}
	if _, ok := c.get(epoch.Add(5*time.Second), "a"); ok {
		t.Error("an expired value is given out")
	}
	if _, ok := c.get(epoch, "past"); ok || len(c.entries) != 0 {
		t.Errorf("%d entries are left of two that have expired", len(c.entries))
	}
}

// TestCacheBound floods a small cache with names. It never grows beyond its
// limit, and the one name that is in use is never let go.
func TestCacheBound(t *testing.T) {
	c := cache[int, int]{limit: 50}
	c.put(epoch, -1, 7, epoch.Add(time.Hour))
	for i := range 5000 {
		now := epoch.Add(time.Duration(i+1) * time.Millisecond)
		c.put(now, i, i, now.Add(time.Hour))
		if _, ok := c.get(now, -1); !ok {
			t.Fatalf("the name in use is gone after %d others", i+1)
		}
		if len(c.entries) > c.limit {
			t.Fatalf("%d entries", len(c.entries))
		}
	}
	if len(c.entries) != c.limit {
		t.Errorf("%d entries, room for %d", len(c.entries), c.limit)
	}
}

// TestCacheModel holds the cache against a map without a bound: what it gives out
// is what was put last, and has not expired.
func TestCacheModel(t *testing.T) {
	type kept struct {
		value   int
		expires time.Time
	}
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	c, model, now, hits := cache[int, int]{limit: 20}, make(map[int]kept), epoch, 0
	for i := range 20_000 {
		now = now.Add(time.Duration(rnd.IntN(100)) * time.Millisecond)
		key := rnd.IntN(40)
		if rnd.IntN(2) == 0 {
			k := kept{i, now.Add(time.Duration(rnd.IntN(4000)) * time.Millisecond)}
			if k.expires.After(now) {
				model[key] = k
			}
			c.put(now, key, k.value, k.expires)
			continue
		}
		if v, ok := c.get(now, key); ok {
			hits++
			if k := model[key]; k.value != v || !now.Before(k.expires) {
				t.Fatalf("seed %d, step %d: got %d, want %+v", seed, i, v, k)
			}
		}
	}
	if hits == 0 || len(c.entries) > c.limit {
		t.Errorf("seed %d: %d hits, %d entries", seed, hits, len(c.entries))
	}
}
