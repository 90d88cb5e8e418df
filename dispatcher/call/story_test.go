package call

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite testdata/stories with what happens now")

const storiesDir = "../../testdata/stories/call"

// TestStories plays testdata/stories/call/*.txt. A line is
//
//	TIME EVENT -> STATE EFFECTS
//
// where what follows the arrow, the tick lines and the record at the end are what
// happens: -update writes them anew; read them before you commit them. A tick
// comes when the call asked for it, and a story goes on until none is asked for.
func TestStories(t *testing.T) {
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
			played := play(t, string(told))
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

// noon is when every story and model begins.
var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// A stage is where one story is played.
type stage struct {
	t       *testing.T
	call    *Call
	wake    time.Time // asked for and not yet come
	placing bool      // a Run wants its answer
	out     strings.Builder
}

// play returns the story as it went.
func play(t *testing.T, told string) string {
	policy := DefaultPolicy()
	s := &stage{t: t, call: NewCall(Record{Start: noon}, &policy)}
	for line := range strings.Lines(told) {
		line = strings.TrimRight(line, "\n")
		before, _, _ := strings.Cut(line, "->")
		words := strings.Fields(before)
		switch {
		case len(words) == 0 || line[0] == '#':
			s.out.WriteString(line + "\n")
		case words[0] == "record" || len(words) > 1 && words[1] == "tick":
		default:
			s.line(words[0], strings.Join(words[1:], " "))
		}
	}
	s.ticksUntil(noon.Add(time.Hour))
	s.out.WriteString("record " + recordText(&s.call.Record) + "\n")
	return s.out.String()
}

// line plays one event, after the ticks that come before it.
func (s *stage) line(at, event string) {
	after, err := time.ParseDuration(at)
	if err != nil {
		s.t.Fatalf("%s %s: %v", at, event, err)
	}
	ev, err := parseEvent(event)
	if err != nil {
		s.t.Fatal(err)
	}
	s.ticksUntil(noon.Add(after))
	s.step(noon.Add(after), event, ev)
}

func (s *stage) ticksUntil(end time.Time) {
	for !s.wake.IsZero() && !s.wake.After(end) {
		now := s.wake
		s.wake = time.Time{}
		s.step(now, "tick", Tick{})
	}
}

// step feeds the call and writes down what it does.
func (s *stage) step(now time.Time, text string, ev Event) {
	if s.placing != answersRun(ev) {
		s.t.Fatalf("%s: each run is answered by placed or unplaced, and at once", text)
	}
	s.placing = false
	var did []string
	for _, e := range s.call.Step(now, ev) {
		switch e := e.(type) {
		case Wake:
			s.wake = e.At
		case Run:
			s.placing = true
		}
		did = append(did, effectText(e))
	}
	line := fmt.Sprintf("%-8v %-34s -> %-8v %s", now.Sub(noon), text, s.call.State(), strings.Join(did, "; "))
	s.out.WriteString(strings.TrimRight(line, " ") + "\n")
}

func answersRun(ev Event) bool {
	switch ev.(type) {
	case Placed, Unplaced:
		return true
	}
	return false
}
