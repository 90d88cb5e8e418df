package dispatcher

import (
	"math/rand/v2"
	"strconv"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// live is a call in a shard: the pure Call, and what it stands on.
type live struct {
	sip.Timer
	call    *call.Call
	server  *sip.Server
	start   *proto.Start // sent to a worker, once more if that worker is lost
	account *Account
	probe   string // the worker a probe is for; empty for calls
	seq     uint32 // of the next instruction
	octets  int    // of headers asked for in this attempt
	placed  time.Time
}

// step feeds one event to a call and carries out what it wants. Placing a run is
// answered by an event of its own.
func (s *shard) step(now time.Time, l *live, ev call.Event) {
	s.current = l
	for ev != nil {
		effects := l.call.Step(now, ev)
		ev = nil
		for _, e := range effects {
			if e, ok := e.(call.Run); ok {
				ev = s.place(now, l, e)
				continue
			}
			s.perform(now, l, e)
		}
	}
	s.current = nil
}

// perform carries out one effect.
func (s *shard) perform(now time.Time, l *live, e call.Effect) {
	switch e := e.(type) {
	case call.Respond:
		s.respond(now, l, e)
	case call.Stop:
		s.Workers.Cancel(l.call.Worker, l.start.Run, e.Reason)
	case call.Wake:
		s.queue.Set(&l.Timer, e.At)
	case call.Over:
		s.over(l)
	}
}

// place asks the pool for a worker.
func (s *shard) place(now time.Time, l *live, e call.Run) call.Event {
	if attempt := uint32(e.Attempt); l.start.Attempt != attempt {
		// The last worker's stream may still hold the order it was given.
		was := l.start
		l.start = &proto.Start{
			Run: was.Run, Attempt: attempt, Bundle: was.Bundle, Account: was.Account, Plan: was.Plan, Version: was.Version,
			Facts: was.Facts, Limits: was.Limits,
		}
	}
	worker, ok := s.Workers.Start(l.start, l.probe, e.Avoid)
	if !ok {
		return call.Unplaced{}
	}
	l.seq, l.octets, l.placed = 1, 0, now
	return call.Placed{Worker: worker}
}

func (s *shard) respond(now time.Time, l *live, e call.Respond) {
	reply := sip.Reply{Status: e.Status, Reason: e.Reason}
	for _, f := range e.Headers {
		reply.Headers = append(reply.Headers, sip.Field(f))
	}
	switch {
	case e.Status == 503:
		reply.Headers = append(reply.Headers, retryAfter())
	case l.probe != "" && e.Status == probeHealthy:
		reply.Headers = append(reply.Headers, s.vitals(now, l)...)
	}
	s.layer.Respond(now, l.server, &reply)
	if e.Status >= 200 {
		delete(s.calls, l.server)
	}
}

// over ends a call's life in the shard and writes it down.
func (s *shard) over(l *live) {
	s.forget(l)
	if l.probe != "" {
		return
	}
	s.Stats.finished(&l.call.Record)
	s.chronicle.record(&l.call.Record)
}

// forget takes a call out of every table.
func (s *shard) forget(l *live) {
	s.queue.Set(&l.Timer, time.Time{})
	delete(s.calls, l.server)
	if l.start != nil {
		delete(s.runs, l.start.Run)
	}
	l.account.leave()
	l.account = nil
}

// retryAfter spreads the return of those who were sent away.
func retryAfter() sip.Field {
	return sip.Field{Name: "Retry-After", Value: strconv.Itoa(2 + rand.IntN(5))}
}
