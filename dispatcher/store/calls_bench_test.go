package store

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// benchState is of the size that the state of an answered call has.
func benchState() []byte { return make([]byte, 1450+rand.IntN(100)) }

func benchID() string {
	b := make([]byte, 12)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return hex.EncodeToString(b)
}

// cpu is what the process has used, of all its threads.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkCallsChange writes batches of changes over 10,000 calls under way, a
// third of them each new, changed, and over.
func BenchmarkCallsChange(b *testing.B) {
	for _, batch := range []int{9, 99, 999} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			c := openCalls(b, filepath.Join(b.TempDir(), "calls.db"))
			ids := make([]string, 10_000)
			for i := range ids {
				ids[i] = benchID()
				c.Put(ids[i], benchState(), nil)
			}
			waitFor(b, "the calls", func() bool { return c.Stats().Waiting == 0 })
			saved := make(chan struct{}, 1)
			before := c.Stats()
			b.ResetTimer()
			start := cpu(b)
			for range b.N {
				for i := range batch / 3 {
					at := rand.IntN(len(ids) - 1)
					c.Delete(ids[at], nil)
					ids[at] = benchID()
					c.Put(ids[at], benchState(), nil)
					if i > 0 {
						c.Put(ids[rand.IntN(len(ids)-1)], benchState(), nil)
					}
				}
				c.Put(ids[len(ids)-1], benchState(), func() { saved <- struct{}{} })
				<-saved
			}
			used := cpu(b) - start
			b.StopTimer()
			after := c.Stats()
			rows := float64(after.Written - before.Written)
			b.ReportMetric(float64(used.Microseconds())/rows, "cpu-us/row")
			b.ReportMetric(rows/float64(after.Commits-before.Commits), "rows/commit")
			b.ReportMetric(0, "ns/op") // mostly the rest between commits
		})
	}
}

// BenchmarkCallsOpen opens and reads a file of 100,000 calls.
func BenchmarkCallsOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "calls.db")
	c := openCalls(b, path)
	for range 100_000 {
		c.Put(benchID(), benchState(), nil)
	}
	closeCalls(b, c)
	var opening, reading time.Duration
	for b.Loop() {
		start := time.Now()
		c := openCalls(b, path)
		opened := time.Now()
		n := 0
		if err := c.Each(func(string, []byte) error { n++; return nil }); err != nil || n != 100_000 {
			b.Fatal(n, err)
		}
		opening, reading = opening+opened.Sub(start), reading+time.Since(opened)
		closeCalls(b, c)
	}
	b.ReportMetric(opening.Seconds()*1000/float64(b.N), "open-ms")
	b.ReportMetric(reading.Seconds()*1000/float64(b.N), "each-ms")
}

// BenchmarkCallsShort is a call that is over before it is written.
func BenchmarkCallsShort(b *testing.B) {
	c := openCalls(b, filepath.Join(b.TempDir(), "calls.db"))
	state, id := benchState(), "a"
	b.ReportAllocs()
	start := cpu(b)
	for b.Loop() {
		c.Put(id, state, nil)
		c.Delete(id, nil)
	}
	b.ReportMetric(float64((cpu(b)-start).Nanoseconds())/float64(b.N), "cpu-ns/call")
}
