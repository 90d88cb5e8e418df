package sip

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestMachinesKeepTheirPromises gives each machine random inputs at random times,
// Ticks early, in time and late among them.
func TestMachinesKeepTheirPromises(t *testing.T) {
	for _, name := range machineNames {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := &watched{Machine: newMachine(name), now: dawn}
				for range rapid.IntRange(0, 30).Draw(t, "inputs") {
					w.step(t)
				}
				w.leaveAlone(t)
			})
		})
	}
}

// watched is a machine and what is known of its past.
type watched struct {
	Machine
	now    time.Time
	finals int // final answers that were sent and changed the state
}

var (
	anyInput = rapid.SampledFrom([]Input{Repeat, Ack, Provisional, Success, Failure, Tick, Tick, Tick, Broken})
	anyPause = rapid.OneOf(rapid.Just(time.Duration(0)), rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(1, 40_000).Draw(t, "ms")) * time.Millisecond
	}))
)

func (w *watched) step(t *rapid.T) {
	in := anyInput.Draw(t, "input")
	if at := w.Deadline(); in == Tick && at.After(w.now) && rapid.Bool().Draw(t, "in time") {
		w.now = at
	} else {
		w.now = w.now.Add(anyPause.Draw(t, "pause"))
	}
	w.feed(t, in)
}

// feed steps and holds what must be true of every step.
func (w *watched) feed(t *rapid.T, in Input) {
	t.Helper()
	before, deadline := w.State(), w.Deadline()
	out := w.Step(w.now, in)
	after := w.State()
	final := in == Success || in == Failure
	if out&Send != 0 && final && after != before {
		w.finals++
	}
	switch {
	case before == Terminated && (after != Terminated || out != 0):
		t.Fatalf("%s ends Terminated: %s, %s", in, after, out)
	case after == Terminated && !w.Deadline().IsZero():
		t.Fatalf("Terminated has a deadline")
	case in == Tick && !w.Deadline().IsZero() && !w.Deadline().After(w.now):
		t.Fatalf("after a Tick the deadline %v is not ahead of %v", w.Deadline(), w.now)
	case in == Tick && deadline.After(w.now) && (out != 0 || after != before):
		t.Fatalf("an early Tick does %s in %s", out, before)
	case out&(TimedOut|Failed) != 0 && after != Terminated:
		t.Fatalf("%s leaves it %s", out, after)
	case w.finals > 1:
		t.Fatalf("a second final answer changes the state to %s", after)
	case out&Send != 0 && out&Resend != 0:
		t.Fatalf("%s in %s sends twice", in, before)
	}
}

// leaveAlone lets only time work: everything ends, but for a server that still
// waits for its user.
func (w *watched) leaveAlone(t *rapid.T) {
	const longest = timerC + 2*giveUp
	begin := w.now
	for ticks := 0; !w.Deadline().IsZero(); ticks++ {
		if ticks > 100 {
			t.Fatal("100 Ticks bring no end")
		}
		if w.Deadline().After(w.now) {
			w.now = w.Deadline()
		}
		w.feed(t, Tick)
	}
	waits := w.server() && w.finals == 0 && w.State() != Terminated
	if !waits && w.State() != Terminated {
		t.Fatalf("left alone it stays %s", w.State())
	}
	if took := w.now.Sub(begin); took > longest {
		t.Fatalf("left alone it took %v", took)
	}
}

func (w *watched) server() bool {
	switch w.Machine.(type) {
	case *InviteServer, *NonInviteServer:
		return true
	}
	return false
}
