package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestCallsLocked writes while another process holds the write lock: that is
// told, and afterwards all is written.
func TestCallsLocked(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "calls.db")
	c := openCalls(t, path)
	defer c.Close()
	unlock := lock(t, path)
	var saved atomic.Int64
	c.Put("a", []byte("1"), func() { saved.Add(1) })
	waitFor(t, "a failure", func() bool { return c.Stats().Failures > 0 })
	if s := c.Stats(); c.Healthy() || s.Err == nil || saved.Load() != 0 {
		t.Errorf("healthy %v, %+v, %d saved", c.Healthy(), s, saved.Load())
	}
	c.Put("a", []byte("2"), func() { saved.Add(1) })
	c.Put("b", []byte("1"), func() { saved.Add(1) })
	unlock()
	waitFor(t, "the callbacks", func() bool { return saved.Load() == 3 })
	if s := c.Stats(); !c.Healthy() || s.Err != nil || s.Waiting != 0 || s.Dropped != 0 {
		t.Errorf("healthy %v, %+v", c.Healthy(), s)
	}
	expectKept(t, c, map[string]string{"a": "2", "b": "1"})
}

// TestCallsLockedAtClose gives up in the end, and says so to all.
func TestCallsLockedAtClose(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "calls.db")
	c := openCalls(t, path)
	unlock := lock(t, path)
	defer unlock()
	saved := 0 // the tell loop's until Close
	c.Put("a", []byte("1"), func() { saved++ })
	c.Put("b", []byte("1"), func() { saved++ })
	if err := c.Close(); err == nil || !errors.Is(err, c.Stats().Err) {
		t.Errorf("Close: %v", err)
	}
	if s := c.Stats(); s.Dropped != 2 || s.Waiting != 0 || saved != 2 {
		t.Errorf("%+v, %d told", s, saved)
	}
}

// lock takes the write lock of a calls file over a connection of its own.
func lock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		_, err := conn.ExecContext(context.Background(), "ROLLBACK")
		if err := errors.Join(err, conn.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestCallsFullDisk takes the room away in two ways, in the middle of a
// transaction, and gives it back: nothing saved is lost, and nothing waiting.
func TestCallsFullDisk(t *testing.T) {
	tests := []struct {
		name string
		fill func(t *testing.T, c *Calls) (empty func())
	}{
		{"the file may not grow", fillPages},
		{"no file may grow", fillDisk},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			c := openCalls(t, filepath.Join(t.TempDir(), "calls.db"))
			defer c.Close()
			want := map[string]string{}
			var saved atomic.Int64
			put := func(id string) {
				want[id] = fmt.Sprintf("%s%01500d", id, 0)
				c.Put(id, []byte(want[id]), func() { saved.Add(1) })
			}
			put("early")
			put("doomed")
			waitFor(t, "the early calls", func() bool { return saved.Load() == 2 })
			empty := tt.fill(t, c)
			defer empty()
			for i := range 100 {
				put(fmt.Sprint("call", i))
			}
			waitFor(t, "three failures", func() bool { return c.Stats().Failures >= 3 })
			c.Delete("doomed", func() { saved.Add(1) })
			delete(want, "doomed")
			if s := c.Stats(); c.Healthy() || s.Err == nil || s.Waiting < 100 || saved.Load() != 2 {
				t.Errorf("healthy %v, %+v, %d saved", c.Healthy(), s, saved.Load())
			}
			expectKept(t, c, map[string]string{"early": want["early"], "doomed": fmt.Sprintf("doomed%01500d", 0)})
			empty()
			waitFor(t, "the callbacks", func() bool { return saved.Load() == 103 })
			if s := c.Stats(); !c.Healthy() || s.Err != nil || s.Waiting != 0 || s.Dropped != 0 {
				t.Errorf("healthy %v, %+v", c.Healthy(), s)
			}
			expectKept(t, c, want)
		})
	}
}

func fillPages(t *testing.T, c *Calls) (empty func()) {
	set := func(pages int) {
		if err := c.file.exec(fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
			t.Error(err)
		}
	}
	set(20)
	return func() { set(1 << 30) }
}

func fillDisk(t *testing.T, c *Calls) (empty func()) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	limit := old
	limit.Cur = 100_001
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Error(err)
		}
	}
}

// TestCallsHangingDisk fills the queue while the write loop is stuck: Put and
// Delete go on at once, and what is dropped or not needed is told meanwhile.
func TestCallsHangingDisk(t *testing.T) {
	defer goleak.VerifyNone(t)
	c := openCalls(t, filepath.Join(t.TempDir(), "calls.db"))
	defer c.Close()
	var saved atomic.Int64
	told := func() { saved.Add(1) }
	c.Put("kept", []byte("1"), told)
	waitFor(t, "the first row", func() bool { return saved.Load() == 1 })

	release, stuck := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stuck)
		c.file.conn.Raw(func(any) error { <-release; return nil }) // the write loop needs this connection
	}()
	c.Put("stuck", []byte("1"), told)
	waitFor(t, "the write loop to be stuck", func() bool { return c.Stats().Waiting == 1 && c.queueLen() == 0 })
	for i := range callsLimit {
		c.Put(fmt.Sprint(i), nil, told)
	}
	waitFor(t, "ill health", func() bool { return !c.Healthy() })
	if saved.Load() != 1 {
		t.Fatalf("%d told", saved.Load())
	}
	c.Put("too many", []byte("1"), told)
	c.Put("kept", []byte("2"), told) // no place for it either
	waitFor(t, "the dropped to be told", func() bool { return saved.Load() == 3 })
	c.Put("0", []byte("2"), told) // has a place
	c.Delete("kept", told)        // always has one
	if s := c.Stats(); s.Dropped != 2 || s.Waiting != callsLimit+2 {
		t.Errorf("%+v", s)
	}
	for i := range callsLimit {
		c.Delete(fmt.Sprint(i), told)
	}
	waitFor(t, "the short calls to be told", func() bool { return saved.Load() == 3+1+2*callsLimit })

	close(release)
	<-stuck
	waitFor(t, "the rest", func() bool { return saved.Load() == 6+2*callsLimit })
	if s := c.Stats(); !c.Healthy() || s.Waiting != 0 || s.Written != 3 || s.Coalesced != 2*callsLimit+1 {
		t.Errorf("healthy %v, %+v", c.Healthy(), s)
	}
	expectKept(t, c, map[string]string{"stuck": "1"})
}

func (c *Calls) queueLen() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.len()
}

// TestCallsFileStaysSmall lets calls come and go: the log is begun anew and the
// pages of old calls are used again.
func TestCallsFileStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	c := openCalls(t, path)
	const rounds, each = 15, 400
	for round := range rounds {
		var saved atomic.Int64
		for i := range each {
			c.Put(fmt.Sprint(round, "-", i), make([]byte, 1500), func() { saved.Add(1) })
			if round > 0 && i%100 != 0 { // some stay
				c.Delete(fmt.Sprint(round-1, "-", i), nil)
			}
		}
		waitFor(t, "the round", func() bool { return saved.Load() == each })
	}
	waitFor(t, "the last deletions", func() bool { return c.Stats().Waiting == 0 })
	for name, limit := range map[string]int64{path: 4 << 20, path + "-wal": 8 << 20} { // 9 MB were written
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > limit {
			t.Errorf("%s has %d bytes", filepath.Base(name), info.Size())
		}
	}
	if s := c.Stats(); s.Kept != each+(rounds-1)*each/100 {
		t.Errorf("%+v", s)
	}
}

func TestCallsBackOff(t *testing.T) {
	refused := errors.New("refused")
	retry := callsRetryMin
	for i, step := range []struct {
		left int
		err  error
		want time.Duration // in ms
	}{
		{0, nil, 5}, {1, refused, 50}, {1, refused, 100}, {callsBatch, refused, 200}, {callsBatch, nil, 0},
		{callsBatch - 1, nil, 5}, {1, refused, 50}, {1, refused, 100}, {1, refused, 200}, {1, refused, 400},
		{1, refused, 800}, {1, refused, 1600}, {1, refused, 2000}, {1, refused, 2000}, {1, nil, 5}, {1, refused, 50},
	} {
		var pause time.Duration
		if pause, retry = nextPause(step.left, step.err, retry); pause != step.want*time.Millisecond {
			t.Errorf("step %d: a pause of %v, want %d ms", i, pause, step.want)
		}
	}
}

func TestCallsHealthyAgain(t *testing.T) {
	c := openCalls(t, filepath.Join(t.TempDir(), "calls.db"))
	if !c.Healthy() {
		t.Error("ill at the start")
	}
	c.Put("short", []byte("1"), nil)
	c.Delete("short", nil)
	waitFor(t, "the queue", func() bool { return c.oldest.Load() == 0 })
	time.Sleep(callsOverdue + 10*time.Millisecond)
	if !c.Healthy() {
		t.Error("ill without anything to do")
	}
}
