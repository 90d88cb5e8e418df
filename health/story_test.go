package health

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite testdata/stories with what happens now")

const storiesDir = "../testdata/stories/verdict"

// TestVerdictStories judges testdata/stories/verdict/*.txt, a file for each rule
// and one for their order. A line is one worker at one moment, by the default
// policy or what a line "policy ..." made of it:
//
//	STANDING KEY=VALUE... -> VERDICT REASON
//
// What is not said of a worker is as with a healthy one of two minutes. What
// follows the arrow is what happens: -update writes it anew; read it before you
// commit it.
func TestVerdictStories(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(storiesDir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			told, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			judged := judgeStory(t, string(told))
			if *update {
				if err := os.WriteFile(file, []byte(judged), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if judged != string(told) {
				t.Errorf("%s tells another story; it went:\n%s", file, judged)
			}
		})
	}
}

// judgeStory returns the story with the verdicts it came to.
func judgeStory(t *testing.T, told string) string {
	policy := DefaultPolicy()
	var out strings.Builder
	for line := range strings.Lines(told) {
		line = strings.TrimRight(line, "\n")
		before, _, _ := strings.Cut(line, "->")
		words := strings.Fields(before)
		switch {
		case len(words) == 0 || line[0] == '#':
			out.WriteString(line + "\n")
		case words[0] == "policy":
			change(t, &policy, words[1:])
			out.WriteString(line + "\n")
		default:
			verdict, why := policy.Judge(observed(t, words))
			text := fmt.Sprintf("%-48s -> %v %s", strings.Join(words, " "), verdict, why)
			out.WriteString(strings.TrimRight(text, " ") + "\n")
		}
	}
	return out.String()
}

// standings are the words of stories for them.
var standings = map[string]Standing{"unproven": Unproven, "good": Good, "doubtful": Doubtful, "parting": Parting, "leaving": Leaving}

// observed is the worker that a line speaks of.
func observed(t *testing.T, words []string) Observation {
	standing, ok := standings[words[0]]
	if !ok {
		t.Fatalf("%q is no standing", words[0])
	}
	o := Observation{Standing: standing, Age: 2 * time.Minute, InState: time.Minute, BeatAge: 500 * time.Millisecond, GoodRow: 6, RSS: 40 << 20, Heap: 8 << 20,
		Overstaying: 2 * time.Second, Goroutines: 20, Fds: 12}
	if standing == Doubtful {
		o.InState, o.GoodRow, o.BadRow = 2*time.Second, 0, 3
	}
	if standing == Unproven {
		o.Age, o.InState, o.GoodRow = time.Second, time.Second, 0
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		observe(t, &o, key, value)
	}
	return o
}

func observe(t *testing.T, o *Observation, key, value string) {
	switch key {
	case "replaced":
		o.Replaced = true
	case "age":
		o.Age = duration(t, value)
	case "instate":
		o.InState = duration(t, value)
	case "beat":
		o.BeatAge = duration(t, value)
	case "good":
		o.GoodRow, o.BadRow = int(number(t, value)), 0
	case "bad":
		o.GoodRow, o.BadRow = 0, int(number(t, value))
	case "rss":
		o.RSS = uint64(number(t, value) * (1 << 20))
	case "slope":
		o.Slope = number(t, value) * (1 << 20)
	case "overstay":
		o.Overstay = int(number(t, value))
	case "overstaying":
		o.Overstaying = duration(t, value)
	case "runs":
		o.Runs = int(number(t, value))
	case "goroutines":
		o.Goroutines = int(number(t, value))
	case "fds":
		o.Fds = int(number(t, value))
	case "falls":
		o.Falls = int(number(t, value))
	case "complaint":
		o.Complaint = value
	case "growth":
		o.Growth[Heap] = Growth{Rate: number(t, value) * (1 << 20) / 60, Span: 12 * time.Minute, Rising: 0.9}
	case "fdgrowth":
		o.Growth[Fds] = Growth{Rate: number(t, value) / 60, Span: 12 * time.Minute, Rising: 0.8}
	case "jitter":
		o.Jitter = number(t, value)
	default:
		t.Fatalf("%q is not observed", key)
	}
}

func change(t *testing.T, p *Policy, words []string) {
	for _, word := range words {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "fall":
			p.Fall = int(number(t, value))
		case "rise":
			p.Rise = int(number(t, value))
		case "overstay":
			p.OverstayMany = int(number(t, value))
		case "soft":
			p.MemorySoft = uint64(number(t, value) * (1 << 20))
		case "age":
			p.MaximumAge = duration(t, value)
		default:
			t.Fatalf("%q is not in the policy", key)
		}
	}
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
