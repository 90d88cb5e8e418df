package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func openCalls(t testing.TB, path string) *Calls {
	t.Helper()
	c, err := OpenCalls(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func closeCalls(t testing.TB, c *Calls) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// kept gives what is in the file.
func kept(t testing.TB, c *Calls) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := c.Each(func(id string, state []byte) error {
		if _, double := found[id]; double {
			t.Errorf("call %q is there twice", id)
		}
		found[id] = string(state)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func expectKept(t testing.TB, c *Calls, want map[string]string) {
	t.Helper()
	if got := kept(t, c); !maps.Equal(got, want) {
		t.Errorf("in the file: %q, want %q", got, want)
	}
}

// waitFor polls what another process or the disk is to bring about.
func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestCallsFromManyGoroutines(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "data", "calls.db")
	c := openCalls(t, path)
	const writers, each = 8, 250
	var saved atomic.Int64
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d-%d", w, i)
				c.Put(id, []byte("early"), func() { saved.Add(1) })
				c.Put(id, []byte(id), func() { saved.Add(1) })
				if i%2 == 1 {
					c.Delete(id, func() { saved.Add(1) })
				}
			}
		})
	}
	group.Wait()
	closeCalls(t, c)
	if want := int64(writers * each * 5 / 2); saved.Load() != want {
		t.Errorf("saved was called %d times, want %d", saved.Load(), want)
	}
	want := map[string]string{}
	for w := range writers {
		for i := 0; i < each; i += 2 {
			id := fmt.Sprintf("%d-%d", w, i)
			want[id] = id
		}
	}
	c = openCalls(t, path)
	defer c.Close()
	expectKept(t, c, want)
	if s := c.Stats(); s.Kept != len(want) || c.Damage() != nil {
		t.Errorf("%+v, damage %v", s, c.Damage())
	}
}

// TestCallsPace holds that a change after a pause is written at once, and that
// those of the next 5 ms meet in the queue.
func TestCallsPace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	synctest.Test(t, func(t *testing.T) {
		c := openCalls(t, path)
		defer c.Close()
		var said []string
		say := func(what string) func() { return func() { said = append(said, what) } }

		c.Put("old", []byte("1"), say("old 1"))
		synctest.Wait()
		expectKept(t, c, map[string]string{"old": "1"})

		c.Delete("old", say("old gone"))
		c.Put("old", []byte("2"), say("old 2"))
		c.Put("new", []byte("1"), nil)
		c.Put("new", []byte("2"), say("new 2"))
		c.Put("short", []byte("1"), say("short 1"))
		c.Delete("short", say("short gone"))
		c.Delete("unheard of", say("unheard of"))
		synctest.Wait()
		expectKept(t, c, map[string]string{"old": "1"})
		if want := "[old 1 short 1 short gone unheard of]"; fmt.Sprint(said) != want {
			t.Errorf("before the commit %v were told, want %v", said, want)
		}
		if s := c.Stats(); s.Waiting != 2 || s.Written != 1 || s.Coalesced != 5 {
			t.Errorf("before the commit: %+v", s)
		}

		time.Sleep(callsRest + time.Millisecond)
		synctest.Wait()
		expectKept(t, c, map[string]string{"old": "2", "new": "2"})
		if want := "[old 1 short 1 short gone unheard of old gone old 2 new 2]"; fmt.Sprint(said) != want {
			t.Errorf("after the commit %v were told, want %v", said, want)
		}
		s := c.Stats()
		if s.Waiting != 0 || s.Commits != 2 || s.Written != 3 || s.Coalesced != 5 || s.Failures+s.Dropped != 0 || s.Kept != 2 {
			t.Errorf("after the commit: %+v", s)
		}

		c.Delete("new", nil)
		c.Delete("old", nil)
		closeCalls(t, c)
		if s := c.Stats(); s.Written != 5 || s.Kept != 0 {
			t.Errorf("after Close: %+v", s)
		}
	})
}

func TestCallsSurviveClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	want := map[string]string{"": "no id", "empty": "", "\x00\xff'": "odd\x00\xff"}
	for round := range 3 {
		c := openCalls(t, path)
		if round > 0 {
			expectKept(t, c, want)
		}
		var saved int // the tell loop's until Close
		for id, state := range want {
			c.Put(id, []byte(state), func() { saved++ })
		}
		c.Put("empty", nil, nil)
		c.Put("passing", []byte("1"), func() { saved++ })
		closeCalls(t, c)
		if saved != len(want)+1 {
			t.Errorf("%d were told at Close, want %d", saved, len(want)+1)
		}
		want["passing"] = "1"
		c.Put("late", []byte("1"), func() { t.Error("told after Close") })
		c.Delete("late", func() { t.Error("told after Close") })
		if s := c.Stats(); s.Dropped != 2 {
			t.Errorf("%d dropped, want 2", s.Dropped)
		}
		if err := c.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	}
}

func TestCallsArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "calls.db")
	c := openCalls(t, path)
	c.Put("id", []byte("state"), nil)
	waitFor(t, "the row", func() bool { return c.Stats().Written == 1 })
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(name), info.Mode())
		}
	}
}

func TestCallsEachStops(t *testing.T) {
	c := openCalls(t, filepath.Join(t.TempDir(), "calls.db"))
	c.Put("a", []byte("1"), nil)
	c.Put("b", []byte("1"), nil)
	waitFor(t, "the rows", func() bool { return c.Stats().Written == 2 })
	enough := errors.New("enough")
	n := 0
	err := c.Each(func(id string, _ []byte) error {
		n++
		c.Delete(id, nil)
		return enough
	})
	if err != enough || n != 1 {
		t.Errorf("%d calls, %v", n, err)
	}
	closeCalls(t, c)
	if c.Stats().Kept != 1 {
		t.Errorf("%+v", c.Stats())
	}
}
