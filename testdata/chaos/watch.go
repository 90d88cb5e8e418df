package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// watch is what is seen of the front and its workers each second.
type watch struct {
	memory  []sample
	workers map[int]uint64 // every process that there ever was: pid and when it was born
	most    int            // descriptors of the front
}

// sample is the memory of the front at some time.
type sample struct {
	at    time.Duration // since the beginning
	bytes float64
}

func (w *watch) run(ctx context.Context, front int) {
	w.workers = map[int]uint64{}
	begun := time.Now()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for n := 0; ; n++ {
		for _, pid := range children(front) {
			if start := born(pid); start != 0 {
				w.workers[pid] = start
			}
		}
		if n%10 == 0 {
			w.memory = append(w.memory, sample{time.Since(begun), resident(front)})
			w.most = max(w.most, total(descriptors(front)))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// orphans are processes that live on.
func (w *watch) orphans() (pids []int) {
	for pid, start := range w.workers {
		if born(pid) == start {
			pids = append(pids, pid)
		}
	}
	return pids
}

// settled is how long the front is left to itself before its memory is held against it.
const settled = 10 * time.Minute

// floor is what the memory falls back to in each minute: what is above it is garbage of
// whatever went wrong just then, and says nothing.
func (w *watch) floor() (minutes []sample) {
	for i := 0; i+60 <= len(w.memory); i += 60 {
		part := w.memory[i : i+60]
		least := slices.MinFunc(part, func(a, b sample) int { return cmp.Compare(a.bytes, b.bytes) })
		minutes = append(minutes, sample{part[30].at, least.bytes})
	}
	return minutes
}

// growth is the slope of the floor after the warm-up, in bytes per hour: the median slope of all pairs of
// minutes. ok is false if less than half an hour can be judged.
func (w *watch) growth() (perHour float64, ok bool) {
	minutes := slices.DeleteFunc(w.floor(), func(s sample) bool { return s.at < settled })
	var slopes []float64
	for i := range minutes {
		for _, later := range minutes[i+1:] {
			slopes = append(slopes, (later.bytes-minutes[i].bytes)/(later.at-minutes[i].at).Hours())
		}
	}
	if len(slopes) == 0 {
		return 0, false
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2], len(minutes) >= 30
}

// standing is how many things the front has at a quiet moment.
type standing struct {
	open    map[string]int // descriptors by kind
	workers int
}

func (t *trouble) look() standing {
	pid := t.server.cmd.Process.Pid
	return standing{descriptors(pid), len(children(pid))}
}

// rest is what is left when everything is over.
type rest struct {
	before, after standing
	guilty        []string // versions in quarantine, "account/plan@1"
	excused       int      // calls of the well-behaved whose worker was lost after an effect
	records       int
	orphans       []int
	ended         error
}

const (
	calmTime = 90 * time.Second // for workers that nobody needs to leave
	// eachWorker is how many descriptors a worker costs the front: pipes, its process and its stream.
	eachWorker = 8
	// spare is for what the front has open for a moment.
	spare = 2
)

// settle waits until the front is as it was, and takes stock.
func (t *trouble) settle(ctx context.Context, before standing) {
	t.rest.before = before
	t.await(ctx, min(calmTime, t.duration/2), func() bool {
		time.Sleep(100 * time.Millisecond)
		now := t.look()
		return now.workers <= before.workers && total(now.open) <= total(before.open)+spare
	})
	t.rest.after = t.look()
	var cases []struct {
		Account  string `json:"account"`
		Plan     string `json:"plan"`
		Version  int    `json:"version"`
		Standing string `json:"standing"`
	}
	if err := t.server.ask("GET", "/v1/quarantine", "", &cases); err != nil {
		t.remarks = append(t.remarks, "quarantine: "+err.Error())
	}
	for _, c := range cases {
		if c.Standing == "guilty" {
			t.rest.guilty = append(t.rest.guilty, fmt.Sprintf("%s/%s@%d", c.Account, c.Plan, c.Version))
		}
	}
}

// end stops the server and looks at what it leaves.
func (t *trouble) end() error {
	t.rest.ended = t.server.stop()
	time.Sleep(time.Second)
	t.rest.orphans = t.watched.orphans()
	return t.readRecords()
}

// readRecords counts what the server says of the calls of the well-behaved.
func (t *trouble) readRecords() error {
	f, err := os.Open(filepath.Join(t.server.dir, "data", "records.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	good := map[string]bool{}
	for _, a := range everybody() {
		good[a.name] = !a.hostile
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	var faults error
	for lines.Scan() {
		var r struct{ Account, Reason string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			faults = errors.Join(faults, err)
			continue
		}
		if good[r.Account] {
			t.rest.records++
			if r.Reason == "worker lost" {
				t.rest.excused++
			}
		}
	}
	return errors.Join(faults, lines.Err())
}
