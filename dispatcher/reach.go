package dispatcher

import (
	"context"
	"time"

	"dialyard/dispatcher/broker"
	"dialyard/dispatcher/call"
	"dialyard/proto"
)

// An asking is what a run has asked of the broker and waits for.
type asking struct {
	run    uint64
	seq    uint32
	cancel context.CancelFunc
}

// reach has the broker do what a script cannot reach. A script waits for its answer, so
// a worker that asks for two things at once for one run makes them up.
func (s *shard) reach(now time.Time, l *live, in *proto.Instruction) {
	if in.Seq != l.seq || l.seq > maxInstructions || l.asks != nil || s.Broker == nil {
		s.step(now, l, brokenProtocol)
		return
	}
	l.seq++
	ask := in.GetAsk()
	if changesSomething(ask) {
		s.step(now, l, call.Acted{})
	}
	ctx, cancel := context.WithCancel(s.life)
	a := &asking{l.start.Run, in.Seq, cancel}
	l.asks = a
	answer := s.Broker.Begin(ctx, s.asker(l), ask, func(answer *proto.Answer) {
		s.insist(event{task: func(time.Time) { s.answerAsk(l, a, answer) }})
	})
	if c := ask.GetClaim(); c != nil && c.GetPerMs() == 0 && answer.GetClaimed().GetGranted() {
		l.claims = true
		s.save(now, l)
	}
	if answer != nil {
		s.answerAsk(l, a, answer)
	}
}

// asker says for whom the broker works.
func (s *shard) asker(l *live) broker.Asker {
	from := broker.Asker{Account: l.call.Account, Call: l.call.ID, Allowance: &l.allowance}
	if l.account != nil {
		from.Policy = l.account.Reach
	}
	return from
}

// answerAsk gives the script its answer, if it is still there.
func (s *shard) answerAsk(l *live, a *asking, answer *proto.Answer) {
	if l.asks != a {
		return
	}
	l.stopAsking()
	s.Workers.Result(l.call.Worker, &proto.Result{Run: a.run, Seq: a.seq, Is: &proto.Result_Answer{Answer: answer}})
}

// stopAsking ends what the broker does for a run that has its answer, or is over.
func (l *live) stopAsking() {
	if l.asks != nil {
		l.asks.cancel()
		l.asks = nil
	}
}

// changesSomething reports whether others could notice that this was asked: then the
// run cannot be repeated elsewhere.
func changesSomething(a *proto.Ask) bool {
	switch a := a.GetIs().(type) {
	case *proto.Ask_Fetch:
		return a.Fetch.GetMethod() != "GET" && a.Fetch.GetMethod() != "HEAD"
	case *proto.Ask_Keep:
		return a.Keep.GetOp() != proto.KeepOp_KEEP_OP_GET
	}
	return false
}
