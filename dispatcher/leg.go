package dispatcher

import (
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/locate"
	"dialyard/dispatcher/sip"
)

// patience is how long an address may stay silent while there is another to try.
// RFC 3263 §4.3 would wait for Timer B, 32 s, which is longer than callers do.
const patience = 4 * time.Second

// leg is an outgoing attempt in a shard: what its pure call.Leg stands on. A leg
// may try several addresses, of several gateways' URIs; the Call sees one attempt.
//
//	dial ─▶ routes (route.go) ─▶ next ─▶ located? ─▶ send ─▶ answers
//	                              ▲                            │
//	                              └─ silent, 503, "next" code ─┘
type leg struct {
	sip.Timer // patience with the present address
	live      *live
	index     int
	gateway   *gateway.Gateway // entered; nil for none

	routes  []route // still to be tried
	hops    []locate.Hop
	request *sip.Request
	client  *sip.Client
	dialog  sip.Dialog   // once it was answered
	answer  *sip.Message // of a transfer's leg: its 2xx, until that is passed on
	acked   bool         // of a transfer's leg: its 2xx is acknowledged
	asked   [2]bool      // a challenge was answered, of 401 and of 407
	spoke   bool         // it has answered provisionally
	gaveUp  bool
	reason  string // of the CANCEL
	over    bool   // the Call knows its end
}

// dial begins a leg.
func (s *shard) dial(now time.Time, l *live, e call.Invite) {
	index := e.Leg
	g := &leg{live: l, index: index}
	g.Owner = g
	for len(l.legs) <= index {
		l.legs = append(l.legs, nil)
	}
	l.legs[index] = g
	s.Stats.Legs.Add(1)
	if code, why := s.plot(now, g); code != 0 {
		s.fail(g, code, why)
		return
	}
	if e.Bare {
		g.request = s.newTransferInvite(g, l.parties[e.As])
	} else if g.request = s.newInvite(g); g.request.Hops < 0 {
		s.fail(g, 483, "")
		return
	}
	s.next(now, g, 480, "no address")
}

// fail tells the Call that a leg has ended without an answer.
func (s *shard) fail(g *leg, code int, reason string) {
	s.finish(g, call.Failed{Leg: g.index, Code: code, Reason: reason, Unsent: g.client == nil})
}

// finish tells the Call the end of a leg, once.
func (s *shard) finish(g *leg, ev call.Event) {
	if g.over {
		return
	}
	g.live.events = append(g.live.events, ev)
	s.endLeg(g)
}

// endLeg lets go of what a leg holds.
func (s *shard) endLeg(g *leg) {
	if g == nil || g.over {
		return
	}
	g.over = true
	g.live.legs[g.index] = nil
	s.queue.Set(&g.Timer, time.Time{})
	if g.client != nil {
		s.layer.Abort(g.client)
	}
	if g.gateway != nil {
		g.gateway.Leave()
	}
}

// next tries the next address; when there is none left, the leg has failed with
// what is said of the last.
func (s *shard) next(now time.Time, g *leg, code int, reason string) {
	for !g.gaveUp {
		if len(g.hops) > 0 {
			hop := g.hops[0]
			g.hops = g.hops[1:]
			if code, reason = s.send(now, g, hop); code == 0 {
				return
			}
			continue
		}
		if len(g.routes) == 0 {
			break
		}
		r := g.routes[0]
		g.routes = g.routes[1:]
		g.request.URI, g.request.To = r.uri, "<"+r.uri+">"
		hops, ok := s.hops(r.target)
		if !ok {
			if s.lookUp(r.target, func(now time.Time, hops []locate.Hop) { s.located(now, g, hops) }) {
				return
			}
		}
		g.hops = hops
	}
	s.fail(g, code, reason)
}

// located takes what the resolver found.
func (s *shard) located(now time.Time, g *leg, hops []locate.Hop) {
	if g.over {
		return
	}
	g.hops = hops
	s.next(now, g, 480, "no address")
	s.resume(now, g.live)
}

// send sends the INVITE to one address, unless no leg may go there.
func (s *shard) send(now time.Time, g *leg, hop locate.Hop) (code int, reason string) {
	switch {
	case s.table.Load().forbids(hop.Addr.Addr()):
		return 403, "address not allowed"
	case s.IsLocal(hop.Addr):
		return 482, "leads back here"
	}
	peer, err := s.Route(hop.Transport, hop.Addr)
	if err != nil {
		return 503, "no way there"
	}
	if g.client != nil { // an address was tried before
		r := *g.request
		r.Seq++
		r.Headers = withoutField(withoutField(r.Headers, "Authorization"), "Proxy-Authorization")
		g.request, g.asked = &r, [2]bool{}
	}
	g.request.Headers = withContact(g.request.Headers, peer)
	g.spoke = false
	g.client = s.layer.Send(now, g.request, peer, g)
	s.beImpatient(now, g)
	g.live.events = append(g.live.events, call.Sent{Leg: g.index, CallID: g.request.CallID, Address: peer.String()})
	return 0, ""
}

// beImpatient waits no longer than need be for an address, if there is another.
func (s *shard) beImpatient(now time.Time, g *leg) {
	if len(g.hops)+len(g.routes) > 0 {
		s.queue.Set(&g.Timer, now.Add(patience))
	}
}

// impatient gives up on an address that has not said a word.
func (s *shard) impatient(now time.Time, g *leg) {
	if g.over || g.spoke || g.gaveUp {
		return
	}
	s.layer.Abort(g.client)
	s.layer.Cancel(now, g.client, "")
	g.live.forsake(&legMemo{*g.request, g.client.Branch(), remember(g.client.Peer())})
	s.next(now, g, 408, "no answer")
	s.resume(now, g.live)
}

// maxForsaken is how many addresses that were given up a call remembers.
const maxForsaken = 8

// forsake remembers an INVITE to an address that was given up: should it ring there
// after all, even a later process is to cancel it.
func (l *live) forsake(m *legMemo) {
	if l.forsaken = append(l.forsaken, m); len(l.forsaken) > maxForsaken {
		l.forsaken = l.forsaken[1:]
	}
}

// cancelLeg gives a leg up; its end is told when it has come.
func (s *shard) cancelLeg(now time.Time, g *leg, reason string) {
	g.gaveUp, g.reason, g.routes, g.hops = true, reason, nil, nil
	if g.client == nil { // still looking for its address
		s.fail(g, 487, "")
		return
	}
	s.layer.Cancel(now, g.client, reason)
}

// legAnswered takes a response to a leg's INVITE.
func (s *shard) legAnswered(now time.Time, g *leg, m *sip.Message) {
	g.spoke = true
	s.queue.Set(&g.Timer, time.Time{})
	switch {
	case m.Status == 100:
		return
	case m.Status < 200:
		g.live.events = append(g.live.events, call.Progress{
			Leg: g.index, Code: m.Status, Reason: m.Reason, Headers: s.passed(m, g.client.Peer()), Body: m.Body,
		})
	case m.Status < 300:
		g.dialog = sip.Established(g.request, m)
		if g.live.invite == nil {
			g.answer = m
		}
		if g.gateway != nil {
			g.gateway.Ended(m.Status)
		}
		g.live.events = append(g.live.events, call.Answered{
			Leg: g.index, Code: m.Status, Reason: m.Reason, Headers: s.passed(m, g.client.Peer()), Body: m.Body,
		})
	default:
		s.legFailed(now, g, m)
	}
	s.resume(now, g.live)
}

// legFailed answers a challenge, or goes on to the next address, or ends the leg.
func (s *shard) legFailed(now time.Time, g *leg, m *sip.Message) {
	if g.gateway != nil {
		if s.authorize(now, g, m) {
			return
		}
		g.gateway.Ended(m.Status)
	}
	if !g.gaveUp && len(g.hops)+len(g.routes) > 0 && g.meansNext(m.Status) {
		s.next(now, g, m.Status, m.Reason)
		return
	}
	s.finish(g, call.Failed{Leg: g.index, Code: m.Status, Reason: m.Reason, Headers: s.passed(m, g.client.Peer()), Contacts: sip.ContactsOf(m)})
}

// meansNext reports whether a failure is the address's and not the callee's.
func (g *leg) meansNext(code int) bool {
	if g.gateway != nil {
		return g.gateway.Next(code)
	}
	return code == 503 || code == 408 // RFC 3263 §4.3
}

// authorize sends the INVITE again with the gateway's credentials, once and once
// more if the nonce was stale (RFC 3261 §22.2).
func (s *shard) authorize(now time.Time, g *leg, m *sip.Message) bool {
	if g.gaveUp {
		return false
	}
	asked := &g.asked[m.Status&1] // 401 or 407: two may want to know
	field, ok := credentials(g.gateway, g.request, m, *asked)
	if !ok {
		return false
	}
	*asked = true
	r := *g.request
	r.Seq++
	r.Headers = withField(r.Headers, field)
	g.request = &r
	g.client = s.layer.Send(now, g.request, g.client.Peer(), g)
	g.spoke = false
	s.beImpatient(now, g)
	s.save(now, g.live)
	return true
}

// legSilent is for an INVITE that was never answered.
func (s *shard) legSilent(now time.Time, g *leg) {
	if g.gateway != nil {
		g.gateway.Ended(408)
	}
	s.next(now, g, 408, "no answer")
	s.resume(now, g.live)
}

// drop acknowledges a 2xx that came too late and hangs up (RFC 3261 §16.7, §15).
func (s *shard) drop(now time.Time, g *leg) {
	peer := s.wayTo(&g.dialog, g.client.Peer())
	if !g.acked {
		s.layer.SendAck(g.dialog.Ack(g.request.Seq), peer, g.client)
	}
	s.layer.Send(now, g.dialog.Request("BYE"), peer, nil)
	s.endLeg(g)
}

// stray does the same for a 2xx that belongs to nobody: from another party behind a
// proxy that forked, or of a leg that was given up for lost. What it takes stands in
// the answer, and goes back to where that came from and nowhere else. client repeats
// the ACK; it is nil if another party's 2xx is what it waits for.
func (s *shard) stray(now time.Time, m *sip.Message, peer sip.Peer, client *sip.Client) {
	from := m.Get(sip.From)
	to, err := sip.ParseAddress(m.Get(sip.To))
	if _, own := sip.Owner(sip.Tag(from)); !own || m.ToTag() == "" || err != nil {
		return
	}
	if p := s.dialogs[sip.Tag(from)]; p != nil && p.dialog.RemoteTag == m.ToTag() {
		// The answer to a re-INVITE of an earlier process: the dialog goes on.
		s.layer.SendAck(p.dialog.Ack(m.Seq), peer, client)
		return
	}
	s.Stats.Strays.Add(1)
	d := sip.Established(&sip.Request{URI: to.URI.Text, From: from, CallID: m.Get(sip.CallID), Seq: m.Seq}, m)
	s.layer.SendAck(d.Ack(m.Seq), peer, client)
	s.layer.Send(now, d.Request("BYE"), peer, nil)
}
