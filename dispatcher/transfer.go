package dispatcher

import (
	"strconv"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// swap is the offer of a transfer's new party on its way to the party that stays.
type swap struct {
	leg   *leg
	stays *party
	sent  *sip.Request
	asked bool // a challenge was answered
	over  bool
}

// performTransfer carries out the effects of a transfer.
func (s *shard) performTransfer(now time.Time, l *live, e call.Effect) {
	switch e := e.(type) {
	case call.Accept:
		s.accept(now, l.exchange(e.ID))
	case call.Notify:
		s.notify(now, l.parties[e.Side], e.Code)
	case call.Swap:
		s.swap(now, l.legs[e.Leg], l.parties[e.Stays])
	case call.Replace:
		s.replace(now, l, l.legs[e.Leg], e.Side)
	case call.Leave:
		s.leave(l.parties[e.Side])
	}
}

// accept answers a REFER whose outcome is told by NOTIFY (RFC 3515 §2.4.2).
func (s *shard) accept(now time.Time, x *exchange) {
	p := x.live.parties[x.from]
	if p.event = "refer"; p.refers > 0 { // the first has no id (RFC 3515 §2.4.6)
		p.event += ";id=" + strconv.Itoa(int(x.seq))
	}
	p.refers++
	s.layer.Respond(now, x.server, &sip.Reply{Status: 202, Headers: []sip.Field{contact(x.server.Peer())}})
	s.settled(x)
}

// notify tells what has become of a REFER.
func (s *shard) notify(now time.Time, p *party, code int) {
	r := p.dialog.Request("NOTIFY")
	peer := s.wayTo(&p.dialog, p.heard)
	state := "active;expires=180"
	if code >= 200 {
		state = "terminated;reason=noresource"
	}
	r.Headers = []sip.Field{
		{Name: "Event", Value: p.event}, {Name: "Subscription-State", Value: state},
		{Name: "Content-Type", Value: "message/sipfrag;version=2.0"}, contact(peer),
	}
	r.Body = "SIP/2.0 " + strconv.Itoa(code) + " " + sip.Phrase(code) + "\r\n"
	s.layer.Send(now, r, peer, nil)
}

// newTransferInvite makes the INVITE to the new party of a transfer: in the name of the
// party that stays, and without an offer, as the new party's is needed first.
func (s *shard) newTransferInvite(g *leg, stays *party) *sip.Request {
	address, _ := sip.ParseAddress(stays.dialog.Remote)
	r := &sip.Request{
		Method: "INVITE", CallID: s.layer.NewTag() + s.layer.NewTag(), Seq: 1, Hops: sip.MaxHops,
		From: fromOf(address, g.live.call.Legs[g.index].From, g.gateway) + ";tag=" + s.layer.NewTag(),
	}
	r.Headers = append(identity(address, g.gateway), sip.Field{Name: "Allow", Value: sip.Allow}, sip.Field{Name: "User-Agent", Value: sip.UserAgent})
	for _, f := range g.live.call.Legs[g.index].Headers {
		r.Headers = withField(r.Headers, sip.Field(f))
	}
	return r
}

// swap offers the new party's session to the one that stays, when that has acknowledged
// the last change of its own.
func (s *shard) swap(now time.Time, g *leg, stays *party) {
	if stays.invite != nil {
		stays.later = append(stays.later, func(now time.Time) {
			if !g.over {
				s.swap(now, g, stays)
			}
		})
		return
	}
	w := &swap{leg: g, stays: stays}
	w.sent = stays.dialog.Request("INVITE")
	peer := s.wayTo(&stays.dialog, stays.heard)
	w.sent.Headers = append(sipFields(s.passed(g.answer, g.client.Peer())), contact(peer))
	w.sent.Body, g.answer = g.answer.Body, nil
	s.layer.Send(now, w.sent, peer, w)
}

// swapAnswered takes the answer of the party that stays to the new party; no answer
// at all is 408.
func (s *shard) swapAnswered(now time.Time, w *swap, c *sip.Client, m *sip.Message) {
	l, code := w.leg.live, 408
	if m != nil {
		code = m.Status
	}
	if code < 200 || w.over || m != nil && s.swapAgain(now, w, c, m) {
		return
	}
	w.over = true
	if code < 300 {
		w.stays.dialog.Refresh(m)
		s.acknowledge(w.stays, c, w.sent.Seq, sip.Packet{})
		if w.leg.over { // the parties have hung up meanwhile
			return
		}
		r := w.leg.dialog.Ack(w.leg.request.Seq)
		r.Headers, r.Body = sipFields(s.passed(m, c.Peer())), m.Body
		s.layer.SendAck(r, s.wayTo(&w.leg.dialog, w.leg.client.Peer()), w.leg.client)
		w.leg.acked = true
	}
	s.step(now, l, call.Swapped{Leg: w.leg.index, Code: code})
}

// swapAgain makes the offer again to a gateway that wants credentials.
func (s *shard) swapAgain(now time.Time, w *swap, c *sip.Client, m *sip.Message) bool {
	field, ok := credentials(w.stays.gateway, w.sent, m, w.asked)
	if !ok {
		return false
	}
	again := w.stays.dialog.Request("INVITE")
	again.Body, again.Headers = w.sent.Body, withField(w.sent.Headers, field)
	w.asked, w.sent = true, again
	s.layer.Send(now, again, c.Peer(), w)
	return true
}

// replace puts a leg in the place of a party, which is hung up.
func (s *shard) replace(now time.Time, l *live, g *leg, side call.Side) {
	old := l.parties[side]
	if !old.gone {
		old.bye = old.dialog.Request("BYE")
		s.sendBye(now, old)
	}
	if old.entered {
		old.gateway.Leave()
	}
	p := &party{live: l, side: side, heard: g.client.Peer(), dialog: g.dialog, gateway: g.gateway, entered: g.gateway != nil}
	l.parties[side], g.gateway = p, nil
	s.dialogs[p.dialog.LocalTag] = p
	s.endLeg(g)
}

// leave forgets the dialog of a party that has hung up.
func (s *shard) leave(p *party) {
	p.gone = true
	delete(s.dialogs, p.dialog.LocalTag)
}
