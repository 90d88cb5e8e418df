package dialplans

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialyard/proto"
)

// freshBudget is one with the given CPU time.
func freshBudget(cpu time.Duration) *budget {
	b := &budget{cpuLimit: cpu, wallLimit: time.Minute}
	b.begin()
	return b
}

// TestPatternsAgainstRegexp draws patterns of the part that Lua's and Go's
// expressions have in common, and compares where they match.
func TestPatternsAgainstRegexp(t *testing.T) {
	classes := map[string]string{"a": "a", "b": "b", ".": "(?s:.)", "[ab]": "[ab]", "[^a]": "[^a]", "%d": "[0-9]", "%a": "[A-Za-z]", "%.": `\.`, "[b-d1]": "[b-d1]"}
	repeats := map[string]string{"": "", "*": "*", "+": "+", "-": "*?", "?": "?"}
	rapid.Check(t, func(t *rapid.T) {
		var lua, golang strings.Builder
		if rapid.Bool().Draw(t, "anchored") {
			lua.WriteString("^")
			golang.WriteString(`\A`)
		}
		for range rapid.IntRange(1, 6).Draw(t, "items") {
			group := rapid.Bool().Draw(t, "group")
			if group {
				lua.WriteString("(")
				golang.WriteString("(")
			}
			class := rapid.SampledFrom([]string{"a", "b", ".", "[ab]", "[^a]", "%d", "%a", "%.", "[b-d1]"}).Draw(t, "class")
			repeat := rapid.SampledFrom([]string{"", "*", "+", "-", "?"}).Draw(t, "repeat")
			lua.WriteString(class + repeat)
			golang.WriteString(classes[class] + repeats[repeat])
			if group {
				lua.WriteString(")")
				golang.WriteString(")")
			}
		}
		if rapid.Bool().Draw(t, "to the end") {
			lua.WriteString("$")
			golang.WriteString(`\z`)
		}
		subject := rapid.StringMatching(`[ab1.c]{0,12}`).Draw(t, "subject")
		comparePattern(t, lua.String(), golang.String(), subject)
	})
}

func comparePattern(t *rapid.T, lua, golang, subject string) {
	p, err := compilePattern(lua)
	if err != nil {
		t.Fatalf("%s: %v", lua, err)
	}
	var m matcher
	found, ok := m.find(freshBudget(time.Second), p, subject, 0)
	want := regexp.MustCompile(golang).FindStringSubmatchIndex(subject)
	if ok != (want != nil) {
		t.Fatalf("%q in %q: %v, regexp says %v", lua, subject, ok, want)
	}
	if !ok {
		return
	}
	if found.start != want[0] || found.end != want[1] {
		t.Fatalf("%q in %q: %v, regexp says %v", lua, subject, found, want)
	}
	for i := range p.captures {
		if c := m.captures[i]; c.start != want[2+2*i] || c.end != want[3+2*i] {
			t.Fatalf("%q in %q: capture %d is %v, regexp says %v", lua, subject, i+1, c, want)
		}
	}
}

// FuzzPattern looks for patterns that panic, or that do not stop.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""}, {"(a*(.)%w(%s*))", "THE (quick) fox"}, {"%b()%f[%w]%1", "(())"}, {"(()(()))%3", "abc"}, {"[]-a]*$", "]-a"},
		{"[^%]-]", "x"}, {"^(.-)%s*$", "  x  "}, {"[%", "a"}, {"%", "a"}, {"%f", "a"}, {"%b", "a"}, {"[a-", "a"}, {"$$", "$"}, {"(.*)*", "a"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, src, subject string) {
		p, err := compilePattern(src)
		if err != nil {
			return
		}
		var m matcher
		began := time.Now()
		b := freshBudget(20 * time.Millisecond)
		found, ok := m.find(b, p, subject, 0)
		if took := time.Since(began); took > 2*time.Second {
			t.Fatalf("took %v", took)
		}
		if m.stopped && b.over.Load().outcome != proto.Outcome_OUTCOME_LIMIT {
			t.Fatal("stopped without a reason")
		}
		if !ok {
			return
		}
		if found.start < 0 || found.end < found.start || found.end > len(subject) {
			t.Fatalf("match %v", found)
		}
		for i := range p.captures {
			if c := m.captures[i]; c.end != isPosition && (c.start > c.end || c.end > len(subject)) {
				t.Fatalf("capture %v", c)
			}
		}
	})
}

// FuzzCompile looks for source that panics the compiler or keeps it busy, and
// runs what compiles.
func FuzzCompile(f *testing.F) {
	f.Add([]byte(benchPlan))
	f.Add([]byte(eqModule))
	for _, h := range hostile {
		f.Add([]byte(h.source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		began := time.Now()
		p, err := Compile(map[string][]byte{mainFile: source})
		if took := time.Since(began); took > 2*time.Second {
			t.Fatalf("compiling took %v", took)
		}
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Message == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		start := demoStart()
		start.Limits = &proto.Limits{CpuMs: 20, WallMs: 100}
		if done := NewRun(start, discard{}, noon).Execute(p); done.Outcome == proto.Outcome_OUTCOME_UNSPECIFIED {
			t.Fatal(done)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Fatalf("running took %v", took)
		}
	})
}
