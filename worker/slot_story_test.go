package worker

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

const storiesDir = "../testdata/stories/slot"

// TestSlotStories plays testdata/stories/slot/*.txt. A line is
//
//	TIME EVENT [GENERATION [REASON]] -> MEMBERS; EFFECTS
//
// where what follows the arrow and the tick lines are what happens: -update
// writes them anew; read them before you commit them. The slot hears a tick each
// 100 ms, as in the pool; those that change something are written down. A story's
// last line says until when it goes: TIME end.
func TestSlotStories(t *testing.T) {
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
			played := playSlot(t, string(told))
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
	slot *Slot
	tick time.Time // when the next comes
	out  strings.Builder
}

// playSlot returns the story as it went.
func playSlot(t *testing.T, told string) string {
	s := &stage{slot: NewSlot(), tick: noon}
	for line := range strings.Lines(told) {
		line = strings.TrimRight(line, "\n")
		before, _, _ := strings.Cut(line, "->")
		words := strings.Fields(before)
		switch {
		case len(words) == 0 || line[0] == '#':
			s.out.WriteString(line + "\n")
			continue
		case len(words) > 1 && words[1] == "tick":
			continue
		}
		after, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatal(err)
		}
		s.ticksUntil(noon.Add(after))
		if words[1] == "end" {
			s.write(after, "end", "")
			continue
		}
		s.play(t, after, words[1:])
	}
	return s.out.String()
}

// slotEvents are the events as stories write them.
var slotEvents = map[string]SlotEventKind{
	"wanted": Wanted, "unwanted": Unwanted, "connected": Connected, "probed": Probed, "suspected": Suspected,
	"stalled": Stalled, "trusted": Trusted, "recycled": Recycled, "dismissed": Dismissed, "killed": Killed,
	"drained": Drained, "exited": Exited,
}

func (s *stage) play(t *testing.T, after time.Duration, words []string) {
	kind, ok := slotEvents[words[0]]
	if !ok {
		t.Fatalf("%q: there is no such event", words[0])
	}
	ev := SlotEvent{Kind: kind}
	if len(words) > 1 {
		generation, err := strconv.ParseUint(words[1], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		ev.Generation, ev.Reason = uint32(generation), strings.Join(words[2:], " ")
	}
	s.write(after, strings.Join(words, " "), s.step(noon.Add(after), ev))
}

// ticksUntil lets time pass; a tick that changes nothing is not worth a line.
func (s *stage) ticksUntil(end time.Time) {
	for ; !s.tick.After(end); s.tick = s.tick.Add(tickEvery) {
		before := membersText(s.slot)
		if what := s.step(s.tick, SlotEvent{Kind: Tick}); what != before {
			s.write(s.tick.Sub(noon), "tick", what)
		}
	}
}

// step feeds the slot and says how it stands and what it wants done.
func (s *stage) step(now time.Time, ev SlotEvent) string {
	effects := s.slot.Step(now, ev)
	text := membersText(s.slot)
	for _, e := range effects {
		text += fmt.Sprintf("; %v %d", e.Kind, e.Generation)
		if e.Blame {
			text += " blame"
		}
	}
	return text
}

func (s *stage) write(after time.Duration, event, what string) {
	if what == "" {
		fmt.Fprintf(&s.out, "%-8v %s\n", after, event)
		return
	}
	fmt.Fprintf(&s.out, "%-8v %-34s -> %s\n", after, event, what)
}

func membersText(s *Slot) string {
	var members []string
	for _, m := range s.Members() {
		members = append(members, m.String())
	}
	if members == nil {
		return "empty"
	}
	return strings.Join(members, ", ")
}
