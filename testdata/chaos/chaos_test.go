package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
)

func TestBornIn(t *testing.T) {
	stat := "4242 (dial) yard (x)) S 17 4242 1 0 -1 4194304 900 0 0 0 250 50 7 3 20 0 9 0 12345 1000000 512 1844 1"
	if n := bornIn(stat); n != 12345 {
		t.Errorf("born at %d", n)
	}
	if n := bornIn(strings.Replace(stat, ") S", ") Z", 1)); n != 0 {
		t.Errorf("a zombie was born at %d", n)
	}
	if n := bornIn("4242 (x) S 1"); n != 0 {
		t.Errorf("half a line was born at %d", n)
	}
	if born(os.Getpid()) == 0 || resident(os.Getpid()) == 0 || total(descriptors(os.Getpid())) == 0 {
		t.Error("this process is not seen")
	}
}

// memoryOf is an hour of samples with the memory of each second.
func memoryOf(bytes func(second int) float64) (w watch) {
	for i := range 3600 {
		w.memory = append(w.memory, sample{time.Duration(i) * time.Second, bytes(i)})
	}
	return w
}

func TestGrowth(t *testing.T) {
	const mebi = 1 << 20
	for name, c := range map[string]struct {
		bytes func(second int) float64
		least float64 // MiB an hour
		most  float64
	}{
		"flat":              {func(int) float64 { return 50 * mebi }, 0, 0},
		"a warm-up":         {func(s int) float64 { return float64(min(s, 500)) * mebi }, 0, 0},
		"a leak":            {func(s int) float64 { return 50*mebi + float64(s)*mebi/1200 }, 2.9, 3.1},
		"a leak and noise":  {func(s int) float64 { return 50*mebi + float64(s)*mebi/1200 + float64(s*7919%13)*mebi }, 2, 4},
		"a moment of much":  {func(s int) float64 { return 50*mebi + float64(max(0, 100-max(s-3000, 3000-s)))*mebi }, -0.1, 0.1},
		"given back slowly": {func(s int) float64 { return 100*mebi - float64(s)*mebi/100 }, -37, -35},
	} {
		w := memoryOf(c.bytes)
		slope, ok := w.growth()
		if slope /= mebi; !ok || slope < c.least || slope > c.most {
			t.Errorf("%s: %.2f MiB an hour, judged %v", name, slope, ok)
		}
	}
	short := memoryOf(func(s int) float64 { return float64(s) * mebi })
	short.memory = short.memory[:1800]
	if _, ok := short.growth(); ok {
		t.Error("20 minutes after the warm-up were judged")
	}
}

// sound is an execution in which all is well.
func sound() *trouble {
	t := &trouble{options: options{recycle: 1000}, figures: map[string][]time.Duration{}, traffic: map[string]load.Report{}}
	for _, a := range everybody()[:behavedAccounts] {
		r := load.Report{Sent: 1000, Answered: map[int]int{a.status: 1000}}
		if a.dials {
			r.Byes, r.ByesAnswered = 1000, 1000
			r.Dialled = &load.Dialled{Answered: 1000, Connected: 1000}
		}
		t.traffic[a.name] = r
	}
	for _, p := range promised {
		t.figures[p.what] = []time.Duration{p.limit, p.limit / 2, p.limit / 2, p.limit / 2, 2 * p.limit}
	}
	t.recycled = load.Report{Sent: 5000, Answered: map[int]int{302: 5000}}
	t.rest = rest{
		before: standing{map[string]int{"socket": 20, "pipe": 30}, 5}, after: standing{map[string]int{"socket": 21, "pipe": 30}, 5},
		guilty: []string{"bad1/main@3"},
	}
	return t
}

// change replaces the report of one account.
func (t *trouble) change(account string, f func(*load.Report)) {
	r := t.traffic[account]
	f(&r)
	t.traffic[account] = r
}

func TestJudge(t *testing.T) {
	for want, spoil := range map[string]func(*trouble){
		"": func(*trouble) {},
		"1 went wrong": func(t *trouble) {
			t.change("good02", func(r *load.Report) { r.Answered = map[int]int{486: 999, 500: 1} })
		},
		"never answered": func(t *trouble) {
			t.change("good01", func(r *load.Report) { r.Answered = map[int]int{302: 999}; r.Lost = 1 })
		},
		"2 went wrong, and only 1": func(t *trouble) {
			t.change("good03", func(r *load.Report) { r.Answered[603] -= 2 })
			t.rest.excused = 1
		},
		"11 were on a worker": func(t *trouble) {
			t.change("good03", func(r *load.Report) { r.Answered[603] -= 11 })
			t.rest.excused = 11
		},
		"20000 calls that behave":    func(t *trouble) { t.change("good04", func(r *load.Report) { r.Dialled.Stranded = 1 }) },
		"cost calls":                 func(t *trouble) { t.recycled.Answered = map[int]int{302: 4999, 500: 1} },
		"of the hostile 1":           func(t *trouble) { t.attack.Sent, t.attack.Lost = 9, 1 },
		"in the median of 5":         func(t *trouble) { t.figures[figureHang] = []time.Duration{1, 1, 21e9, 21e9, 21e9} },
		"at the worst":               func(t *trouble) { t.figures[figureExit] = []time.Duration{2 * time.Second} },
		"good07/main@1 behaves well": func(t *trouble) { t.rest.guilty = append(t.rest.guilty, "good07/main@1") },
		"descriptors":                func(t *trouble) { t.rest.after.open["socket"] += 3 },
		"outlived":                   func(t *trouble) { t.rest.orphans = []int{7} },
		"did not end":                func(t *trouble) { t.rest.ended = fmt.Errorf("the front did not end") },
		"no calls":                   func(t *trouble) { clear(t.traffic) },
		"grows by 3600.00 MiB":       func(t *trouble) { t.watched = memoryOf(func(s int) float64 { return float64(s) * (1 << 20) }) },
	} {
		tr := sound()
		spoil(tr)
		broken := tr.judge()
		if want == "" && len(broken) > 0 || want != "" && (len(broken) != 1 || !strings.Contains(broken[0], want)) {
			t.Errorf("broken are %q, want one with %q", broken, want)
		}
		var out strings.Builder
		tr.write(&out, broken)
		if strings.Count(out.String(), "BROKEN: ") != len(broken) {
			t.Errorf("the rules are not printed:\n%s", out.String())
		}
	}
}

func TestExcusedCallsAreNoFault(t *testing.T) {
	tr := sound()
	tr.change("good03", func(r *load.Report) { r.Answered = map[int]int{603: 998, 500: 2} })
	tr.rest.excused = 2
	if broken := tr.judge(); len(broken) > 0 {
		t.Error(broken)
	}
}

func TestMoreWorkersMayHaveMoreOpen(t *testing.T) {
	tr := sound()
	tr.rest.after = standing{map[string]int{"socket": 30, "pipe": 30}, 6}
	if broken := tr.judge(); len(broken) > 0 {
		t.Error(broken)
	}
}

func TestEachFaultComesOnceAtFirst(t *testing.T) {
	tr := newTrouble(options{seed: 3}, nil, nil)
	seen := map[string]int{}
	for n := range faults {
		seen[tr.choose(n).name]++
	}
	if len(seen) != len(faults) {
		t.Errorf("of %d faults %d came", len(faults), len(seen))
	}
	for n := range 1000 {
		seen[tr.choose(len(faults)+n).name]++
	}
	for name, times := range seen {
		if times < 20 {
			t.Errorf("%s came %d times of 1015", name, times)
		}
	}
}

func TestConfigNamesAllAccounts(t *testing.T) {
	s := server{dir: t.TempDir(), callee: map[string]string{}}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.dir + "/dialyard.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range everybody() {
		if !strings.Contains(string(text), fmt.Sprintf("account: %s, plan: main", a.name)) {
			t.Errorf("no route to %s", a.name)
		}
		plan, err := os.ReadFile(s.dir + "/plans/" + a.name + "/main/main.lua")
		if err != nil || strings.Contains(string(plan), "CALLEE") {
			t.Errorf("%s: %v\n%s", a.name, err, plan)
		}
		if trusted := strings.Contains(string(text), "{name: "+a.name+", runs: 0"); trusted == a.hostile {
			t.Errorf("%s is hostile: %v, without limits: %v", a.name, a.hostile, trusted)
		}
	}
}
