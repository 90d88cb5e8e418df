package dispatcher

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// An Undecided call is an INVITE that was answered 100 and nothing more: whoever has it
// can begin with it as if it had just arrived.
type Undecided struct {
	Invite    []byte
	Transport string
	Addr      netip.AddrPort // that it came from
}

// Leave ends this process's part in all calls, so that another can go on with them.
// Those that are answered or ring are in the store then, and the rest is returned. Before
// it, the Edge must be paused and Settle called. Only the Edge is left to be released
// and closed: Close must not be called any more.
func (d *Dispatcher) Leave() []Undecided {
	d.leaving.Store(true)
	d.endLife()
	for _, s := range d.shards {
		close(s.stop)
	}
	d.running.Wait()
	d.chronicle.close()
	var list []Undecided
	for _, s := range d.shards {
		list = append(list, s.undecided...)
	}
	return list
}

// Settle waits until no script has still to decide and no answer waits for the store,
// and tells how many do if that takes longer than patience. All packets that were
// received before are handled by then.
func (d *Dispatcher) Settle(patience time.Duration) (unsettled int) {
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if unsettled = d.unsettled(); unsettled == 0 || time.Now().After(end) {
			return unsettled
		}
	}
}

func (d *Dispatcher) unsettled() int {
	var n atomic.Int64
	if !d.turn(settleTurn, func(s *shard) { n.Add(int64(s.unsettled())) }) {
		return len(d.shards) // nobody knows
	}
	return int(n.Load())
}

// settleTurn is how long a shard may take to come to its next turn.
const settleTurn = 100 * time.Millisecond

func (s *shard) unsettled() (n int) {
	for _, l := range s.calls {
		if l.probe == "" && (l.call.State() == call.Placing || l.call.State() == call.Running) {
			n++
		}
	}
	for _, h := range s.held {
		if h.live.held != nil || h.live.farewell != nil {
			n++
		}
	}
	return n
}

// Turning reports whether every shard takes and carries out a task within patience.
func (d *Dispatcher) Turning(patience time.Duration) bool {
	return d.turn(patience, func(*shard) {})
}

// turn has each shard carry out a task, in its own turn, and waits for all. It reports
// false if that takes longer than patience, or a shard has ended; the tasks may be
// carried out later then.
func (d *Dispatcher) turn(patience time.Duration, task func(*shard)) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	turned := make(chan struct{}, len(d.shards))
	for _, s := range d.shards {
		select {
		case s.mailbox <- event{task: func(time.Time) { task(s); turned <- struct{}{} }}:
		case <-s.stop:
			return false
		case <-deadline.C:
			return false
		}
	}
	for range d.shards {
		select {
		case <-turned:
		case <-deadline.C:
			return false
		}
	}
	return true
}

// Begin takes an INVITE that another process has left undecided, after Serve.
func (d *Dispatcher) Begin(u Undecided) error {
	m, refusal := sip.Scan(u.Invite)
	if refusal != nil {
		return fmt.Errorf("undecided INVITE: %s", refusal.Why)
	}
	peer, err := d.Route(u.Transport, u.Addr)
	if err != nil {
		return fmt.Errorf("undecided INVITE: %w", err)
	}
	d.shardOf(m).insist(event{packet: sip.Packet{Message: m, Peer: peer}})
	return nil
}

// leaveAll is abandonAll for a shard whose calls another process goes on with.
func (s *shard) leaveAll(now time.Time) {
	for _, l := range s.calls {
		switch {
		case l.probe != "" || s.Keep == nil || l.call.State() == call.New:
			s.step(now, l, call.Abandon{Outcome: call.NotAble})
		case l.call.Unnoticed():
			s.leaveUndecided(l)
		case !l.dirty && keeps(l.call.State()):
			l.dirty = true
			s.dirty = append(s.dirty, l)
		}
	}
	s.saveDirty(now)
	for _, h := range s.held {
		s.letGo(now, h.live)
	}
	for _, l := range s.runs {
		s.Workers.Cancel(l.call.Worker, l.start.Run, "takeover")
		if !l.saved {
			s.step(now, l, call.Abandon{Outcome: call.NotAble})
		}
	}
	for _, p := range s.dialogs {
		if !p.live.saved {
			s.step(now, p.live, call.Abandon{Outcome: call.NotAble})
		}
	}
	s.flush()
}

// leaveUndecided takes a call back that has not begun for anybody outside. It has no
// record here: the one it gets is of the process that decides it.
func (s *shard) leaveUndecided(l *live) {
	peer := l.server.Peer()
	s.undecided = append(s.undecided, Undecided{Invite: []byte(l.invite.Text()), Transport: peer.Transport, Addr: peer.Addr})
	if l.start != nil && l.call.Worker != "" {
		s.Workers.Cancel(l.call.Worker, l.start.Run, "takeover")
	}
	if l.saved {
		s.Keep.Delete(l.call.ID, nil)
	}
	s.forget(l)
}
