package dialplans

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dialyard/proto"
)

// storiesDir has, for each example, what becomes of some calls.
const storiesDir = "../testdata/plans"

// TestStories plays testdata/plans/PLAN.txt: each paragraph is a call, told by
// its facts, how its dials end and what it is answered, and after => what the plan
// of that name does with it. With -update the outcomes are rewritten; read them
// before you commit them.
func TestStories(t *testing.T) {
	plans, err := fs.ReadDir(Examples(), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range plans {
		t.Run(plan.Name(), func(t *testing.T) {
			file := filepath.Join(storiesDir, plan.Name()+".txt")
			told, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			played := playStories(t, examplePlan(t, plan.Name()), plan.Name(), string(told))
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

// examplePlan compiles one of the examples.
func examplePlan(t *testing.T, name string) *Plan {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(Examples(), name, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[strings.TrimPrefix(path, name+"/")], err = fs.ReadFile(Examples(), path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// playStories gives the stories back with the outcomes they had.
func playStories(t *testing.T, p *Plan, plan, told string) string {
	var out strings.Builder
	for i, paragraph := range strings.Split(strings.TrimSpace(told), "\n\n") {
		if i > 0 {
			out.WriteString("\n")
		}
		start := &proto.Start{Account: "demo", Plan: plan, Version: 1, Facts: &proto.Facts{CallId: "story", Source: "udp:192.0.2.1:5060"}}
		now, host := noon, &switchboard{}
		isCall := false
		for line := range strings.Lines(paragraph) {
			line = strings.TrimRight(line, "\n")
			if strings.HasPrefix(line, "=>") {
				continue
			}
			out.WriteString(line + "\n")
			if !strings.HasPrefix(line, "#") {
				isCall = true
				if ending, ok := strings.CutPrefix(line, "dial "); ok {
					host.answers = append(host.answers, tellDialled(t, ending))
					continue
				}
				if answer, ok := strings.CutPrefix(line, "answer "); ok {
					host.told = append(host.told, tellAnswer(t, answer))
					continue
				}
				tell(t, start.Facts, &now, line)
			}
		}
		if isCall {
			done := host.execute(start, now, p)
			for _, outcome := range append(host.lines, trouble(done)...) {
				out.WriteString("=> " + outcome + "\n")
			}
		}
	}
	return out.String()
}

// tell adds one line of a story to the facts of its call.
func tell(t *testing.T, facts *proto.Facts, now *time.Time, line string) {
	what, value, _ := strings.Cut(line, " ")
	switch what {
	case "from":
		facts.FromUri, facts.FromUser, facts.FromHost = "sip:"+value, user(value), "example.net"
	case "to":
		facts.ToUri, facts.ToUser, facts.ToHost = "sip:"+value+"@127.0.0.1", value, "127.0.0.1"
		facts.Ruri, facts.RuriUser, facts.RuriHost = facts.ToUri, value, facts.ToHost
	case "header":
		facts.Headers += value + "\r\n"
	case "at":
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		*now = at
	default:
		t.Fatalf("a story has from, to, header, at, dial and answer, not %q", line)
	}
}

func user(address string) string {
	name, _, _ := strings.Cut(address, "@")
	return name
}

// describe is an instruction as a line of a story.
func describe(i *proto.Instruction) string {
	switch is := i.Is.(type) {
	case *proto.Instruction_Reject:
		line := fmt.Sprintf("reject %d %s", is.Reject.Code, is.Reject.Reason)
		for _, h := range is.Reject.Headers {
			line += fmt.Sprintf(" [%s: %s]", h.Name, h.Value)
		}
		return strings.TrimSpace(line)
	case *proto.Instruction_Redirect:
		return fmt.Sprintf("redirect %d %s", is.Redirect.Code, strings.Join(is.Redirect.Targets, " "))
	case *proto.Instruction_Ring:
		return fmt.Sprintf("ring %d", is.Ring.Code)
	case *proto.Instruction_SetHeader:
		return fmt.Sprintf("header %s: %s", is.SetHeader.Header.Name, is.SetHeader.Header.Value)
	case *proto.Instruction_Tag:
		return fmt.Sprintf("tag %s: %s", is.Tag.Name, is.Tag.Value)
	case *proto.Instruction_Dial:
		return describeDial(is.Dial)
	case *proto.Instruction_Ask:
		return describeAsk(is.Ask)
	}
	return i.String()
}

// trouble tells how a run ended if it did not simply finish.
func trouble(done *proto.Done) []string {
	if done.Outcome == proto.Outcome_OUTCOME_FINISHED {
		return nil
	}
	outcome := strings.ToLower(strings.TrimPrefix(done.Outcome.String(), "OUTCOME_"))
	return []string{outcome + " " + ErrorFromProto(done.Error).Error()}
}
