package call

import (
	"encoding/json"
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
// At crash the call is forgotten but for its Memo, of which restore makes another.
// A line "policy NAME=VALUE ..." at the beginning changes the policy.
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
	policy  Policy
	call    *Call
	kept    []byte    // its Memo, at the last crash
	wake    time.Time // asked for and not yet come
	placing bool      // a Run wants its answer
	out     strings.Builder
}

// play returns the story as it went.
func play(t *testing.T, told string) string {
	s := &stage{t: t, policy: DefaultPolicy()}
	s.call = NewCall(Record{Start: noon}, &s.policy)
	for line := range strings.Lines(told) {
		line = strings.TrimRight(line, "\n")
		before, _, _ := strings.Cut(line, "->")
		words := strings.Fields(before)
		switch {
		case len(words) == 0 || line[0] == '#':
			s.out.WriteString(line + "\n")
		case words[0] == "policy":
			if err := parsePolicy(strings.Join(words[1:], " "), &s.policy); err != nil {
				t.Fatal(line, err)
			}
			s.out.WriteString(line + "\n")
		case words[0] == "record" || words[0] == "leg" || len(words) > 1 && words[1] == "tick":
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
	s.ticksUntil(noon.Add(after))
	switch event {
	case "crash":
		s.kept, s.wake = noted(s.t, s.call), time.Time{}
		s.out.WriteString(fmt.Sprintf("%-8s %s\n", at, event))
		return
	case "restore":
		s.call = restored(s.t, s.kept, &s.policy)
		s.step(noon.Add(after), event, Tick{})
		return
	}
	ev, err := parseEvent(event)
	if err != nil {
		s.t.Fatal(err)
	}
	s.step(noon.Add(after), event, ev)
}

// noted is the Memo of a call as a file holds it.
func noted(t interface{ Fatal(...any) }, c *Call) []byte {
	text, err := json.Marshal(c.Memo())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// restored is the call that another process makes of it.
func restored(t interface{ Fatal(...any) }, text []byte, policy *Policy) *Call {
	var m Memo
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return Restore(m, policy)
}

func (s *stage) ticksUntil(end time.Time) {
	for ticks := 0; !s.wake.IsZero() && !s.wake.After(end); ticks++ {
		now := s.wake
		if ticks > 1000 {
			s.t.Fatalf("it is woken without end at %v", now.Sub(noon))
		}
		s.wake = time.Time{}
		s.step(now, "tick", Tick{})
	}
}

// step feeds the call and writes down what it does.
func (s *stage) step(now time.Time, text string, ev Event) {
	if s.placing != answersRun(ev) {
		s.t.Fatalf("%s: each run is answered by placed, unplaced or barred, and at once", text)
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
	case Placed, Unplaced, Barred:
		return true
	}
	return false
}
