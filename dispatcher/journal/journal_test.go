package journal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fill adds events whose What is their number.
func fill(j *Journal, n int) {
	for range n {
		j.Add(Event{Kind: Worker, Subject: "w1", What: fmt.Sprint(j.Last() + 1)})
	}
}

func numbers(list []Event) (n []uint64) {
	for _, e := range list {
		n = append(n, e.Number)
	}
	return n
}

func TestReadersAskForWhatCameAfter(t *testing.T) {
	var j Journal
	fill(&j, 10)
	even := func(e *Event) bool { return e.Number%2 == 0 }
	for name, c := range map[string]struct {
		after  uint64
		limit  int
		wanted func(*Event) bool
		list   string
		upTo   uint64
	}{
		"all":                   {0, 100, nil, "[1 2 3 4 5 6 7 8 9 10]", 10},
		"the rest":              {7, 100, nil, "[8 9 10]", 10},
		"a page":                {2, 3, nil, "[3 4 5]", 5},
		"some":                  {3, 100, even, "[4 6 8 10]", 10},
		"some, a page":          {3, 2, even, "[4 6]", 6},
		"none yet":              {10, 100, nil, "[]", 10},
		"of a later life":       {99, 100, nil, "[]", 99},
		"nothing of what comes": {9, 100, func(*Event) bool { return false }, "[]", 10},
	} {
		list, missed, upTo := j.After(c.after, c.limit, c.wanted)
		if got := fmt.Sprint(numbers(list)); got != c.list || missed != 0 || upTo != c.upTo {
			t.Errorf("%s: %s, missed %d, up to %d; want %s, 0, %d", name, got, missed, upTo, c.list, c.upTo)
		}
	}
	if got := fmt.Sprint(numbers(j.Newest(2, even))); got != "[8 10]" {
		t.Errorf("the newest two even ones are %s", got)
	}
}

func TestWhatFallsOffIsTold(t *testing.T) {
	var j Journal
	fill(&j, Kept+30)
	list, missed, upTo := j.After(10, Kept, nil)
	if missed != 20 || len(list) != Kept || list[0].Number != 31 || upTo != Kept+30 {
		t.Errorf("missed %d, %d events from %d up to %d", missed, len(list), list[0].Number, upTo)
	}
	for i, e := range list {
		if e.Number != 31+uint64(i) || e.What != fmt.Sprint(e.Number) {
			t.Fatalf("event %d is number %d, %q", i, e.Number, e.What)
		}
	}
	if _, missed, _ := j.After(30, Kept, nil); missed != 0 {
		t.Errorf("missed %d after the last that fell off", missed)
	}
}

func TestEventsAreBounded(t *testing.T) {
	var j Journal
	j.Add(Event{
		Kind: Worker, Reason: strings.Repeat("ä", maxText) + "\xff",
		Numbers: map[string]float64{"rss_bytes": 1, "nan": math.NaN(), "inf": math.Inf(-1)},
	})
	e := j.Newest(1, nil)[0]
	if len(e.Reason) > maxText+3 || !strings.HasSuffix(e.Reason, "ä...") {
		t.Errorf("%d octets of a reason, ending in %q", len(e.Reason), e.Reason[len(e.Reason)-8:])
	}
	if len(e.Numbers) != 1 || e.Numbers["rss_bytes"] != 1 {
		t.Errorf("numbers %v", e.Numbers)
	}
	if _, err := encode([]Event{e}); err != nil {
		t.Error(err)
	}
}

func TestCountsAreBounded(t *testing.T) {
	var j Journal
	fill(&j, maxCounts+50)
	counts := map[Count]uint64{}
	j.Counts(func(c Count, n uint64) { counts[c] = n })
	if len(counts) != maxCounts+1 || counts[Count{Worker, "other"}] != 50 || counts[Count{Worker, "7"}] != 1 {
		t.Errorf("%d counts, %d others", len(counts), counts[Count{Worker, "other"}])
	}
}

func TestWaitingReadersAreWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j Journal
		fill(&j, 3)
		if err := j.Wait(t.Context(), 2); err != nil {
			t.Errorf("there is one already: %v", err)
		}
		woken := make(chan error, 3)
		for range 3 {
			go func() { woken <- j.Wait(context.Background(), 3) }()
		}
		synctest.Wait()
		if len(woken) != 0 {
			t.Fatal("woken by nothing")
		}
		fill(&j, 1)
		synctest.Wait()
		if len(woken) != 3 || <-woken != nil {
			t.Fatalf("%d of 3 were woken", len(woken))
		}
		limited, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := j.Wait(limited, 4); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing came, and Wait says %v", err)
		}
		go func() { woken <- j.Wait(context.Background(), 5) }()
		synctest.Wait()
		j.Close("")
		synctest.Wait()
		<-woken
		<-woken
		if err := <-woken; !errors.Is(err, ErrClosed) {
			t.Errorf("at the end Wait says %v", err)
		}
		if n := j.Add(Event{}); n != 0 {
			t.Errorf("event %d after the end", n)
		}
	})
}

// TestManyReadWhileManyWrite holds that no reader sees a number twice or out of order,
// or loses one without being told.
func TestManyReadWhileManyWrite(t *testing.T) {
	var j Journal
	const each, writers = 5 * Kept / 4, 4
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				j.Add(Event{Kind: Worker, What: "ready", Numbers: map[string]float64{"runs": 1}})
			}
		})
	}
	for range 4 {
		all.Go(func() {
			last, seen := uint64(0), uint64(0)
			for j.Wait(context.Background(), last) == nil {
				list, missed, upTo := j.After(last, 100, nil)
				seen += missed
				for _, e := range list {
					if seen++; e.Number != seen {
						t.Errorf("number %d is the %d. seen or missed", e.Number, seen)
						return
					}
				}
				if last = upTo; last == each*writers {
					return
				}
			}
		})
	}
	all.Wait()
}
