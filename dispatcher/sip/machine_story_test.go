package sip

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// machineNames are the stages on which one machine plays alone.
var machineNames = []string{
	"InviteServer over udp", "InviteServer over tcp",
	"NonInviteServer over udp", "NonInviteServer over tcp",
	"InviteClient over udp", "InviteClient over tcp",
	"NonInviteClient over udp", "NonInviteClient over tcp",
}

// newMachine makes the machine of one of those names at dawn, nil for another.
func newMachine(name string) Machine {
	kind, transport, _ := strings.Cut(name, " over ")
	reliable := Peer{Transport: transport}.Reliable()
	switch kind {
	case "InviteServer":
		return NewInviteServer(reliable)
	case "NonInviteServer":
		return NewNonInviteServer(reliable)
	case "InviteClient":
		return NewInviteClient(dawn, reliable)
	case "NonInviteClient":
		return NewNonInviteClient(dawn, reliable)
	}
	return nil
}

// machineStage plays Inputs by their names. "start" only shows the first state.
type machineStage struct{ Machine }

func (s machineStage) play(now time.Time, event []string) (string, error) {
	if event[0] == "start" {
		return s.tell(0), nil
	}
	for in := Repeat; in <= Broken; in++ {
		if in.String() == event[0] {
			return s.tell(s.Step(now, in)), nil
		}
	}
	return "", fmt.Errorf("%s is no input of a machine", event[0])
}

func (s machineStage) deadline() time.Time         { return s.Deadline() }
func (s machineStage) expire(now time.Time) string { return s.tell(s.Step(now, Tick)) }

func (s machineStage) end() error {
	if s.State() != Terminated {
		return fmt.Errorf("the story ends in %s", s.State())
	}
	return nil
}

func (s machineStage) tell(out Output) string {
	effects := out.String()
	if effects == "" {
		effects = "-"
	}
	return fmt.Sprintf("%-10s %-12s %s", s.State(), effects, nextDeadline(s.Deadline()))
}

// TestStoriesCoverMachines walks every machine through all short sequences of
// inputs and asks that each transition it finds, and each output without one, is
// told in a story.
func TestStoriesCoverMachines(t *testing.T) {
	told := toldTransitions(t)
	for _, name := range machineNames {
		for transition := range transitions(name) {
			if !told[transition] {
				t.Errorf("no story tells %s", transition)
			}
		}
	}
}

// toldTransitions reads the transitions out of the stories. TestStories sees to
// it that the stories are true.
func toldTransitions(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(storyDir + "/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var machine, state string
		for line := range strings.Lines(string(script)) {
			if name := strings.TrimSpace(line); newMachine(name) != nil {
				machine, state = name, ""
				continue
			}
			event, outcome, found := strings.Cut(line, "->")
			words, after := strings.Fields(event), strings.Fields(outcome)
			if !found || len(words) < 2 || len(after) < 2 {
				continue
			}
			if words[1] == "timer" {
				words[1] = Tick.String()
			}
			told[transitionText(machine, state, words[1], after[0], after[1])] = true
			state = after[0]
		}
	}
	return told
}

func transitionText(machine, from, input, to, effects string) string {
	return fmt.Sprintf("%s: %s, %s -> %s %s", machine, from, input, to, effects)
}

// transitions finds what a machine can do within a few inputs, Ticks coming at
// its deadlines.
func transitions(name string) map[string]bool {
	const depth = 4
	found := map[string]bool{}
	var explore func(path []Input)
	explore = func(path []Input) {
		m, now := newMachine(name), dawn
		for i, in := range path {
			if now = now.Add(time.Millisecond); in == Tick {
				if m.Deadline().IsZero() {
					return
				}
				now = m.Deadline()
			}
			before := m.State()
			out := m.Step(now, in)
			if i+1 == len(path) && (out != 0 || m.State() != before) {
				effects := out.String()
				if out == 0 {
					effects = "-"
				}
				found[transitionText(name, before.String(), in.String(), m.State().String(), effects)] = true
			}
		}
		if m.State() == Terminated || len(path) == depth {
			return
		}
		for in := Repeat; in <= Broken; in++ {
			explore(append(path[:len(path):len(path)], in))
		}
	}
	explore(nil)
	return found
}
