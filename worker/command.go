package worker

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Errors of commands.
var (
	ErrNoWorker  = errors.New("no such worker")
	ErrTooYoung  = errors.New("the worker has not begun to take calls yet")
	errNoReady   = errors.New("no worker is ready")
	errCheckLost = errors.New("the worker that checked it died")
)

// Probed says that a worker's first probe was good, or that a suspect's probes
// are good again.
func (p *Pool) Probed(name string) {
	p.command(name, SlotEvent{Kind: Probed})
	p.command(name, SlotEvent{Kind: Trusted})
}

// Suspect takes a worker out of service until it is Probed or replaced.
func (p *Pool) Suspect(name, reason string) {
	p.command(name, SlotEvent{Kind: Suspected, Reason: reason})
}

// Stall is Suspect for a worker that does not answer at all: its runs are given
// to others.
func (p *Pool) Stall(name, reason string) {
	p.command(name, SlotEvent{Kind: Stalled, Reason: reason})
}

// Recycle replaces a worker without haste: a successor is started and probed,
// then the old one ends its runs and leaves.
func (p *Pool) Recycle(name, reason string) error {
	young := func(s Status) bool { return (s.ID == name || s.Name == name) && s.State < Ready }
	serving := func(s Status) bool {
		return (s.ID == name || s.Name == name) && (s.State == Ready || s.State == Suspect)
	}
	if all := p.All(); slices.ContainsFunc(all, young) && !slices.ContainsFunc(all, serving) {
		return ErrTooYoung
	}
	return p.command(name, SlotEvent{Kind: Recycled, Reason: reason})
}

// Dismiss lets a worker end its runs and leave, without waiting for a successor;
// its place is filled again at once.
func (p *Pool) Dismiss(name, reason string) error {
	return p.command(name, SlotEvent{Kind: Dismissed, Reason: reason})
}

// Kill ends a worker now; its runs go elsewhere where they may.
func (p *Pool) Kill(name, reason string) error {
	return p.command(name, SlotEvent{Kind: Killed, Reason: reason})
}

// command finds the worker, "w1" or "w1.3", and passes the event on.
func (p *Pool) command(name string, ev SlotEvent) error {
	proc := p.roster.Load().find(name, Dying)
	if proc == nil {
		return ErrNoWorker
	}
	ev.Generation = proc.generation
	select {
	case p.messages <- message{proc.slot, ev}:
		return nil
	case <-p.closed:
		return ErrNoWorker
	}
}

// WaitConnected returns when any worker is connected, so that it can check plans.
func (p *Pool) WaitConnected(ctx context.Context) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for p.roster.Load().checker() == nil {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return errNoReady
		}
	}
	return nil
}
