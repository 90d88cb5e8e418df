package dispatcher

import (
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// auditDelay is how long after a restart, or after an answer to a call that was ringing
// then, the parties are asked whether they are still there, spread over as long again.
const auditDelay = time.Minute

// audit asks the parties of a call that an earlier process left. They may have hung up
// while nobody listened, or just before that process died; without a question such a
// call would last until its longest duration.
type audit struct {
	sip.Timer
	live *live
}

// inquiry is an OPTIONS to one party (RFC 3261 §11, in the dialog).
type inquiry struct{ party *party }

func (s *shard) auditLater(now time.Time, l *live) {
	a := &audit{live: l}
	a.Owner = a
	s.queue.Set(&a.Timer, now.Add(auditDelay+time.Duration(s.random.Int64N(int64(auditDelay)))))
}

// audit asks both parties; either's silence or 481 ends the call.
func (s *shard) audit(now time.Time, a *audit) {
	if a.live.call.State() != call.Talking {
		return
	}
	for _, p := range a.live.parties {
		r := p.dialog.Request("OPTIONS")
		peer := s.wayTo(&p.dialog, p.heard)
		r.Headers = []sip.Field{contact(peer), {Name: "Accept", Value: "application/sdp"}, {Name: "User-Agent", Value: sip.UserAgent}}
		s.layer.Send(now, r, peer, &inquiry{p})
	}
}

// inquired takes a party's answer; 408 if there was none.
func (s *shard) inquired(now time.Time, q *inquiry, code int) {
	p := q.party
	if (code == 481 || code == 408) && p.live.parties[p.side] == p {
		s.step(now, p.live, call.Unheard{From: p.side})
	}
}
