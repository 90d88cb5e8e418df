package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func openKeeps(t testing.TB, path string, quota func(string) KeepQuota) *Keeps {
	t.Helper()
	k, err := OpenKeeps(path, quota)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func newKeeps(t testing.TB) *Keeps {
	t.Helper()
	return openKeeps(t, filepath.Join(t.TempDir(), "keeps.db"), nil)
}

func closeKeeps(t testing.TB, k *Keeps) {
	t.Helper()
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
}

func setKeep(t testing.TB, k *Keeps, account, key, value string) {
	t.Helper()
	if err := k.Set(t.Context(), account, key, []byte(value), 0); err != nil {
		t.Fatalf("set %s of %s: %v", key, account, err)
	}
}

// expectKeep wants a key to have that value, or not to be there if it is "none".
func expectKeep(t testing.TB, k *Keeps, account, key, want string) {
	t.Helper()
	value, found, err := k.Get(t.Context(), account, key)
	if err != nil {
		t.Fatalf("get %s of %s: %v", key, account, err)
	}
	if !found {
		value = []byte("none")
	}
	if string(value) != want {
		t.Errorf("%s of %s is %q, want %q", key, account, value, want)
	}
}

func TestKeeps(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "data", "keeps.db")
	k := openKeeps(t, path, nil)
	setKeep(t, k, "demo", "key", "1")
	setKeep(t, k, "other", "key", "2")
	setKeep(t, k, "demo", "empty", "")
	if err := k.Set(t.Context(), "demo", "nil", nil, 0); err != nil {
		t.Error(err)
	}
	octets := "\x00\xff'\r\n"
	setKeep(t, k, "demo", octets, octets)
	setKeep(t, k, "demo", octets+"2", "3")
	for range 2 {
		for _, want := range [][3]string{{"demo", "key", "1"}, {"other", "key", "2"}, {"demo", "empty", ""}, {"demo", "nil", ""},
			{"demo", octets, octets}, {"demo", octets + "2", "3"}, {"demo", "ke", "none"}, {"demo", "KEY", "none"}, {"de", "key", "none"}} {
			expectKeep(t, k, want[0], want[1], want[2])
		}
		closeKeeps(t, k)
		if left, _ := filepath.Glob(path + "-*"); len(left) > 0 {
			t.Errorf("left after Close: %q", left)
		}
		k = openKeeps(t, path, nil)
	}
	for _, want := range []bool{true, false} {
		if found, err := k.Delete(t.Context(), "demo", "key"); found != want || err != nil {
			t.Errorf("delete: %v, %v", found, err)
		}
		expectKeep(t, k, "demo", "key", "none")
	}
	expectKeep(t, k, "other", "key", "2")
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	closeKeeps(t, k)
	if _, _, err := k.Get(t.Context(), "demo", "key"); err != ErrClosed {
		t.Errorf("get: %v", err)
	}
	if err := k.Set(t.Context(), "demo", "key", nil, 0); err != ErrClosed {
		t.Errorf("set: %v", err)
	}
}

func TestIncrement(t *testing.T) {
	k := newKeeps(t)
	setKeep(t, k, "demo", "text", "five")
	setKeep(t, k, "demo", "empty", "")
	setKeep(t, k, "demo", "long", "1"+strings.Repeat("0", 20))
	setKeep(t, k, "demo", "padded", strings.Repeat("0", 30)+"1")
	setKeep(t, k, "demo", "fraction", "1.5")
	setKeep(t, k, "demo", "set", "41")
	for i, step := range []struct {
		key  string
		by   int64
		want int64
		err  error
	}{
		{"new", 5, 5, nil}, {"new", -7, -2, nil}, {"new", 0, -2, nil}, {"zero", 0, 0, nil}, {"set", 1, 42, nil},
		{"text", 1, 0, ErrNotNumber}, {"empty", 1, 0, ErrNotNumber}, {"long", 1, 0, ErrNotNumber},
		{"padded", 1, 0, ErrNotNumber}, {"fraction", 1, 0, ErrNotNumber},
		{"top", math.MaxInt64, math.MaxInt64, nil}, {"top", 1, 0, ErrOverflow}, {"top", math.MinInt64, -1, nil},
		{"bottom", math.MinInt64, math.MinInt64, nil}, {"bottom", -1, 0, ErrOverflow}, {"bottom", math.MinInt64, 0, ErrOverflow},
	} {
		if got, err := k.Increment(t.Context(), "demo", step.key, step.by, 0); got != step.want || err != step.err {
			t.Errorf("step %d: %d, %v", i, got, err)
		}
	}
	for key, want := range map[string]string{"new": "-2", "zero": "0", "set": "42", "text": "five", "top": "-1",
		"bottom": "-9223372036854775808"} {
		expectKeep(t, k, "demo", key, want)
	}
}

func TestKeepsRefuses(t *testing.T) {
	k := newKeeps(t)
	longest, largest := strings.Repeat("k", KeepKeyBytes), make([]byte, KeepValueBytes)
	for _, tt := range []struct {
		key   string
		value []byte
		ttl   time.Duration
		want  error
	}{
		{"", nil, 0, ErrKey}, {longest + "k", nil, 0, ErrKey}, {longest, largest, KeepLongest, nil},
		{"key", append(largest, 0), 0, ErrTooLarge}, {"key", nil, -1, ErrTTL}, {"key", nil, KeepLongest + 1, ErrTTL},
	} {
		if err := k.Set(t.Context(), "demo", tt.key, tt.value, tt.ttl); err != tt.want {
			t.Errorf("set %.10q, %d bytes, %v: %v", tt.key, len(tt.value), tt.ttl, err)
		}
	}
	if value, _, err := k.Get(t.Context(), "demo", longest); !bytes.Equal(value, largest) || err != nil {
		t.Errorf("the largest value: %d bytes, %v", len(value), err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.Set(gone, "demo", "key", nil, 0); err != context.Canceled {
		t.Errorf("without a caller: %v", err)
	}
	expectKeep(t, k, "demo", "key", "none")
}

func TestKeepQuota(t *testing.T) {
	quotas := map[string]KeepQuota{"keys": {Keys: 3}, "bytes": {Bytes: 20}}
	var mu sync.Mutex
	k := openKeeps(t, filepath.Join(t.TempDir(), "keeps.db"), func(account string) KeepQuota {
		mu.Lock()
		defer mu.Unlock()
		return quotas[account]
	})
	for i, step := range []struct {
		account, key, value string
		want                error
	}{
		{"keys", "a", "1", nil}, {"keys", "b", "1", nil}, {"keys", "c", "1", nil}, {"keys", "d", "1", ErrQuota},
		{"keys", "a", strings.Repeat("1", 5000), nil}, {"keys", "b", "", nil},
		{"bytes", "12345", "12345", nil}, {"bytes", "1234567890", "", nil}, {"bytes", "1", "", ErrQuota},
		{"bytes", "12345", "123456", ErrQuota}, {"bytes", "12345", "1234", nil}, {"bytes", "1", "", nil},
		{"bytes", "12345", "12345", ErrQuota}, {"default", "d", "1", nil},
	} {
		if err := k.Set(t.Context(), step.account, step.key, []byte(step.value), 0); err != step.want {
			t.Errorf("step %d: %v", i, err)
		}
	}
	expectKeep(t, k, "bytes", "12345", "1234")
	if _, err := k.Increment(t.Context(), "keys", "number", 1, 0); err != ErrQuota {
		t.Errorf("increment: %v", err)
	}
	if _, err := k.Delete(t.Context(), "keys", "b"); err != nil {
		t.Error(err)
	}
	setKeep(t, k, "keys", "d", "1")

	mu.Lock()
	quotas["keys"] = KeepQuota{Keys: 1, Bytes: 100} // less than is there
	mu.Unlock()
	setKeep(t, k, "keys", "a", "shorter")
	if err := k.Set(t.Context(), "keys", "a", make([]byte, 5000), 0); err != ErrQuota {
		t.Errorf("growing beyond a lowered quota: %v", err)
	}
}

func TestDefaultKeepQuota(t *testing.T) {
	k := newKeeps(t)
	value := make([]byte, KeepValueBytes-16)
	for i := range 64 { // 1 MiB in all
		if err := k.Set(t.Context(), "bytes", fmt.Sprintf("%016d", i), value, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Set(t.Context(), "bytes", "1", nil, 0); err != ErrQuota {
		t.Errorf("one byte more: %v", err)
	}
	var all sync.WaitGroup
	for part := range 50 {
		all.Go(func() {
			for i := range 200 {
				if err := k.Set(t.Context(), "keys", fmt.Sprint(part, "-", i), nil, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := k.Set(t.Context(), "keys", "1", nil, 0); err != ErrQuota {
		t.Errorf("one key more: %v", err)
	}
}

// TestKeepsEnd waits for a key to end, and for it to be removed without a write.
func TestKeepsEnd(t *testing.T) {
	k := newKeeps(t)
	start := time.Now()
	const ttl = 50 * time.Millisecond
	if err := k.Set(t.Context(), "demo", "key", []byte("1"), ttl); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the end of the key", func() bool {
		_, found, err := k.Get(t.Context(), "demo", "key")
		if !found && time.Since(start) < ttl {
			t.Fatalf("it ended after %v, %v", time.Since(start), err)
		}
		return !found
	})
	waitFor(t, "its removal", func() bool { return k.Stats().Expired == 1 })
}

func TestConcurrentIncrements(t *testing.T) {
	defer goleak.VerifyNone(t)
	k := newKeeps(t)
	const each, adders = 100, 100
	seen := make([]map[int64]bool, adders)
	var all sync.WaitGroup
	for i := range adders {
		seen[i] = map[int64]bool{}
		all.Go(func() {
			for range each {
				n, err := k.Increment(t.Context(), "demo", "calls", 1, 0)
				if err != nil {
					t.Error(err)
					return
				}
				seen[i][n] = true
			}
		})
	}
	all.Wait()
	expectKeep(t, k, "demo", "calls", "10000")
	sums := map[int64]bool{}
	for _, s := range seen {
		for n := range s {
			sums[n] = true
		}
	}
	if len(sums) != each*adders {
		t.Errorf("%d different sums", len(sums))
	}
	closeKeeps(t, k)
}

// TestKeepsFlood has one account ask as fast as it can from many goroutines. What
// it is refused is busy, and another account goes on as if alone.
func TestKeepsFlood(t *testing.T) {
	defer goleak.VerifyNone(t)
	k := newKeeps(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 3 * keepsLimitOfOne {
		all.Go(func() {
			for ctx.Err() == nil {
				err := k.Set(ctx, "flood", fmt.Sprint(i), make([]byte, 1000), 0)
				if errors.Is(err, ErrBusy) {
					time.Sleep(time.Millisecond)
				} else if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	waitFor(t, "the flood", func() bool { return k.Stats().Refused > 0 })
	worst := time.Duration(0)
	for i := range 10 {
		start := time.Now()
		if n, err := k.Increment(t.Context(), "demo", "calls", 1, 0); n != int64(i+1) || err != nil {
			t.Errorf("increment: %d, %v", n, err)
		}
		expectKeep(t, k, "demo", "calls", fmt.Sprint(i+1))
		worst = max(worst, time.Since(start))
	}
	if worst > 2*time.Second { // two batches are some 20 ms, without the race detector
		t.Errorf("another account waited %v", worst)
	}
	cancel()
	all.Wait()
	closeKeeps(t, k)
}
