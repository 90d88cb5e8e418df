package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
)

func TestParseStat(t *testing.T) {
	text := "4242 (dial) yard (x)) S 17 4242 1 0 -1 4194304 900 0 0 0 250 50 7 3 20 0 9 0 12345 1000000 512 18446744073709551615 1"
	p, err := parseStat([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if p.pid != 4242 || p.parent != 17 || p.ended || p.cpu != 3*time.Second || p.reaped != 100*time.Millisecond {
		t.Errorf("%+v", p)
	}
	if p.rss%512 != 0 || p.rss < 512*4096 {
		t.Errorf("rss %d", p.rss)
	}
	if p, _ := parseStat([]byte(strings.Replace(text, ") S", ") Z", 1))); !p.ended {
		t.Error("a zombie counts as running")
	}
	for _, bad := range []string{"", "4242 dialyard S", "x (y) S 1"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestWorkersAreWhoDescends(t *testing.T) {
	children := map[int][]process{
		1: {{pid: 10}, {pid: 99}},
		10: {
			{pid: 11, cpu: 2 * time.Second, rss: 5},
			{pid: 12, cpu: time.Second, reaped: time.Second, rss: 7},
		},
		12: {{pid: 13, cpu: time.Second, ended: true}},
	}
	f := family{front: process{pid: 10, reaped: time.Second}, workers: descendants(children, 10)}
	if len(f.workers) != 3 || f.running() != 2 || f.workersCPU() != 6*time.Second || f.workerRSS() != 7 {
		t.Errorf("%d workers, %d running, %v, %d bytes", len(f.workers), f.running(), f.workersCPU(), f.workerRSS())
	}
}

func TestHighestClean(t *testing.T) {
	for _, limit := range []float64{100, 300, 5000, 21_000, 90_000} {
		tries := 0
		got, err := highestClean(4000, 250, 150_000, func(rate float64) (bool, error) {
			tries++
			return rate <= limit, nil
		})
		if err != nil || got > limit || limit >= 250 && got < limit*(1-precision)-1 {
			t.Errorf("limit %v: found %v, %v", limit, got, err)
		}
		if tries > 40 {
			t.Errorf("limit %v: %d tries", limit, tries)
		}
	}
}

func TestOneBadTryIsForgiven(t *testing.T) {
	tries := map[float64]int{}
	got, err := highestClean(4000, 250, 10_000, func(rate float64) (bool, error) {
		tries[rate]++
		return tries[rate] > 1, nil
	})
	if err != nil || got != 9000 {
		t.Errorf("found %v, %v; want 9000, the last rate below the ceiling", got, err)
	}
}

func TestFault(t *testing.T) {
	good := load.Report{Planned: 10, Sent: 10, Answered: map[int]int{302: 10}, InOrder: true}
	for want, spoil := range map[string]func(*load.Report){
		"":              func(*load.Report) {},
		"lost":          func(r *load.Report) { r.Lost = 1 },
		"without a 302": func(r *load.Report) { r.Answered = map[int]int{302: 9, 500: 1} },
		"duplicates":    func(r *load.Report) { r.Duplicates = 1 },
		"behind":        func(r *load.Report) { r.InOrder = false },
		"9 of 10 calls": func(r *load.Report) { r.Sent, r.Answered = 9, map[int]int{302: 9} },
	} {
		r := good
		spoil(&r)
		if got := fault(r); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("fault %q, want %q", got, want)
		}
	}
}

func TestMedianKeepsAFault(t *testing.T) {
	m := median([]point{{TotalMicros: 3}, {TotalMicros: 1, Fault: "lost"}, {TotalMicros: 2}})
	if m.TotalMicros != 2 || m.Fault != "lost" {
		t.Errorf("%+v", m)
	}
}

func TestRatesFlag(t *testing.T) {
	var r rates
	if err := r.Set("100, 2.5e3"); err != nil || r.String() != "100,2500" {
		t.Errorf("%v, %v", r.String(), err)
	}
	for _, bad := range []string{"", "0", "-1", "x"} {
		if r.Set(bad) == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestConfigNamesItsPorts(t *testing.T) {
	s := server{daemon: daemon{sip: "127.0.0.1:1", dir: "/d"}, plan: planDial, http: "127.0.0.1:2"}
	for _, want := range []string{`"udp://127.0.0.1:1"`, `listen: "127.0.0.1:2"`, `dir: "/d/plans"`, "account: bench", "plan: dialled"} {
		if !strings.Contains(s.config(), want) {
			t.Errorf("no %s in\n%s", want, s.config())
		}
	}
}

func TestHeapIsSharedByTheCallsOfItsCollection(t *testing.T) {
	began := time.Unix(1000, 0)
	base := newUsage(strings.NewReader("# HELP x\n" + metricLive + " 1e+06\n" + metricCollected + " 999\n"))
	peak := newUsage(strings.NewReader(metricLive + " 4e+06\n" + metricCollected + " 1.001e3\nother 7\n"))
	base.RSS, peak.RSS = 10_000, 40_000
	h := held{AtOnce: 3000, Base: base, Peak: peak}
	h.weigh(began)
	if h.NoHeap != "" || h.Counted != heldRate || h.PerCall != 3e6/heldRate || h.RSSEach != 10 {
		t.Errorf("%+v", h)
	}
	h.Peak.Collected = began.Add(-time.Minute)
	if h.weigh(began); h.NoHeap == "" {
		t.Error("a collection before the calls counts")
	}
	h.Peak = newUsage(strings.NewReader("other 7\n"))
	if h.weigh(began); !strings.Contains(h.NoHeap, metricLive) {
		t.Errorf("without the metric: %q", h.NoHeap)
	}
}

func TestDialledFault(t *testing.T) {
	good := load.Report{Planned: 10, Sent: 10, Answered: map[int]int{200: 10}, InOrder: true}
	for want, spoil := range map[string]func(*load.Report){
		"":              func(*load.Report) {},
		"without a 200": func(r *load.Report) { r.Answered = map[int]int{200: 9, 486: 1} },
		"placed twice":  func(r *load.Report) { r.Dialled.DoubleLegs = 1 },
		"never heard":   func(r *load.Report) { r.Dialled.Answered, r.Dialled.Connected, r.Dialled.Stranded = 10, 10, 1 },
		"2 messages":    func(r *load.Report) { r.Dialled.Repeats, r.Dialled.AnswersResent = 1, 1 },
	} {
		r := good
		r.Dialled = new(load.Dialled)
		spoil(&r)
		if got := fault(r); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("fault %q, want %q", got, want)
		}
	}
}

func TestPlanDialsTheCallee(t *testing.T) {
	s := server{daemon: daemon{dir: t.TempDir(), callee: "127.0.0.1:9"}}
	if err := s.writePlans(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "plans", "bench", planDial, "main.lua"))
	if err != nil || !strings.Contains(string(text), `"127.0.0.1:9"`) || strings.Contains(string(text), calleeInPlan) {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestDialledResults(t *testing.T) {
	both := results{Dialled: &relayed{
		Points:       []beside{{Rate: 500, Dialyard: point{TotalMicros: 150}, Kamailio: &point{TotalMicros: 300}, Ratio: 0.5}},
		HighestClean: 4000, KamailioHighestClean: 3000,
	}}.String()
	alone := results{Dialled: &relayed{Points: []beside{{Rate: 500}}, Skipped: errNoKamailio.Error()}}.String()
	for text, wants := range map[string][]string{
		both:  {"150.0", "300.0", "0.50", "kamailio's highest clean rate: 3000 calls/s"},
		alone: {"not measured beside kamailio: kamailio is not installed", "highest clean rate: none"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
}

func TestStormIsJudgedByMedians(t *testing.T) {
	ms := func(n int) point { return point{P99: time.Duration(n) * time.Millisecond} }
	s := newStorm([]stormRound{{ms(4), ms(9)}, {ms(2), ms(3)}, {ms(1), ms(4)}})
	if s.Quiet.P99 != 2*time.Millisecond || s.During.P99 != 4*time.Millisecond || s.Ratio != 2 {
		t.Errorf("%+v", s)
	}
	if text := (results{Storm: s}).String(); !strings.Contains(text, "2.00  ") || !strings.Contains(text, "another account's storm of 200/s") {
		t.Errorf("%s", text)
	}
}
