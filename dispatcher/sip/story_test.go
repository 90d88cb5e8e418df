package sip

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

var update = flag.Bool("update", false, "rewrite the outcome of stories with what happens now")

const storyDir = "../../testdata/stories/sip"

// A stage is what a story plays on.
type stage interface {
	// play carries out one event and tells what came of it.
	play(now time.Time, event []string) (outcome string, err error)
	// deadline is when expire is due; zero means never.
	deadline() time.Time
	expire(now time.Time) (outcome string)
	// end says what is left over when the story is.
	end() error
}

// dawn is when every story begins.
var dawn = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// TestStories plays testdata/stories/sip/*.txt. A line names a stage ("Layer",
// "InviteServer over udp") and begins anew, or is an event:
//
//	TIME EVENT -> what came of it, and the next deadline
//
// Deadlines on the way come by themselves and stand in the file as timer events.
// The event "wait" lets them come; "stall" passes the time without them, as a
// shard that was held up would.
func TestStories(t *testing.T) {
	files, err := filepath.Glob(storyDir + "/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			told, err := tell(string(script))
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, []byte(told), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if told != string(script) {
				t.Errorf("%s would now be (keep it with -update):\n%s", file, told)
			}
		})
	}
}

// A teller writes a story down while it plays.
type teller struct {
	strings.Builder
	stage stage
	now   time.Time
}

// tell plays a script and returns it with its outcomes.
func tell(script string) (string, error) {
	var told teller
	for number, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		if err := told.line(line); err != nil {
			return "", fmt.Errorf("line %d: %w", number+1, err)
		}
	}
	return told.String(), told.close()
}

func (t *teller) line(line string) error {
	if line == "" || line[0] == '#' {
		t.WriteString(line + "\n")
		return nil
	}
	line, _, _ = strings.Cut(line, "->")
	words := strings.Fields(line)
	at, err := time.ParseDuration(words[0])
	switch {
	case err != nil:
		return t.open(strings.TrimSpace(line))
	case t.stage == nil || len(words) < 2:
		return fmt.Errorf("%q is not TIME EVENT on a stage", line)
	case words[1] == "timer":
		return nil // an outcome of the last telling
	case words[1] == "stall":
		t.now = dawn.Add(at)
		t.write(line, "")
		return nil
	}
	t.pass(dawn.Add(at))
	if words[1] == "wait" {
		t.write(line, "")
		return nil
	}
	outcome, err := t.stage.play(t.now, words[1:])
	t.write(line, outcome)
	return err
}

// open closes the stage there is and begins anew on the one that is named.
func (t *teller) open(name string) error {
	if err := t.close(); err != nil {
		return err
	}
	t.now = dawn
	if name == "Layer" {
		t.stage = newLayerStage()
	} else if m := newMachine(name); m != nil {
		t.stage = machineStage{m}
	} else {
		return fmt.Errorf("no stage is called %q", name)
	}
	t.WriteString(name + "\n")
	return nil
}

// pass lets time go by until then, with the deadlines that fall into it.
func (t *teller) pass(then time.Time) {
	for {
		at := t.stage.deadline()
		if at.IsZero() || at.After(then) {
			break
		}
		if at.After(t.now) {
			t.now = at
		}
		t.write(sinceDawn(t.now)+" timer", t.stage.expire(t.now))
	}
	if then.After(t.now) {
		t.now = then
	}
}

func (t *teller) close() error {
	switch {
	case t.stage == nil:
		return nil
	case !t.stage.deadline().IsZero():
		return fmt.Errorf("the story ends before its last deadline, %s", sinceDawn(t.stage.deadline()))
	}
	return t.stage.end()
}

func (t *teller) write(event, outcome string) {
	at, what, _ := strings.Cut(event, " ")
	what = strings.TrimSpace(what)
	if outcome == "" {
		fmt.Fprintf(t, "%-7s %s\n", at, what)
		return
	}
	fmt.Fprintf(t, "%-7s %-20s -> %s\n", at, what, outcome)
}

func sinceDawn(at time.Time) string {
	return strconv.FormatFloat(at.Sub(dawn).Seconds(), 'f', -1, 64) + "s"
}

func nextDeadline(at time.Time) string {
	if at.IsZero() {
		return "no deadline"
	}
	return "next " + sinceDawn(at)
}
