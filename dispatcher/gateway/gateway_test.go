package gateway

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// acme is a gateway with an URI for each of these.
func acme(uris ...URI) Config {
	for i := range uris {
		uris[i].URI = fmt.Sprintf("sip:gw%d.example.net", i)
	}
	return Config{Account: "acme", Name: "carrier-a", URIs: uris, Ping: 30 * time.Second, Fall: 1, Rise: 1}
}

func TestOrderByPriority(t *testing.T) {
	g := New(acme(URI{Priority: 20}, URI{Priority: 10}, URI{Priority: 20}, URI{Priority: -1}))
	r := dice(1)
	first := map[int]bool{}
	for range 100 {
		order := g.Order(r)
		if len(order) != 4 || order[0] != 3 || order[1] != 1 {
			t.Fatalf("got %v", order)
		}
		first[order[2]] = true
	}
	if !first[0] || !first[2] {
		t.Errorf("the last two always came in the same order")
	}
}

// TestOrderByWeight counts who comes first and, of the others, who is second:
// each draw is by the weights of what is left.
func TestOrderByWeight(t *testing.T) {
	g := New(acme(URI{Weight: 60}, URI{Weight: 30}, URI{Weight: 10}))
	const rounds = 30_000
	r := dice(2)
	var first, second [3]float64
	for range rounds {
		order := g.Order(r)
		first[order[0]]++
		second[order[1]]++
	}
	wantFirst := [3]float64{0.6, 0.3, 0.1}
	var wantSecond [3]float64
	for a, p := range wantFirst {
		for b, q := range wantFirst {
			if a != b {
				wantSecond[b] += p * q / (1 - p)
			}
		}
	}
	for i := range 3 {
		if off := first[i]/rounds - wantFirst[i]; off < -0.02 || off > 0.02 {
			t.Errorf("%d first: %.3f, want %.3f", i, first[i]/rounds, wantFirst[i])
		}
		if off := second[i]/rounds - wantSecond[i]; off < -0.02 || off > 0.02 {
			t.Errorf("%d second: %.3f, want %.3f", i, second[i]/rounds, wantSecond[i])
		}
	}
}

func TestOrderWithoutWeights(t *testing.T) {
	g := New(acme(URI{}, URI{}, URI{Weight: -4}))
	r := dice(3)
	var first [3]int
	for range 3000 {
		first[g.Order(r)[0]]++
	}
	if slices.Min(first[:]) < 850 {
		t.Errorf("not evenly: %v", first)
	}
}

func TestOrderPassesOverWhatIsDown(t *testing.T) {
	g := New(acme(URI{Priority: 1}, URI{Priority: 2}))
	if !g.Pinged(0, noon, false) {
		t.Fatal("one failed ping with fall 1 changed nothing")
	}
	if order := g.Order(dice(4)); !slices.Equal(order, []int{1}) {
		t.Errorf("got %v", order)
	}
	g.Pinged(1, noon, false)
	if order := g.Order(dice(4)); len(order) != 0 {
		t.Errorf("all are down, got %v", order)
	}
	if s := g.State(); s.Up() || s.Down != 1 || !s.URIs[0].Since.Equal(noon) {
		t.Errorf("got %+v", s)
	}
	if !g.Pinged(1, noon.Add(time.Second), true) || !slices.Equal(g.Order(dice(4)), []int{1}) || !g.State().Up() {
		t.Errorf("one answer with rise 1 did not bring it back")
	}
}

func TestOrderOfNothing(t *testing.T) {
	g := New(Config{})
	if order := g.Order(dice(5)); len(order) != 0 {
		t.Errorf("got %v", order)
	}
	if uri, at := g.Due(noon, dice(5)); uri != -1 || !at.IsZero() {
		t.Errorf("got %d, %v", uri, at)
	}
}

func TestSame(t *testing.T) {
	base := func() Config { return acme(URI{Weight: 1}, URI{Weight: 2}) }
	tests := []struct {
		name   string
		change func(*Config)
		same   bool
	}{
		{"nothing", func(*Config) {}, true},
		{"default said", func(c *Config) { c.CallerID, c.NextOn = CallerFrom, []int{503, 500, 502, 430, 504, 408, 408} }, true},
		{"weight left out", func(c *Config) { c.URIs[0].Weight = 0 }, true},
		{"weight", func(c *Config) { c.URIs[1].Weight = 3 }, false},
		{"order", func(c *Config) { slices.Reverse(c.URIs) }, false},
		{"password", func(c *Config) { c.Password = "x" }, false},
		{"no codes", func(c *Config) { c.NextOn = []int{} }, false},
		{"fall", func(c *Config) { c.Fall = 0 }, false},
		{"rate", func(c *Config) { c.Rate = 0.5 }, false},
	}
	for _, tt := range tests {
		c := base()
		tt.change(&c)
		if got := New(base()).Same(c); got != tt.same {
			t.Errorf("%s: same is %v", tt.name, got)
		}
		if got := New(c).Same(base()); got != tt.same {
			t.Errorf("%s, the other way: same is %v", tt.name, got)
		}
	}
}

// TestConfigIsKept: what its maker does to a Config later is not the gateway's.
func TestConfigIsKept(t *testing.T) {
	c := acme(URI{}, URI{})
	c.NextOn = []int{504, 503}
	g := New(c)
	c.URIs[0].URI, c.NextOn[0] = "sip:elsewhere.example.net", 600
	if got := g.Config(); got.URIs[0].URI != "sip:gw0.example.net" || !g.Next(504) {
		t.Errorf("got %+v", got)
	}
}

func TestPasswordIsNotPrinted(t *testing.T) {
	c := Config{Account: "acme", Name: "carrier-a", Password: "secret"}
	for _, form := range []string{"%v", "%+v", "%s"} {
		if text := fmt.Sprintf(form, c); strings.Contains(text, "secret") || !strings.Contains(text, "carrier-a") {
			t.Errorf("%s: %s", form, text)
		}
	}
}

func TestNext(t *testing.T) {
	tests := []struct {
		on   []int
		code int
		next bool
	}{
		{nil, 408, true}, {nil, 430, true}, {nil, 500, true}, {nil, 502, true}, {nil, 503, true}, {nil, 504, true},
		{nil, 200, false}, {nil, 302, false}, {nil, 401, false}, {nil, 403, false}, {nil, 404, false},
		{nil, 480, false}, {nil, 486, false}, {nil, 487, false}, {nil, 488, false}, {nil, 501, false},
		{nil, 580, false}, {nil, 600, false}, {nil, 603, false}, {nil, 0, false},
		{[]int{}, 503, false},
		{[]int{403}, 403, true}, {[]int{403}, 503, false},
		{[]int{603, 486, 600, 487, 200, 404}, 404, true},
		{[]int{603, 486, 600, 487, 200, 404}, 486, false},
		{[]int{603, 486, 600, 487, 200, 404}, 487, false},
		{[]int{603, 486, 600, 487, 200, 404}, 600, false},
		{[]int{603, 486, 600, 487, 200, 404}, 603, false},
		{[]int{603, 486, 600, 487, 200, 404}, 200, false},
	}
	for _, tt := range tests {
		if got := New(Config{NextOn: tt.on}).Next(tt.code); got != tt.next {
			t.Errorf("%v, %d: got %v", tt.on, tt.code, got)
		}
	}
	for _, code := range NextByDefault() {
		if !CanBeNext(code) {
			t.Errorf("%d is a default and cannot be", code)
		}
	}
}

func TestEndedCounts(t *testing.T) {
	g := New(Config{NextOn: []int{503}})
	for _, code := range []int{200, 202, 503, 486, 487, 408, 603} {
		g.Ended(code)
	}
	if s := g.State(); s.Answered != 2 || s.Failed != 1 || s.Refused != 4 {
		t.Errorf("got %+v", s)
	}
}

func TestAlive(t *testing.T) {
	for code, want := range map[int]bool{
		200: true, 302: true, 401: true, 404: true, 405: true, 483: true, 486: true, 500: true, 501: true, 600: true,
		0: false, 100: false, 180: false, 408: false, 503: false, 700: false,
	} {
		if Alive(code) != want {
			t.Errorf("%d: got %v", code, !want)
		}
	}
}
