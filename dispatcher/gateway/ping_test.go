package gateway

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPulse tells what becomes of an URI, ping by ping: + is an answer, - none.
func TestPulse(t *testing.T) {
	tests := []struct {
		pings      string
		fall, rise int
		want       string
	}{
		{"-+", 3, 2, "up, in doubt; up"},
		{"---", 3, 2, "up, in doubt; up, in doubt; down"},
		{"--+--", 3, 2, "up, in doubt; up, in doubt; up; up, in doubt; up, in doubt"},
		{"-+-++", 1, 2, "down; down, in doubt; down; down, in doubt; up"},
		{"-+-", 1, 1, "down; up; down"},
		{"--++", 2, 1, "up, in doubt; down; up; up"},
	}
	for _, tt := range tests {
		var p pulse
		var got []string
		for _, ping := range tt.pings {
			p, _ = p.beat(noon, ping == '+', tt.fall, tt.rise)
			got = append(got, p.String())
		}
		if text := strings.Join(got, "; "); text != tt.want {
			t.Errorf("%s: got %s, want %s", tt.pings, text, tt.want)
		}
	}
}

// TestPulseModel holds it against the sentence of the manual: down after fall
// failures in a row, up after rise answers in a row.
func TestPulseModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := acme(URI{}, URI{})
		c.Fall, c.Rise = rapid.IntRange(1, 4).Draw(t, "fall"), rapid.IntRange(1, 4).Draw(t, "rise")
		g, now := New(c), noon
		history := make([][]bool, 2) // of each URI, since its last change
		up := []bool{true, true}
		since := make([]time.Time, 2)
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				var order []int
				for i, u := range g.State().URIs {
					if u.Up != up[i] || !u.Since.Equal(since[i]) {
						t.Fatalf("%d: %+v, want up %v since %v", i, u, up[i], since[i])
					}
					if up[i] {
						order = append(order, i)
					}
				}
				got := g.Order(dice(1))
				slices.Sort(got)
				if !slices.Equal(got, order) {
					t.Fatalf("order %v, want %v", got, order)
				}
			},
			"ping": func(t *rapid.T) {
				now = now.Add(time.Second)
				i, ok := rapid.IntRange(0, 1).Draw(t, "uri"), rapid.Bool().Draw(t, "ok")
				history[i] = append(history[i], ok)
				needed := c.Fall
				if !up[i] {
					needed = c.Rise
				}
				from := len(history[i]) - needed
				changes := from >= 0 && !slices.Contains(history[i][max(0, from):], up[i])
				if changes {
					up[i], since[i], history[i] = !up[i], now, nil
				}
				if got := g.Pinged(i, now, ok); got != changes {
					t.Fatalf("changed: %v", got)
				}
			},
		})
	})
}

func TestNeverPinged(t *testing.T) {
	c := acme(URI{})
	c.Ping = 0
	g := New(c)
	if uri, at := g.Due(noon, dice(1)); uri != -1 || !at.IsZero() {
		t.Errorf("got %d, %v", uri, at)
	}
	if g.Pinged(0, noon, false) || len(g.Order(dice(1))) != 1 {
		t.Error("a gateway that is never pinged went down, and for ever")
	}
}

// drive is a pinger in virtual time: it asks when it was told to, and settles
// each ping at once. It gives the times of the pings of each URI.
func drive(g *Gateway, until time.Duration, answers func(uri int, now time.Time) bool) map[int][]time.Time {
	sent := map[int][]time.Time{}
	r := dice(9)
	for now := noon; now.Before(noon.Add(until)); {
		uri, at := g.Due(now, r)
		if uri >= 0 {
			sent[uri] = append(sent[uri], now)
			g.Pinged(uri, now, answers(uri, now))
			continue
		}
		if !at.After(now) {
			panic("told to ask again at once, for nothing")
		}
		now = at
	}
	return sent
}

func TestDue(t *testing.T) {
	c := acme(URI{}, URI{}, URI{})
	sent := drive(New(c), time.Hour, func(int, time.Time) bool { return true })
	differ := map[time.Duration]bool{}
	for uri := range 3 {
		times := sent[uri]
		if len(times) < 109 || len(times) > 134 {
			t.Errorf("URI %d: %d pings in an hour", uri, len(times))
		}
		if first := times[0].Sub(noon); first < 0 || first > 2*time.Second {
			t.Errorf("URI %d: first after %v", uri, first)
		}
		for i := range times[1:] {
			gap := times[i+1].Sub(times[i])
			if gap < 27*time.Second || gap > 33*time.Second {
				t.Errorf("URI %d: %v between two pings", uri, gap)
			}
			differ[gap] = true
		}
	}
	if len(differ) < 100 {
		t.Errorf("only %d different gaps: no jitter", len(differ))
	}
}

// TestDueInDoubt: it does not take Fall times 30 s to see that a gateway is gone,
// nor that it is back.
func TestDueInDoubt(t *testing.T) {
	c := acme(URI{}, URI{})
	c.Fall, c.Rise = 3, 2
	g := New(c)
	gone, back := noon.Add(5*time.Minute), noon.Add(10*time.Minute)
	sent := drive(g, 15*time.Minute, func(uri int, now time.Time) bool {
		return uri == 1 || now.Before(gone) || !now.Before(back)
	})
	state := g.State().URIs[0]
	if !state.Up || state.Since.Before(back) || state.Since.After(back.Add(33*time.Second+soon)) {
		t.Errorf("back at %v, seen %v", back, state.Since)
	}
	at := slices.IndexFunc(sent[0], func(now time.Time) bool { return !now.Before(gone) })
	if gap := sent[0][at+2].Sub(sent[0][at]); gap != 2*soon {
		t.Errorf("the three pings that took it down needed %v", gap)
	}
	if gap := sent[0][at+3].Sub(sent[0][at+2]); gap < 27*time.Second-soon {
		t.Errorf("when it was down the next ping came after %v", gap)
	}
	if len(sent[1]) > 36 {
		t.Errorf("the other had %d pings", len(sent[1]))
	}
}

// TestDueSoonerThanDoubt: pings that are close together stay as close.
func TestDueSoonerThanDoubt(t *testing.T) {
	c := acme(URI{})
	c.Ping, c.Fall = 100*time.Millisecond, 50
	sent := drive(New(c), 2*time.Second, func(int, time.Time) bool { return false })
	if n := len(sent[0]); n < 18 || n > 23 {
		t.Errorf("%d pings", n)
	}
}
