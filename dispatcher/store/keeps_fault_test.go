package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestKeepsLocked writes while another process holds the write lock: that is an
// error of that moment, and reading goes on.
func TestKeepsLocked(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "keeps.db")
	k := openKeeps(t, path, nil)
	defer k.Close()
	setKeep(t, k, "demo", "key", "1")
	unlock := lock(t, path)
	if err := k.Set(t.Context(), "demo", "key", []byte("2"), 0); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("set: %v", err)
	}
	if s := k.Stats(); k.Healthy() || s.Failures != 1 {
		t.Errorf("healthy %v, %+v", k.Healthy(), s)
	}
	expectKeep(t, k, "demo", "key", "1")
	unlock()
	setKeep(t, k, "demo", "key", "3")
	expectKeep(t, k, "demo", "key", "3")
	if !k.Healthy() {
		t.Error("not healthy again")
	}
}

// TestKeepsFullDisk takes the room away in two ways and gives it back: who is told
// that it failed finds nothing changed, and reading goes on.
func TestKeepsFullDisk(t *testing.T) {
	tests := []struct {
		name string
		fill func(t *testing.T, k *Keeps) (empty func())
	}{
		{"the file may not grow", func(t *testing.T, k *Keeps) func() {
			set := func(pages int) {
				if err := k.file.exec(fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
					t.Error(err)
				}
			}
			set(20)
			return func() { set(1 << 30) }
		}},
		{"no file may grow", func(t *testing.T, k *Keeps) func() { return limitFiles(t, 200_001) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			k := newKeeps(t)
			defer k.Close()
			setKeep(t, k, "demo", "count", "5")
			empty := tt.fill(t, k)
			defer empty()
			done, failed := 0, 0
			value := make([]byte, KeepValueBytes)
			for i := range 30 {
				if err := k.Set(t.Context(), "demo", fmt.Sprint("key", i), value, 0); err != nil {
					failed++
					expectKeep(t, k, "demo", fmt.Sprint("key", i), "none")
				} else {
					done++
					expectKeep(t, k, "demo", fmt.Sprint("key", i), string(value))
				}
			}
			if failed == 0 || done == 0 || k.Healthy() {
				t.Fatalf("%d done, %d failed, healthy %v", done, failed, k.Healthy())
			}
			expectKeep(t, k, "demo", "count", "5")
			empty()
			if n, err := k.Increment(t.Context(), "demo", "count", 1, 0); n != 6 || err != nil {
				t.Errorf("with room again: %d, %v", n, err)
			}
			if err := k.Set(t.Context(), "demo", "key29", value, 0); err != nil || !k.Healthy() {
				t.Errorf("with room again: %v, healthy %v", err, k.Healthy())
			}
		})
	}
}

// limitFiles makes writing beyond so many bytes of a file fail.
func limitFiles(t *testing.T, bytes uint64) (lift func()) {
	set := func(limit syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Error(err)
		}
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	set(syscall.Rlimit{Cur: bytes, Max: old.Max})
	return func() { set(old) }
}

// hang stops the write loop and the read loops, as a disk that hangs does.
func hang(t *testing.T, k *Keeps) (release func()) {
	t.Helper()
	free := make(chan struct{})
	var held, all sync.WaitGroup
	hold := func(raw func(func(any) error) error) {
		held.Add(1)
		all.Go(func() { raw(func(any) error { held.Done(); <-free; return nil }) })
	}
	hold(k.file.conn.Raw)
	for _, r := range k.file.readers {
		hold(r.conn.Raw)
	}
	held.Wait()
	return func() { close(free); all.Wait() }
}

// TestKeepsHangingDisk ends every wait with its context, bounds what waits, and
// does nothing for those who have gone.
func TestKeepsHangingDisk(t *testing.T) {
	defer goleak.VerifyNone(t)
	k := newKeeps(t)
	defer k.Close()
	setKeep(t, k, "demo", "key", "1")
	release := hang(t, k)
	ctx, cancel := context.WithCancel(t.Context())
	var stuck, waiting sync.WaitGroup
	stuck.Go(func() { // the write loop takes this one
		if err := k.Set(t.Context(), "demo", "stuck", nil, 0); err != nil {
			t.Error(err)
		}
	})
	waitFor(t, "ill health", func() bool { return !k.Healthy() })
	for i := range keepsLimitOfOne {
		waiting.Go(func() {
			if err := k.Set(ctx, "demo", fmt.Sprint("gone", i), nil, 0); err != context.Canceled {
				t.Error(err)
			}
		})
	}
	waitFor(t, "a full line", func() bool { return k.Stats().Waiting == keepsLimitOfOne })
	if err := k.Set(t.Context(), "demo", "key", []byte("2"), 0); err != ErrBusy {
		t.Errorf("one too many: %v", err)
	}
	short, end := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer end()
	if _, _, err := k.Get(short, "demo", "key"); err != context.DeadlineExceeded {
		t.Errorf("get: %v", err)
	}
	if _, err := k.Increment(short, "other", "key", 1, 0); err != context.DeadlineExceeded {
		t.Errorf("increment: %v", err)
	}
	cancel()
	waiting.Wait()
	if s := k.Stats(); s.Waiting != 0 || s.Refused != 1 {
		t.Errorf("%+v", s)
	}
	release()
	stuck.Wait()
	expectKeep(t, k, "demo", "stuck", "")
	expectKeep(t, k, "demo", "key", "1")
	expectKeep(t, k, "demo", "gone0", "none")
	expectKeep(t, k, "other", "key", "none")
	waitFor(t, "health", k.Healthy)
}

// TestKeepsCloseOfHangingDisk gives up in the end, and leaves nothing when the
// disk comes back.
func TestKeepsCloseOfHangingDisk(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "keeps.db")
	k := openKeeps(t, path, nil)
	release := hang(t, k)
	var all sync.WaitGroup
	for _, key := range []string{"taken", "waiting"} {
		all.Go(func() {
			if err := k.Set(t.Context(), "demo", key, nil, 0); err != ErrClosed {
				t.Errorf("%s: %v", key, err)
			}
		})
		if key == "taken" {
			waitFor(t, "the write loop", func() bool { return !k.Healthy() })
		}
	}
	waitFor(t, "the one that waits", func() bool { return k.Stats().Waiting == 1 })
	start := time.Now()
	err := k.Close()
	if took := time.Since(start); err == nil || took < keepsPatience || took > keepsPatience+5*time.Second {
		t.Errorf("Close: %v after %v", err, took)
	}
	if again := k.Close(); !errors.Is(again, err) {
		t.Errorf("Close again: %v", again)
	}
	all.Wait()
	release()
	waitFor(t, "the file to be closed", func() bool {
		_, err := os.Stat(path + "-wal")
		return errors.Is(err, os.ErrNotExist)
	})
}

// TestKeepsFileStaysSmall lets keys come and go: the log is begun anew and the
// pages of keys that are over are used again.
func TestKeepsFileStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keeps.db")
	file, _, err := openSoundKeeps(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.close()
	now, value := monday, make([]byte, 1500)
	for round := range 40 { // 6 MB
		var asks []*keepAsk
		for i := range 100 {
			key := fmt.Sprint(round, "-", i)
			asks = append(asks, &keepAsk{do: keepSet, account: "demo", key: key, value: value, ttl: time.Second})
		}
		if _, _, err := file.write(now, asks, nil); err != nil || asks[99].answer.err != nil {
			t.Fatal(err, asks[99].answer.err)
		}
		now = now.Add(time.Second)
	}
	for name, limit := range map[string]int64{path: 1 << 20, path + "-wal": 5 << 20} {
		info, err := os.Stat(name)
		if err != nil || info.Size() > limit {
			t.Errorf("%s has %d bytes, %v", filepath.Base(name), info.Size(), err)
		}
	}
}
