package dialplans

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"dialyard/proto"
)

// switchboard is a host that keeps what a run wants and answers its dials and
// what it asks as it was told, one after the other; with nothing left to say, they
// have failed.
type switchboard struct {
	recorder
	run     *Run
	answers []*proto.Dialled
	told    []*proto.Answer
}

func (s *switchboard) Instruct(i *proto.Instruction) {
	s.recorder.Instruct(i)
	if i.GetAsk() != nil {
		s.answer(i)
	}
	if i.GetDial() == nil {
		return
	}
	answer := &proto.Dialled{Status: proto.DialStatus_DIAL_STATUS_FAILED}
	if len(s.answers) > 0 {
		answer, s.answers = s.answers[0], s.answers[1:]
	}
	s.run.Result(resultOf(i, answer))
}

// resultOf is the answer to an instruction.
func resultOf(i *proto.Instruction, d *proto.Dialled) *proto.Result {
	return &proto.Result{Run: i.Run, Seq: i.Seq, Is: &proto.Result_Dialled{Dialled: d}}
}

// execute runs a plan for a call with this host.
func (s *switchboard) execute(start *proto.Start, now time.Time, p *Plan) *proto.Done {
	s.run = NewRun(start, s, now)
	return s.run.Execute(p)
}

// dial is the last dial that the run asked for.
func (s *switchboard) dial(t testing.TB) *proto.Dial {
	t.Helper()
	for i := len(s.instructions) - 1; i >= 0; i-- {
		if d := s.instructions[i].GetDial(); d != nil {
			return d
		}
	}
	t.Fatal("the run has not dialled")
	return nil
}

// tellDialled reads how a dial ends: its status, and in any order a code,
// leg=N, took=DURATION, contact=URI and the words of the reason.
func tellDialled(t testing.TB, told string) *proto.Dialled {
	t.Helper()
	d := &proto.Dialled{}
	for i, word := range strings.Fields(told) {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.ParseUint(word, 10, 32)
		switch {
		case i == 0:
			status, ok := proto.DialStatus_value["DIAL_STATUS_"+strings.ToUpper(word)]
			if !ok {
				t.Fatalf("no dial ends with %q", word)
			}
			d.Status = proto.DialStatus(status)
		case err == nil:
			d.Code = uint32(n)
		case name == "leg":
			leg, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			d.Leg = uint32(leg)
		case name == "took":
			took, err := time.ParseDuration(value)
			if err != nil {
				t.Fatal(err)
			}
			d.ElapsedMs = uint32(took.Milliseconds())
		case name == "contact":
			d.Contacts = append(d.Contacts, value)
		default:
			d.Reason = strings.TrimSpace(d.Reason + " " + word)
		}
	}
	return d
}

// describeDial is a dial as one line: groups as in a dial string, with what each
// leg has. The whole time is left out where it is all that the run has left.
func describeDial(d *proto.Dial) string {
	line := "dial " + describeGroups(d.Groups)
	if d.TimeoutMs < uint32((totalLimit - 2*time.Second).Milliseconds()) {
		line += fmt.Sprintf(" within %gs", float64(d.TimeoutMs)/1000)
	}
	return line
}

func describeGroups(groups []*proto.DialGroup) string {
	var all []string
	for _, group := range groups {
		var legs []string
		for _, leg := range group.Legs {
			legs = append(legs, describeLeg(leg))
		}
		all = append(all, strings.Join(legs, " & "))
	}
	return strings.Join(all, " | ")
}

func describeLeg(leg *proto.DialLeg) string {
	var with []string
	for _, ms := range []struct {
		name  string
		value uint32
	}{{"ring", leg.RingMs}, {"delay", leg.DelayMs}, {"max", leg.AnsweredMs}} {
		if ms.value != 0 {
			with = append(with, fmt.Sprintf("%s=%gs", ms.name, float64(ms.value)/1000))
		}
	}
	if leg.FromName+leg.FromUser+leg.FromHost != "" {
		with = append(with, fmt.Sprintf("from=%q,%s,%s", leg.FromName, leg.FromUser, leg.FromHost))
	}
	for _, h := range leg.Headers {
		with = append(with, fmt.Sprintf("%s: %s", h.Name, h.Value))
	}
	if leg.Redirects != 0 {
		with = append(with, strings.ToLower(strings.TrimPrefix(leg.Redirects.String(), "REDIRECTS_")))
	}
	if leg.Transfers != 0 {
		with = append(with, "transfer="+strings.ToLower(strings.TrimPrefix(leg.Transfers.String(), "TRANSFERS_")))
	}
	if len(with) == 0 {
		return leg.Target
	}
	return leg.Target + "[" + strings.Join(with, "; ") + "]"
}
