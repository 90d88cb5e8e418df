package health

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const wardStoriesDir = "../testdata/stories/ward"

// TestWardStories plays testdata/stories/ward/*.txt. A line is what happens:
//
//	TIME workers N                  at 0s: so many, well for two minutes; else 3
//	TIME SLOT VERB [NUMBER]         to the worker of a slot, or to "all"
//	TIME dispatcher stops DURATION
//	TIME clock DURATION             is set forward or back
//	TIME successors sick|well       those to come
//	TIME state                      writes down how all stand
//	TIME end
//
// Lines with an arrow are what the ward decides: -update writes them anew; read
// them before you commit them.
func TestWardStories(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(wardStoriesDir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			told, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			played := playWard(t, string(told))
			if *update {
				if err := os.WriteFile(file, []byte(played), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if played != string(told) {
				t.Errorf("%s tells another story; it went:\n%s", file, played)
			}
		})
	}
}

// playWard returns the story as it went.
func playWard(t *testing.T, told string) string {
	var out strings.Builder
	policy, workers := DefaultPolicy(), 3
	var s *stage
	begin := func() {
		if s == nil {
			policy.MinimumReady = MinimumReady(workers)
			s = newStage(workers, policy)
			s.heard = func(s *stage, d Decision) { fmt.Fprintf(&out, "%-8v -> %s\n", s.now.Sub(noon), decisionText(d)) }
		}
	}
	for line := range strings.Lines(told) {
		line = strings.TrimRight(line, "\n")
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || line[0] == '#':
			out.WriteString(line + "\n")
			continue
		case words[1] == "->":
			continue
		case words[0] == "policy":
			change(t, &policy, words[1:])
		case words[1] == "workers":
			workers = int(number(t, words[2]))
		default:
			begin()
			for end := noon.Add(duration(t, words[0])); s.now.Before(end); {
				s.tick()
			}
			if words[1] == "state" {
				fmt.Fprintf(&out, "%s\n%-8s -> %v\n", line, words[0], s)
				continue
			}
			s.happen(t, words[1:])
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

func decisionText(d Decision) string {
	if d.Worker == "" {
		return d.Reason
	}
	return fmt.Sprintf("%s %v %s", d.Worker, d.Verdict, d.Reason)
}

// happen is one line of a story.
func (s *stage) happen(t *testing.T, words []string) {
	switch who := words[0]; who {
	case "end":
	case "dispatcher":
		s.stop(duration(t, words[2]))
	case "clock":
		s.setClock(duration(t, words[1]))
	case "successors":
		s.grim = words[1] == "sick"
	case "all":
		for slot := range s.last {
			s.befall(t, slot, words[1:])
		}
	default:
		slot, err := strconv.Atoi(strings.TrimPrefix(who, "w"))
		if err != nil {
			t.Fatalf("%q is no slot", who)
		}
		s.befall(t, slot-1, words[1:])
	}
}

// befall is what happens to the worker of a slot.
func (s *stage) befall(t *testing.T, slot int, words []string) {
	a := s.serving(slot)
	var n float64
	if len(words) > 1 {
		n = number(t, words[1])
	}
	switch words[0] {
	case "well":
		a.sick, a.hangs, a.stopped, a.leak, a.Overstay = "", false, false, 0, 0
	case "sick":
		a.sick = "answered 500, not 420"
	case "hangs":
		a.hangs = true
	case "stops":
		a.stopped = true
	case "dies":
		a.enter(s.now, Leaving)
	case "overstays":
		a.Overstay = int(n)
	case "refuses":
		a.Failures += int(n)
	case "runs":
		a.Runs, a.Goroutines = int(n), 20+int(n)
	case "rss":
		a.memory = n * mib
	case "leaks":
		a.leak = n * mib / 60
	case "fds":
		a.Fds = int(n)
	case "ages":
		a.started = a.started.Add(-time.Duration(n) * time.Hour)
	default:
		t.Fatalf("%q does not happen to workers", words[0])
	}
}
