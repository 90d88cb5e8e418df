package load

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQueueIsFirstInFirstOut holds a queue against a plain list, with texts which fill many chunks.
func TestQueueIsFirstInFirstOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := queue{delay: 5 * ms}
		var want []entry
		now, call, early := time.Duration(0), uint32(0), time.Duration(0)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				for range rapid.IntRange(1, 40).Draw(t, "entries") {
					e := entry{call: call, due: now + q.delay}
					for i := range e.texts {
						size := rapid.IntRange(0, 4000).Draw(t, "size")
						e.texts[i] = bytes.Repeat([]byte{byte(call) + byte(i)}, size)
					}
					q.push(now, call, e.texts[0], e.texts[1], e.texts[2])
					want = append(want, e)
					call++
				}
			},
			"pass": func(t *rapid.T) {
				now += time.Duration(rapid.IntRange(0, 10).Draw(t, "ms")) * ms
				for e, ok := q.pop(now); ok; e, ok = q.pop(now) {
					if len(want) == 0 || e.call != want[0].call || e.due != want[0].due-early || e.due > now {
						t.Fatalf("popped call %d due %v at %v", e.call, e.due, now)
					}
					for i := range e.texts {
						if !bytes.Equal(e.texts[i], want[0].texts[i]) {
							t.Fatalf("call %d: text %d is not what was pushed", e.call, i)
						}
					}
					want = want[1:]
				}
			},
			"hurry": func(*rapid.T) {
				if len(want) > 0 {
					early += max(0, want[0].due-early-now)
				}
				q.hurry(now)
			},
			"": func(t *rapid.T) {
				due, ok := q.next()
				if q.waiting != len(want) || ok != (len(want) > 0) || ok && due != want[0].due-early {
					t.Fatalf("%d waiting, want %d; next at %v, %v", q.waiting, len(want), due, ok)
				}
			},
		})
	})
}

func TestHeldCallsCostTheirBytes(t *testing.T) {
	const calls, text = 100_000, 180
	q := queue{delay: time.Hour}
	one := make([]byte, text)
	allocs := testing.AllocsPerRun(1, func() {
		for call := range uint32(calls / 2) { // AllocsPerRun has a run of its own before
			q.push(0, call, one, nil, nil)
		}
	})
	bytes := len(q.chunks) * chunkSize
	if each := bytes / calls; q.waiting != calls || each > text+2*recordHead {
		t.Errorf("%d calls at %d bytes each", q.waiting, each)
	}
	if allocs > calls/100 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestRepeaterDoublesItsGaps(t *testing.T) {
	r := newRepeater(64 * timerT1)
	r.push(0, 7, []byte("text"), nil, nil)
	var at []time.Duration
	for now := time.Duration(0); now < time.Minute; now += 100 * ms {
		r.tick(now, func(e entry) bool {
			if e.call != 7 || string(e.texts[0]) != "text" {
				t.Errorf("call %d, %q", e.call, e.texts[0])
			}
			at = append(at, now)
			return true
		})
	}
	want := []time.Duration{500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}
	if len(at) != len(want) {
		t.Fatalf("again at %v", at)
	}
	for i := range at {
		if at[i] != want[i]*ms {
			t.Errorf("again at %v, want %v", at[i], want[i]*ms)
		}
	}
	r.push(0, 8, nil, nil, nil)
	times := 0
	for now := time.Duration(0); now < time.Minute; now += 100 * ms {
		r.tick(now, func(entry) bool { times++; return times < 2 })
	}
	if times != 2 {
		t.Errorf("again %d times after the answer", times-1)
	}
}
