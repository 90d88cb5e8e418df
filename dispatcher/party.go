package dispatcher

import (
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/sip"
)

// party is one side of an answered call: its dialog, and the INVITE within it that
// waits for its ACK, if there is one.
type party struct {
	live   *live
	side   call.Side
	dialog sip.Dialog
	heard  sip.Peer // where it last spoke from
	// The gateway it is behind, nil for none; its place is given back when the call
	// is over.
	gateway *gateway.Gateway
	entered bool // it counts this call

	// Answered, its ACK to come.
	invite *sip.Server
	seq    uint32            // of that INVITE
	answer *answerMemo       // of the call's first INVITE: what it takes to answer it again
	later  []func(time.Time) // what is to be asked of it when it has acknowledged
	// The other party's 2xx that this one's ACK acknowledges, if that carries the
	// answer to an offer made in the 2xx (RFC 3264 §4).
	awaits    *sip.Client
	awaitsSeq uint32
	refers    uint32 // REFERs that it was promised NOTIFYs for
	event     string // and the Event of those for the last
	gone      bool   // it has hung up, but its transfer goes on
	// A BYE that must not be sent before the ACK (RFC 3261 §15).
	bye *sip.Request
}

// connect makes the caller and a leg the two parties of a call.
func (s *shard) connect(now time.Time, l *live, g *leg) {
	caller := &party{live: l, side: call.Caller, heard: l.server.Peer()}
	callee := &party{live: l, side: call.Callee, heard: g.client.Peer(), dialog: g.dialog, gateway: g.gateway, entered: g.gateway != nil}
	l.parties = [2]*party{caller, callee}
	s.dialogs[callee.dialog.LocalTag] = callee
	g.gateway = nil
	s.talking++
	if l.invite.Body == "" {
		caller.awaits, caller.awaitsSeq = g.client, g.request.Seq
	} else {
		l.owed = &owedAck{g.client, g.request.Seq}
	}
	s.endLeg(g)
}

// owedAck is the ACK of a leg's 2xx. It is sent when the caller's 2xx is: a callee that
// was not acknowledged repeats itself to another process, which hangs up if it has no
// such call.
type owedAck struct {
	client *sip.Client
	seq    uint32
}

// payAck sends the ACK that is owed to the callee.
func (s *shard) payAck(l *live) {
	if ack := l.owed; ack != nil {
		l.owed = nil
		s.acknowledge(l.parties[call.Callee], ack.client, ack.seq, sip.Packet{})
	}
}

// meet completes the caller's dialog when its 2xx is about to leave.
func (s *shard) meet(l *live, reply *sip.Reply) {
	tag := s.tagOf(l, reply)
	p := l.parties[call.Caller]
	p.dialog = sip.AnsweredBy(l.invite, tag)
	p.invite, p.seq = l.server, l.invite.Seq
	p.answer = &answerMemo{Invite: l.invite.Text(), Source: remember(l.server.Peer()), Tag: tag, Reply: *reply}
	l.server.User = p
	s.dialogs[tag] = p
}

// acknowledge sends the ACK for a party's 2xx, with the answer to its offer if it
// made one.
func (s *shard) acknowledge(p *party, client *sip.Client, seq uint32, ack sip.Packet) {
	r := p.dialog.Ack(seq)
	if ack.Message != nil {
		r.Headers, r.Body = sipFields(s.passed(ack.Message, ack.Peer)), ack.Body
	}
	s.layer.SendAck(r, s.wayTo(&p.dialog, p.heard), client)
}

// acked takes an ACK that belongs to a 2xx.
func (s *shard) acked(now time.Time, m *sip.Message, from sip.Peer) {
	p := s.dialogs[m.ToTag()]
	if p == nil || !p.dialog.Matches(m) || p.invite == nil || m.Seq != p.seq {
		return
	}
	p.heard = from
	s.layer.Ack(now, p.invite)
	p.invite.User, p.invite = nil, nil
	if p.answer != nil {
		p.answer = nil
		s.saveSoon(now, p.live) // it need not be answered again
	}
	if p.awaits != nil && p.live.parties[p.side.Other()] != nil {
		s.acknowledge(p.live.parties[p.side.Other()], p.awaits, p.awaitsSeq, sip.Packet{Message: m, Peer: from})
	}
	p.awaits = nil
	for _, ask := range p.later {
		ask(now)
	}
	p.later = nil
	if p.bye != nil {
		s.sendBye(now, p)
	}
}

// unacked is for a party that never acknowledged its 2xx.
func (s *shard) unacked(now time.Time, p *party) {
	p.invite = nil
	if p.bye != nil {
		s.sendBye(now, p)
		return
	}
	s.step(now, p.live, call.Unheard{From: p.side})
}

// within takes a request that names a dialog of ours, and reports whether there is
// such a dialog.
func (s *shard) within(now time.Time, server *sip.Server) bool {
	m := server.Request()
	p := s.dialogs[m.ToTag()]
	if p == nil {
		return s.withinEarly(now, server)
	}
	if !p.dialog.Matches(m) || p.bye != nil {
		return false
	}
	if m.Seq < p.dialog.RemoteSeq {
		s.layer.Respond(now, server, &sip.Reply{Status: 500, Headers: []sip.Field{s.retryAfter()}})
		return true
	}
	p.dialog.RemoteSeq, p.heard = m.Seq, server.Peer()
	if m.Method == "BYE" {
		s.bye(now, p, server)
		return true
	}
	s.ask(now, p, server)
	return true
}

// bye takes a party's BYE. It is answered when the record of the call is written, or
// the store knows that it has ended: were it answered before and this process killed,
// nobody would ever know.
func (s *shard) bye(now time.Time, p *party, server *sip.Server) {
	l := p.live
	if l.saved && s.Keep.Healthy() {
		l.farewell = server
	}
	s.step(now, l, call.Bye{From: p.side, Headers: s.byeHeaders(server.Request(), server.Peer())})
	if l.farewell != nil && (l.ended || l.dirty) {
		s.held = append(s.held, waiting{l, now.Add(holdTime)})
		if len(s.held) == 1 {
			s.queue.Set(&s.holdTimer, now.Add(holdTime))
		}
		return
	}
	l.farewell = nil
	s.layer.Respond(now, server, &sip.Reply{Status: 200})
}

// withinEarly takes a caller's BYE while it still rings, which is another way to give
// up (RFC 3261 §15). Nothing else is understood there.
func (s *shard) withinEarly(now time.Time, server *sip.Server) bool {
	m := server.Request()
	l := s.early[m.ToTag()]
	if l == nil || m.Method != "BYE" || m.Get(sip.CallID) != l.call.CallID || sip.Tag(m.Get(sip.From)) != sip.Tag(l.invite.Get(sip.From)) {
		return false
	}
	s.layer.Respond(now, server, &sip.Reply{Status: 200})
	s.step(now, l, call.Cancelled{})
	return true
}

// byeHeaders are what the other party is told of why its peer hung up.
func (s *shard) byeHeaders(m *sip.Message, from sip.Peer) (fields []call.Field) {
	for _, f := range s.passed(m, from) {
		if f.Name != "Content-Type" && f.Name != "c" {
			fields = append(fields, f)
		}
	}
	return fields
}

// hangUp sends BYE to a party, after its ACK.
func (s *shard) hangUp(now time.Time, l *live, e call.HangUp) {
	p := l.parties[e.Side]
	if p == nil || p.gone {
		return
	}
	if s.payAck(l); e.Side == call.Caller {
		s.letGo(now, l)
	} else if caller := l.parties[call.Caller]; caller != nil && caller.awaits != nil {
		// The caller's ACK would have carried the answer; there is none now.
		s.acknowledge(p, caller.awaits, caller.awaitsSeq, sip.Packet{})
		caller.awaits = nil
	}
	p.bye = p.dialog.Request("BYE")
	p.bye.Headers = append(sipFields(e.Headers), sip.Field{Name: "User-Agent", Value: sip.UserAgent})
	if p.invite == nil {
		s.sendBye(now, p)
	}
}

func (s *shard) sendBye(now time.Time, p *party) {
	delete(s.dialogs, p.dialog.LocalTag)
	peer := s.wayTo(&p.dialog, p.heard)
	var user any
	if p.gateway != nil {
		user = &farewell{p.dialog, p.bye, p.gateway, peer}
	}
	s.layer.Send(now, p.bye, peer, user)
}

// partBoth forgets the parties of a call that is over. One whose BYE waits for an
// ACK is known until that has come.
func (s *shard) partBoth(l *live) {
	if l.parties[call.Caller] == nil {
		return
	}
	s.talking--
	for _, p := range l.parties {
		if p.entered {
			p.gateway.Leave()
		}
		if p.bye != nil && p.invite != nil {
			continue
		}
		delete(s.dialogs, p.dialog.LocalTag)
		if p.invite != nil {
			p.invite.User = nil
		}
	}
	l.parties = [2]*party{}
}
