package dispatcher

import (
	"strconv"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// exchange is a request within a call on its way from one party to the other.
type exchange struct {
	live    *live
	id      uint32
	from    call.Side
	server  *sip.Server
	method  string
	offer   bool
	seq     uint32       // as it was asked
	hops    int          // that are left
	client  *sip.Client  // once it is passed
	sent    *sip.Request // likewise
	answer  *sip.Message // the last; nil for a silent party
	asker   *sip.Message // the request, until it is answered
	asked   bool         // a challenge was answered
	referTo string       // of a REFER, in words that the other party understands; empty for as it is
}

// ask takes a party's request to the Call, which passes or refuses it.
func (s *shard) ask(now time.Time, p *party, server *sip.Server) {
	m, l := server.Request(), p.live
	x := &exchange{live: l, from: p.side, server: server, asker: m, method: m.Method, seq: m.Seq, hops: sip.MaxHops}
	x.offer = m.Method == "INVITE" || m.Method == "UPDATE"
	if n, err := strconv.Atoi(m.Get(sip.MaxForwards)); err == nil {
		x.hops = n - 1
	}
	if x.hops < 0 {
		s.layer.Respond(now, server, &sip.Reply{Status: 483})
		return
	}
	if m.Method == "INVITE" {
		s.layer.Respond(now, server, &sip.Reply{Status: 100})
	}
	l.lastID++
	x.id = l.lastID
	server.User = x
	l.exchanges = append(l.exchanges, x)
	if m.Method == "REFER" {
		s.askRefer(now, x)
		return
	}
	s.step(now, l, call.Asked{ID: x.id, From: x.from, Method: m.Method, Offer: x.offer})
}

// performTalking carries out the effects of an answered call.
func (s *shard) performTalking(now time.Time, l *live, e call.Effect) {
	switch e := e.(type) {
	case call.Pass:
		s.pass(now, l.exchange(e.ID))
	case call.Return:
		s.giveBack(now, l.exchange(e.ID))
	case call.Refuse:
		s.refuse(now, l.exchange(e.ID), e.Code)
	case call.HangUp:
		s.hangUp(now, l, e)
	default:
		s.performTransfer(now, l, e)
	}
}

func (l *live) exchange(id uint32) *exchange {
	for _, x := range l.exchanges {
		if x.id == id {
			return x
		}
	}
	return nil
}

// pass sends a request on to the other party, in that party's dialog. One that has not
// acknowledged its 2xx may not have seen it, and would know of no dialog: the request
// waits for the ACK.
func (s *shard) pass(now time.Time, x *exchange) {
	to := x.live.parties[x.from.Other()]
	if to.invite != nil {
		to.later = append(to.later, func(now time.Time) {
			if x.live.exchange(x.id) == x {
				s.pass(now, x)
			}
		})
		return
	}
	x.sent = to.dialog.Request(x.method)
	x.sent.Hops, x.sent.Body = x.hops, x.asker.Body
	peer := s.wayTo(&to.dialog, to.heard)
	x.sent.Headers = append(sipFields(s.passed(x.asker, x.server.Peer())), contact(peer), sip.Field{Name: "User-Agent", Value: sip.UserAgent})
	if x.referTo != "" {
		x.sent.Headers = withField(withoutField(x.sent.Headers, "r"), sip.Field{Name: "Refer-To", Value: x.referTo})
	}
	x.client = s.layer.Send(now, x.sent, peer, x)
}

// replied takes an answer to a passed request.
func (s *shard) replied(now time.Time, x *exchange, m *sip.Message) {
	if m.Status == 100 || s.answerChallenge(now, x, m) {
		return
	}
	x.answer = m
	s.step(now, x.live, call.Replied{ID: x.id, Code: m.Status})
}

// answerChallenge sends a request again to a gateway that wants credentials.
func (s *shard) answerChallenge(now time.Time, x *exchange, m *sip.Message) bool {
	to := x.live.parties[x.from.Other()]
	field, ok := credentials(to.gateway, x.sent, m, x.asked)
	if !ok {
		return false
	}
	again := to.dialog.Request(x.method)
	again.Hops, again.Body, again.Headers = x.sent.Hops, x.sent.Body, withField(x.sent.Headers, field)
	x.asked, x.sent = true, again
	x.client = s.layer.Send(now, again, x.client.Peer(), x)
	return true
}

// unanswered is for a passed request that the other party never answered.
func (s *shard) unanswered(now time.Time, x *exchange) {
	x.answer = nil
	s.step(now, x.live, call.Replied{ID: x.id, Code: 408})
}

// giveBack returns the other party's answer to the one that asked. A change of the
// session that was accepted may have moved both (RFC 3261 §12.2).
func (s *shard) giveBack(now time.Time, x *exchange) {
	reply := sip.Reply{Status: 408}
	if m := x.answer; m != nil {
		reply = sip.Reply{Status: m.Status, Reason: m.Reason, Headers: sipFields(s.passed(m, x.client.Peer())), Body: m.Body}
		if m.Status < 300 {
			reply.Headers = append(reply.Headers, contact(x.server.Peer()))
		}
	}
	reply.Tag = x.live.parties[x.from].dialog.LocalTag
	if reply.Status >= 200 && reply.Status < 300 && x.offer {
		s.accepted(now, x)
	}
	s.layer.Respond(now, x.server, &reply)
	if reply.Status >= 200 {
		s.settled(x)
	}
}

// accepted moves the dialogs to where the parties now are, and settles who sends
// which ACK.
func (s *shard) accepted(now time.Time, x *exchange) {
	asker, other := x.live.parties[x.from], x.live.parties[x.from.Other()]
	if moved, too := asker.dialog.Refresh(x.asker), other.dialog.Refresh(x.answer); moved || too {
		s.save(now, x.live)
	}
	if x.method != "INVITE" {
		return
	}
	asker.invite, asker.seq = x.server, x.seq
	x.server.User = asker
	if x.asker.Body == "" {
		asker.awaits, asker.awaitsSeq = x.client, x.sent.Seq
		return
	}
	s.acknowledge(other, x.client, x.sent.Seq, sip.Packet{})
}

// refuse answers a request itself. One that is under way is given up.
func (s *shard) refuse(now time.Time, x *exchange, code int) {
	reply := sip.Reply{Status: code}
	if code == 500 {
		reply.Headers = []sip.Field{s.retryAfter()}
	}
	s.layer.Respond(now, x.server, &reply)
	if x.client != nil {
		s.layer.Abort(x.client)
		if x.method == "INVITE" {
			s.layer.Cancel(now, x.client, "")
		}
	}
	x.server.User = nil
	s.settled(x)
}

// withdraw is for a party that cancels its re-INVITE: the other one answers it.
func (s *shard) withdraw(now time.Time, x *exchange) {
	if x.client != nil {
		s.layer.Cancel(now, x.client, "")
	}
}

// settled forgets an exchange that has its answer.
func (s *shard) settled(x *exchange) {
	l := x.live
	for i := range l.exchanges {
		if l.exchanges[i] == x {
			l.exchanges = append(l.exchanges[:i], l.exchanges[i+1:]...)
			break
		}
	}
	if len(l.exchanges) == 0 {
		l.exchanges = nil
	}
	if x.server.User == any(x) {
		x.server.User = nil
	}
	if x.client != nil {
		x.client.User = nil
	}
}
