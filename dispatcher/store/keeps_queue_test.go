package store

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestKeepQueueTakesTurns lets one account wait with many.
func TestKeepQueueTakesTurns(t *testing.T) {
	q := newKeepQueue()
	for _, account := range []string{"flood", "flood", "flood", "flood", "a", "b", "a"} {
		if !q.add(&keepAsk{account: account}) {
			t.Fatal("no room")
		}
	}
	var got []string
	for _, n := range []int{2, 3, 9} {
		for _, a := range q.take(n) {
			got = append(got, a.account)
		}
		got = append(got, "|")
	}
	if want := []string{"flood", "a", "|", "b", "flood", "a", "|", "flood", "flood", "|"}; !slices.Equal(got, want) {
		t.Errorf("taken %q, want %q", got, want)
	}
}

// TestKeepQueueHasRoom floods from many accounts: there is room for others still,
// and for each as much as for the next.
func TestKeepQueueHasRoom(t *testing.T) {
	for _, accounts := range []int{1, 10, 100, 1000} {
		q := newKeepQueue()
		for more := true; more; {
			more = false
			for i := range accounts {
				more = q.add(&keepAsk{account: fmt.Sprint("flood", i)}) || more
			}
		}
		if q.waiting < min(accounts*keepsLimitOfOne, keepsLimit/2) || q.waiting >= keepsLimit {
			t.Errorf("%d accounts: %d wait", accounts, q.waiting)
		}
		for name, line := range q.lines {
			if n := line.asks.Len(); n > keepsLimitOfOne || n < min(keepsLimitOfOne, (keepsLimit-q.waiting)/2) {
				t.Errorf("%d accounts: %d of %s wait", accounts, n, name)
			}
		}
		if !q.add(&keepAsk{account: "late"}) {
			t.Errorf("%d accounts: no room for one more", accounts)
		}
	}
}

// TestKeepQueueModel adds, takes and takes back at random: each account's asks
// are taken in their order, none twice, none that was taken back.
func TestKeepQueueModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newKeepQueue()
		model := map[string][]*keepAsk{}
		waiting := func() (n int) {
			for _, line := range model {
				n += len(line)
			}
			return n
		}
		account := rapid.SampledFrom([]string{"a", "b", "c"})
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if q.waiting != waiting() || q.turns.Len() != len(q.lines) {
					t.Fatalf("%d wait, want %d; %d turns, %d lines", q.waiting, waiting(), q.turns.Len(), len(q.lines))
				}
			},
			"add": func(t *rapid.T) {
				a := &keepAsk{account: account.Draw(t, "account")}
				if !q.add(a) {
					t.Fatal("no room")
				}
				model[a.account] = append(model[a.account], a)
			},
			"take": func(t *rapid.T) {
				n := rapid.IntRange(0, 5).Draw(t, "n")
				want := min(n, waiting())
				asks := q.take(n)
				if len(asks) != want {
					t.Fatalf("%d taken, want %d", len(asks), want)
				}
				for _, a := range asks {
					if line := model[a.account]; len(line) == 0 || line[0] != a {
						t.Fatal("not the next of its account")
					}
					model[a.account] = model[a.account][1:]
					q.remove(a) // its caller goes just now
				}
			},
			"remove": func(t *rapid.T) {
				line := model[account.Draw(t, "account")]
				if len(line) == 0 {
					return
				}
				i := rapid.IntRange(0, len(line)-1).Draw(t, "which")
				a := line[i]
				q.remove(a)
				model[a.account] = slices.Delete(slices.Clone(line), i, i+1)
			},
		})
	})
}
