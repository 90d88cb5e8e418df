package worker

import (
	"errors"
	"testing"
	"time"
)

// readyPool is a pool whose slots each have a ready worker, without processes behind.
func readyPool(slots int) *Pool {
	p := NewPool(Options{Slots: slots, Runs: 1, Event: func(Event) {}, Lost: func(Loss) {}})
	for i, slot := range p.slots[:slots] {
		for _, kind := range []SlotEventKind{Wanted, Connected, Probed} {
			slot.Step(time.Now(), SlotEvent{Kind: kind, Generation: 1})
		}
		p.processes[p.nameOf(i, 1)] = newProcess(p.nameOf(i, 1), i, 1, 1)
	}
	p.publish()
	return p
}

// hear has the pool take the messages that wait for it.
func (p *Pool) hear() {
	for len(p.messages) > 0 {
		m := <-p.messages
		p.step(m.slot, m.event)
	}
}

func TestTheLastReadyWorkerIsNotDisabled(t *testing.T) {
	p := readyPool(2)
	if err := p.Disable("w1", "operator: test", false); err != nil {
		t.Fatal(err)
	}
	// The pool has not even heard of the first.
	if err := p.Disable("w2", "operator: test", false); !errors.Is(err, ErrLastWorker) {
		t.Errorf("the last: %v", err)
	}
	p.hear()
	if err := p.Disable("w2.1", "operator: test", false); !errors.Is(err, ErrLastWorker) {
		t.Errorf("the last, later: %v", err)
	}
	if p.Ready() != 1 {
		t.Errorf("%d are ready", p.Ready())
	}
	if err := p.Disable("w2", "operator: force", true); err != nil {
		t.Error(err)
	}
	p.hear()
	if p.Ready() != 0 {
		t.Errorf("%d are ready after force", p.Ready())
	}
}

func TestADisabledSlotIsShown(t *testing.T) {
	p := readyPool(2)
	p.Disable("w1", "operator: test", false)
	p.hear()
	if w := p.Workers()[0]; w.State != Draining || w.Reason != "operator: test" {
		t.Errorf("before it has left: %+v", w)
	}
	p.step(0, SlotEvent{Kind: Exited, Generation: 1, Reason: "exit status 0"})
	list := p.Workers()
	if len(list) != 2 || list[0].State != Disabled || list[0].ID != "w1" || list[0].Pid != 0 || list[0].Reason != "operator: test" {
		t.Errorf("once it has left: %+v", list)
	}
	if err := p.Enable("w1", "operator: good"); err != nil {
		t.Fatal(err)
	}
	if m := <-p.messages; m.slot != 0 || m.event.Kind != Wanted || m.event.Reason != "operator: good" {
		t.Errorf("the pool hears %+v", m)
	}
	p.publish()
	if list := p.Workers(); len(list) != 1 {
		t.Errorf("enabled and empty: %+v", list)
	}
	if err := p.Enable("w1", ""); !errors.Is(err, ErrNotOff) {
		t.Errorf("enabled twice: %v", err)
	}
}

func TestOnlyOrdinarySlotsHaveASwitch(t *testing.T) {
	p := readyPool(2)
	for _, name := range []string{"w0", "w3", "p1", "", "w", "x1", "w1x"} {
		if err := p.Disable(name, "", true); !errors.Is(err, ErrNoWorker) {
			t.Errorf("disable %q: %v", name, err)
		}
		if err := p.Enable(name, ""); !errors.Is(err, ErrNoWorker) {
			t.Errorf("enable %q: %v", name, err)
		}
	}
	if len(p.messages) > 0 {
		t.Error("the pool was told")
	}
}
