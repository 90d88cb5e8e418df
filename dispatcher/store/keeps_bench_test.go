package store

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// benchKeeps holds 100 accounts of 100 keys each.
func benchKeeps(b *testing.B) *Keeps {
	k := openKeeps(b, filepath.Join(b.TempDir(), "keeps.db"), nil)
	for i := range 100 {
		var asks []*keepAsk
		for n := range 100 {
			account, key := fmt.Sprint("account", i), fmt.Sprint("key", n)
			asks = append(asks, &keepAsk{do: keepSet, account: account, key: key, value: make([]byte, 200)})
		}
		// The write loop is idle: nobody has asked for anything yet.
		if _, _, err := k.file.write(time.Now(), asks, nil); err != nil {
			b.Fatal(err)
		}
	}
	return k
}

// crowd runs something from 64 goroutines, and says what it costs in CPU.
func crowd(b *testing.B, do func(n int64) error) {
	var count atomic.Int64
	b.SetParallelism(32) // for each of 2 processors
	b.ReportAllocs()
	b.ResetTimer()
	start := cpu(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(count.Add(1)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64((cpu(b)-start).Microseconds())/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func BenchmarkKeepsGet(b *testing.B) {
	k := benchKeeps(b)
	crowd(b, func(n int64) error {
		_, found, err := k.Get(b.Context(), fmt.Sprint("account", n%100), fmt.Sprint("key", n/100%100))
		if !found {
			b.Error("not found")
		}
		return err
	})
}

func BenchmarkKeepsIncrement(b *testing.B) {
	k := benchKeeps(b)
	crowd(b, func(n int64) error {
		_, err := k.Increment(b.Context(), fmt.Sprint("account", n%100), "calls", 1, 0)
		return err
	})
}

func BenchmarkKeepsSet(b *testing.B) {
	k := benchKeeps(b)
	value := make([]byte, 200)
	crowd(b, func(n int64) error {
		return k.Set(b.Context(), fmt.Sprint("account", n%100), fmt.Sprint("new", n/100%1000), value, time.Hour)
	})
}

// BenchmarkKeepsAlone is one caller who waits for each increment.
func BenchmarkKeepsAlone(b *testing.B) {
	k := benchKeeps(b)
	for b.Loop() {
		if _, err := k.Increment(b.Context(), "account1", "calls", 1, 0); err != nil {
			b.Fatal(err)
		}
	}
}
