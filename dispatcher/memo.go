package dispatcher

import (
	"encoding/json"
	"net/netip"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/sip"
)

// memo is a call as the store keeps it: what the Call knows and what it stood on.
type memo struct {
	Call    call.Memo
	Account string
	Claims  []string    `json:",omitempty"` // places of named limits that it holds
	Parties []partyMemo `json:",omitempty"` // once answered: caller, callee

	// Before: the caller's INVITE and the legs'.
	Invite string   `json:",omitempty"`
	Source peerMemo `json:",omitzero"`
	Tag    string   `json:",omitempty"`
	Faces  []string `json:",omitempty"`

	Refusal *answerMemo `json:",omitempty"` // the final answer, which the caller may not have heard

	Legs     []*legMemo `json:",omitempty"` // null for one that was not sent, or is over
	Forsaken []*legMemo `json:",omitempty"` // sent to addresses that were given up
}

type peerMemo struct {
	Transport string
	Addr      netip.AddrPort
}

type partyMemo struct {
	Dialog  sip.Dialog
	Heard   peerMemo
	Bye     bool        `json:",omitempty"` // is to be sent, when it has acknowledged
	Gateway string      `json:",omitempty"` // that it is behind
	Answer  *answerMemo `json:",omitempty"` // the 2xx that it has not acknowledged
	Awaits  *awaitMemo  `json:",omitempty"` // and the other party's, if that waits for the same ACK
}

// answerMemo is a final answer and the INVITE it answers.
type answerMemo struct {
	Invite string
	Source peerMemo
	Tag    string
	Reply  sip.Reply
}

// awaitMemo is a leg's INVITE whose 2xx is still to be acknowledged.
type awaitMemo struct {
	Branch string
	Peer   peerMemo
	Seq    uint32
}

type legMemo struct {
	Request sip.Request
	Branch  string
	Peer    peerMemo
}

// memo notes down a call.
func (s *shard) memo(l *live) *memo {
	m := &memo{Call: l.call.Memo(), Account: l.call.Account, Refusal: l.refusal}
	if l.claims {
		m.Claims = s.Claims.Held(l.call.Account, l.call.ID)
	}
	switch l.call.State() {
	case call.Talking, call.Closing:
		for _, p := range l.parties {
			if p == nil {
				break
			}
			pm := partyMemo{Dialog: p.dialog, Heard: remember(p.heard), Answer: p.answer}
			if c := p.awaits; c != nil && p.answer != nil {
				pm.Awaits = &awaitMemo{c.Branch(), remember(c.Peer()), p.awaitsSeq}
			}
			if p.gateway != nil {
				pm.Gateway = p.gateway.Config().Name
			}
			pm.Bye = p.bye != nil
			m.Parties = append(m.Parties, pm)
		}
	case call.Running, call.Dialling:
		m.Invite, m.Source, m.Tag, m.Faces = l.invite.Text(), remember(l.server.Peer()), l.server.Tag(), l.faces
	}
	for _, g := range l.legs {
		var leg *legMemo
		if g != nil && g.client != nil && !g.over {
			leg = &legMemo{*g.request, g.client.Branch(), remember(g.client.Peer())}
		}
		m.Legs = append(m.Legs, leg)
	}
	m.Forsaken = l.forsaken
	return m
}

func remember(p sip.Peer) peerMemo { return peerMemo{p.Transport, p.Addr} }

// Restore takes back a call that an earlier process left, after Serve. What it
// cannot read it reports.
func (d *Dispatcher) Restore(id string, state []byte) error {
	m := &memo{}
	if err := json.Unmarshal(state, m); err != nil {
		return err
	}
	shard, _ := sip.Owner(id)
	s := d.shards[int(shard)%len(d.shards)]
	s.insist(event{task: func(now time.Time) { s.restore(now, m) }})
	return nil
}

// restore goes on with a call where the earlier process left off.
func (s *shard) restore(now time.Time, m *memo) {
	table := s.table.Load()
	account := table.Accounts[m.Account]
	m.Call.Anchor(now)
	l := &live{call: call.Restore(m.Call, s.policyOf(account)), stored: stored{saved: true, adopted: true}}
	l.Owner = l
	s.current = l
	if account.enterCall() {
		l.account = account
	}
	if l.claims = len(m.Claims) > 0 && s.Claims != nil; l.claims {
		s.Claims.Restore(l.call.Account, l.call.ID, m.Claims)
	}
	s.Stats.Restored.Add(1)
	if !s.back(now, l, m) {
		s.Log.Error("call of an earlier process unreadable", "call_id", l.call.CallID)
		l.account.leave()
		if l.claims {
			s.Claims.Release(l.call.Account, l.call.ID)
		}
		s.Keep.Delete(l.call.ID, nil)
		return
	}
	s.cancelForsaken(now, l, m)
	s.restoreLegs(now, l, m)
	s.step(now, l, call.Tick{})
}

// back takes up what a call stood on.
func (s *shard) back(now time.Time, l *live, m *memo) bool {
	switch m.Call.State {
	case call.Dialling:
		return s.restoreDial(l, m)
	case call.Talking:
		return s.restoreTalk(now, l, m)
	}
	s.refuseAgain(now, m.Refusal)
	return m.Call.State == call.Closing && (len(m.Parties) == 0 || s.restoreTalk(now, l, m))
}

// refuseAgain repeats a final answer to a caller who may not have heard it. One that
// has acknowledges it once more, or is silent.
func (s *shard) refuseAgain(now time.Time, a *answerMemo) {
	if a == nil {
		return
	}
	if invite, refusal := sip.Scan([]byte(a.Invite)); refusal == nil {
		server := s.layer.Resume(sip.Packet{Message: invite, Peer: s.recall(a.Source)}, a.Tag)
		s.layer.Respond(now, server, &a.Reply)
	}
}

func (s *shard) restoreTalk(now time.Time, l *live, m *memo) bool {
	if len(m.Parties) != len(l.parties) {
		return false
	}
	for i, pm := range m.Parties {
		p := &party{live: l, side: call.Side(i), dialog: pm.Dialog, heard: s.recall(pm.Heard)}
		p.dialog.LocalSeq += seqGap
		p.gateway = s.table.Load().Gateways[GatewayName{m.Account, pm.Gateway}]
		p.entered = p.gateway != nil && p.gateway.Enter(now) == gateway.Entered
		l.parties[i] = p
		s.dialogs[p.dialog.LocalTag] = p
		s.answerAgain(now, p, &pm)
		if pm.Bye {
			p.bye = p.dialog.Request("BYE")
			if p.invite == nil {
				s.sendBye(now, p)
			}
		}
	}
	s.talking++
	s.save(now, l) // with CSeqs that the next process can count from
	s.auditLater(now, l)
	return true
}

// answerAgain repeats a 2xx that was not acknowledged, from now on until it is.
func (s *shard) answerAgain(now time.Time, p *party, pm *partyMemo) {
	if pm.Answer == nil {
		return
	}
	invite, refusal := sip.Scan([]byte(pm.Answer.Invite))
	if refusal != nil {
		return
	}
	p.answer = pm.Answer
	p.invite = s.layer.Resume(sip.Packet{Message: invite, Peer: s.recall(pm.Answer.Source)}, pm.Answer.Tag)
	p.invite.User, p.seq = p, invite.Seq
	if a := pm.Awaits; a != nil {
		p.awaits, p.awaitsSeq = s.layer.Reaccept(now, s.recall(a.Peer), a.Branch), a.Seq
	}
	s.layer.Respond(now, p.invite, &pm.Answer.Reply)
}

// seqGap is added to the CSeq of a dialog that is taken back: requests made after it
// was stored are not noted down one by one, and a gap is allowed (RFC 3261 §12.2.2).
const seqGap = 1000

// restoreDial opens the transaction of a caller who waits.
func (s *shard) restoreDial(l *live, m *memo) bool {
	invite, refusal := sip.Scan([]byte(m.Invite))
	if refusal != nil {
		return false
	}
	l.server = s.layer.Resume(sip.Packet{Message: invite, Peer: s.recall(m.Source)}, m.Tag)
	l.invite, l.faces = invite, m.Faces
	s.calls[l.server] = l
	return true
}

// cancelForsaken ends what may ring at addresses that were given up.
func (s *shard) cancelForsaken(now time.Time, l *live, m *memo) {
	l.forsaken = m.Forsaken
	for _, f := range m.Forsaken {
		s.layer.Cancel(now, s.layer.Rejoin(now, &f.Request, s.recall(f.Peer), nil, f.Branch), "")
	}
}

// restoreLegs opens the transactions of the legs that have no end yet. Those whose
// INVITE never left have failed.
func (s *shard) restoreLegs(now time.Time, l *live, m *memo) {
	for i := range l.call.Legs {
		g := &leg{live: l, index: i, over: true}
		g.Owner = g
		l.legs = append(l.legs, g)
		switch l.call.Legs[i].State() {
		case call.LegEnded, call.Waiting, call.Up:
			l.legs[i] = nil
			continue
		}
		if g.over = false; i >= len(m.Legs) || m.Legs[i] == nil {
			s.fail(g, 480, "interrupted")
			continue
		}
		lm := m.Legs[i]
		g.request, g.spoke = &lm.Request, true
		g.client = s.layer.Rejoin(now, g.request, s.recall(lm.Peer), g, lm.Branch)
		if l.call.Legs[i].State() == call.Quitting {
			s.cancelLeg(now, g, "")
		}
	}
}

// recall finds the way to a peer of an earlier process.
func (s *shard) recall(m peerMemo) sip.Peer {
	peer, err := s.Route(m.Transport, m.Addr)
	if err != nil {
		return sip.Peer{Transport: m.Transport, Addr: m.Addr}
	}
	return peer
}
