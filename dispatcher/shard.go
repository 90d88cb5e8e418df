package dispatcher

import (
	"runtime/debug"
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

	queue   sip.Queue
	layer   *sip.Layer
	calls   map[*sip.Server]*live // waiting for their final answer
	runs    map[uint64]*live      // with a run out
	lastRun uint64
	current *live // whose event is being handled, to blame for a panic
}

// An event is one thing in a mailbox: a packet, a worker's reports, or, without
// either, the loss of the worker.
type event struct {
	packet  sip.Packet
	worker  string
	reports []*proto.Report
}

func newShard(d *Dispatcher, index byte, seed [32]byte) *shard {
	s := &shard{
		Dispatcher: d, index: index,
		mailbox: make(chan event, mailboxSize), stop: make(chan struct{}),
		calls: map[*sip.Server]*live{}, runs: map[uint64]*live{},
	}
	s.layer = sip.NewLayer(&s.queue, seed, 'a'+index%26)
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

// run is the shard's goroutine: take what has come, let deadlines expire, send.
func (s *shard) run() {
	alarm := newAlarm()
	defer alarm.Stop()
	for {
		select {
		case <-s.stop:
			s.abandonAll(time.Now())
			return
		case <-alarm.C:
			alarm.rang()
		case ev := <-s.mailbox:
			s.handle(time.Now(), ev)
			s.handleWaiting()
		}
		s.expire(time.Now())
		s.flush()
		alarm.set(s.queue.Next())
		s.Stats.shard(s.index, len(s.calls), len(s.runs), s.layer.Len())
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
		s.takePacket(now, ev.packet)
	case ev.reports != nil:
		for _, r := range ev.reports {
			s.takeReport(now, ev.worker, r)
		}
	default:
		s.takeLoss(now, ev.worker)
	}
}

func (s *shard) takePacket(now time.Time, p sip.Packet) {
	switch news, server := s.layer.Receive(now, p); news {
	case sip.NewCall:
		s.invite(now, server)
	case sip.NewOther:
		s.answerOther(now, server)
	case sip.Cancelled:
		if l := s.calls[server]; l != nil {
			s.step(now, l, call.Cancelled{})
		}
	}
}

func (s *shard) takeReport(now time.Time, worker string, r *proto.Report) {
	defer s.survive(now)
	if byte(runOf(r)>>56) != s.index {
		return
	}
	l := s.runs[runOf(r)]
	if l == nil || l.call.Worker != worker {
		return // over, or from a worker that was given up
	}
	if line, ok := r.Is.(*proto.Report_Log); ok {
		s.chronicle.scriptLine(l, line.Log)
		return
	}
	s.step(now, l, l.translate(r))
}

func (s *shard) takeLoss(now time.Time, worker string) {
	for _, l := range s.runs {
		if l.call.Worker == worker {
			s.lose(now, l)
		}
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
			s.layer.Expire(now, owner)
		case *live:
			s.tick(now, owner)
		}
	}
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
	s.step(now, l, call.Abandon{Outcome: call.Flaw})
}

// abandonAll ends every call that is under way when the shard has to stop.
func (s *shard) abandonAll(now time.Time) {
	for _, l := range s.calls {
		s.step(now, l, call.Abandon{Outcome: call.NotAble})
	}
	for _, l := range s.runs { // answered already, but not written down
		s.step(now, l, call.Abandon{Outcome: call.NotAble})
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
