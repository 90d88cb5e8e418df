package dispatcher

import (
	"crypto/sha256"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// Sizes of a shard.
const (
	mailboxSize = 8192 // events; packets may fill half of it
	batchSize   = 256  // events between two looks at the clock's queue
)

// A shard owns the transactions and calls whose Call-ID hashes to it. Everything
// below runs on its one goroutine; others reach it through post.
type shard struct {
	*Dispatcher
	index   byte
	mailbox chan event
	stop    chan struct{}

	queue     sip.Queue
	layer     *sip.Layer
	calls     map[*sip.Server]*live // waiting for their final answer
	early     map[string]*live      // the same, by the To tags that their callers know
	runs      map[uint64]*live      // with a run out
	dialogs   map[string]*party     // of answered calls, by the tag made here
	talking   int                   // answered calls
	lastRun   uint64
	current   *live       // whose event is being handled, to blame for a panic
	undecided []Undecided // that another process is to decide; see Leave
	random    *rand.Rand  // for what need not be secret

	dirty     []*live   // that the store is to have
	ringing   []waiting // that it is to have if they go on ringing
	held      []waiting // whose 2xx waits for the store
	ringTimer sip.Timer
	holdTimer sip.Timer
	pinger    pinger
}

// An event is one thing in a mailbox: a packet, a worker's reports, what somebody
// outside has found out for the shard, or, without any of these, the loss of the
// worker.
type event struct {
	packet  sip.Packet
	worker  string
	reports []*proto.Report
	task    func(now time.Time) // runs on the shard's goroutine
}

// due says which of a shard's own deadlines has come.
type due uint8

const (
	dueRinging due = iota
	dueHeld
)

func newShard(d *Dispatcher, index byte, seed [32]byte) *shard {
	s := &shard{
		Dispatcher: d, index: index,
		mailbox: make(chan event, mailboxSize), stop: make(chan struct{}),
		calls: map[*sip.Server]*live{}, early: map[string]*live{}, runs: map[uint64]*live{}, dialogs: map[string]*party{},
		random: rand.New(rand.NewChaCha8(sha256.Sum256(seed[:]))),
	}
	s.layer = sip.NewLayer(&s.queue, seed, index)
	s.ringTimer.Owner, s.holdTimer.Owner, s.pinger.Owner = dueRinging, dueHeld, &s.pinger
	return s
}

// post puts an event into the mailbox; false means that it is full.
func (s *shard) post(ev event) bool {
	select {
	case s.mailbox <- ev:
		return true
	default:
		return false
	}
}

// insist puts an event into the mailbox that must not be lost; it waits for room.
// A shard never waits for those who insist.
func (s *shard) insist(ev event) {
	select {
	case s.mailbox <- ev:
	case <-s.stop:
	}
}

// run is the shard's goroutine: take what has come, let deadlines expire, send.
func (s *shard) run() {
	alarm := newAlarm()
	defer alarm.Stop()
	if s.index == 0 {
		s.ping(time.Now())
		alarm.set(s.queue.Next())
	}
	for {
		select {
		case <-s.stop:
			if s.leaving.Load() {
				s.leaveAll(time.Now())
			} else {
				s.abandonAll(time.Now())
			}
			return
		case <-alarm.C:
			alarm.rang()
		case ev := <-s.mailbox:
			s.handle(time.Now(), ev)
			s.handleWaiting()
		}
		now := time.Now()
		s.expire(now)
		s.saveDirty(now)
		s.flush()
		alarm.set(s.queue.Next())
		s.Stats.shard(s.index, len(s.calls), s.talking, len(s.runs), s.layer.Len())
	}
}

// handleWaiting takes what else lies in the mailbox, so that a burst is answered
// in one go.
func (s *shard) handleWaiting() {
	for range batchSize {
		select {
		case ev := <-s.mailbox:
			s.handle(time.Now(), ev)
		default:
			return
		}
	}
}

func (s *shard) handle(now time.Time, ev event) {
	defer s.survive(now)
	switch {
	case ev.packet.Message != nil:
		s.takeNotice(now, s.layer.Receive(now, ev.packet))
	case ev.reports != nil:
		for _, r := range ev.reports {
			s.takeReport(now, ev.worker, r)
		}
	case ev.task != nil:
		ev.task(now)
	default:
		s.takeLoss(now, ev.worker)
	}
}

func (s *shard) takeReport(now time.Time, worker string, r *proto.Report) {
	defer s.survive(now)
	if byte(runOf(r)>>56) != s.index {
		return
	}
	l := s.runs[runOf(r)]
	if l == nil || l.call.Worker != worker { // over, or from a worker that was given up
		if i := r.GetInstruction(); i != nil {
			s.Workers.Cancel(worker, i.Run, "call over") // it may wait for an answer
		}
		return
	}
	if line, ok := r.Is.(*proto.Report_Log); ok {
		s.chronicle.scriptLine(l, line.Log)
		return
	}
	if done := r.GetDone(); done != nil {
		s.ran(now, l, done)
	}
	if in := r.GetInstruction(); in.GetAsk() != nil {
		s.reach(now, l, in)
		return
	}
	s.step(now, l, l.translate(r))
}

// ran settles what a run has cost, and what it says of its version that the worker
// lives.
func (s *shard) ran(now time.Time, l *live, done *proto.Done) {
	if l.probe == "" {
		l.account.charge(now, min(time.Duration(done.GetCpuUs())*time.Microsecond, now.Sub(l.placed)))
	}
	if l.apart {
		s.Blame.Acquit(versionOf(&l.call.Record), now)
	}
}

func (s *shard) takeLoss(now time.Time, worker string) {
	for _, run := range slices.Sorted(maps.Keys(s.runs)) {
		if l := s.runs[run]; l != nil && l.call.Worker == worker {
			s.lose(now, l)
		}
	}
}

// broken ends the transactions with a peer that cannot be connected to.
func (s *shard) broken(now time.Time, peer sip.Peer) {
	for _, n := range s.layer.Break(now, peer) {
		s.takeNotice(now, n)
	}
}

func (s *shard) lose(now time.Time, l *live) {
	defer s.survive(now)
	s.step(now, l, call.Lost{})
}

// expire wakes whatever is due.
func (s *shard) expire(now time.Time) {
	for t := s.queue.Due(now); t != nil; t = s.queue.Due(now) {
		switch owner := t.Owner.(type) {
		case *sip.Server:
			s.expired(now, s.layer.Expire(now, owner))
		case *sip.Client:
			s.expired(now, s.layer.ExpireClient(now, owner))
		case *live:
			s.tick(now, owner)
		case *leg:
			s.impatient(now, owner)
		case due:
			if owner == dueHeld {
				s.letGoOverdue(now)
			} else {
				s.saveRinging(now)
			}
		case *audit:
			s.audit(now, owner)
		case *pinger:
			s.ping(now)
		case *ping:
			s.pinged(now, owner, 408)
		}
	}
}

func (s *shard) expired(now time.Time, n sip.Notice) {
	defer s.survive(now)
	s.takeNotice(now, n)
}

func (s *shard) tick(now time.Time, l *live) {
	defer s.survive(now)
	s.step(now, l, call.Tick{})
}

// flush sends what the layer wants sent.
func (s *shard) flush() {
	sip.SendAll(s.layer.Outbox())
}

// survive keeps a panic from costing more than the call whose event raised it.
func (s *shard) survive(now time.Time) {
	p := recover()
	l := s.current
	s.current = nil
	if p == nil {
		return
	}
	s.Stats.Panics.Add(1)
	s.Log.Error("panic in a shard", "panic", p, "stack", string(debug.Stack()))
	if l == nil {
		return
	}
	defer func() {
		if recover() != nil { // the call itself is what is flawed
			s.forget(l)
		}
	}()
	l.events = nil
	s.step(now, l, call.Abandon{Outcome: call.Flaw})
}

// abandonAll ends every call that is under way when the shard has to stop, but for
// answered ones that the store has: another process goes on with those.
func (s *shard) abandonAll(now time.Time) {
	s.saveDirty(now)
	for _, h := range s.held {
		s.letGo(now, h.live)
	}
	for _, l := range s.calls {
		s.step(now, l, call.Abandon{Outcome: call.NotAble})
	}
	for _, l := range s.runs { // answered already, but not written down
		if l.call.State() != call.Talking || !l.saved {
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

// An alarm is the one timer of a shard. It may ring early; it never rings late.
type alarm struct {
	*time.Timer
	at time.Time
}

func newAlarm() *alarm {
	a := &alarm{Timer: time.NewTimer(time.Hour)}
	a.Timer.Stop()
	return a
}

func (a *alarm) rang() { a.at = time.Time{} }

// set makes the alarm ring at the given time, or leaves it to ring earlier.
func (a *alarm) set(at time.Time) {
	if at.IsZero() || !a.at.IsZero() && !at.Before(a.at) {
		return
	}
	a.at = at
	a.Reset(time.Until(at))
}
