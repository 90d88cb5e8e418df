package dispatcher

import (
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// A REFER that asks for an attended transfer names a second call of the referring
// party's, by that party's dialog with this front (RFC 5589 §7). Nobody else knows
// that dialog: what is to be replaced is the one at the far end of the second call.
// It may live in another shard, which is asked.
//
//	askRefer ─▶ a second call of ours? ── no ──────────────────────▶ the Call is asked
//	              └─ yes: its shard ─▶ translate ─▶ referAnswered ─▶ likewise

// question asks a shard for the far end of a call, and carries the answer back.
type question struct {
	exchange *exchange
	from     *shard
	replaces sip.Replaces
	found    bool
	target   string       // URI of the far party
	far      sip.Replaces // its dialog, as it knows it
}

// askRefer finds out where a REFER leads before the Call is asked.
func (s *shard) askRefer(now time.Time, x *exchange) {
	value := x.asker.Find("Refer-To")
	if value == "" {
		value = x.asker.Find("r")
	}
	uri, replaces, err := sip.ReferTo(value)
	if err != nil || uri.Host == "" {
		s.refuse(now, x, 400)
		return
	}
	owner, ours := sip.Owner(replaces.ToTag)
	if !ours { // no second call, or none of ours
		s.step(now, x.live, call.Asked{ID: x.id, From: x.from, Method: x.method, Refer: referred(uri.Text, replaces)})
		return
	}
	q := &question{exchange: x, from: s, replaces: replaces}
	shard := s.shards[int(owner)%len(s.shards)]
	if shard == s {
		s.translate(q)
		s.referAnswered(now, q)
	} else if !shard.post(event{task: func(now time.Time) { shard.translateFor(q) }}) {
		s.refuse(now, x, 500)
	}
}

// translateFor answers another shard's question. If that has no room for the answer,
// the party asks again by its Timer E.
func (s *shard) translateFor(q *question) {
	s.translate(q)
	q.from.post(event{task: func(now time.Time) { q.from.referAnswered(now, q) }})
}

// translate finds the far end of the second call.
func (s *shard) translate(q *question) {
	p := s.dialogs[q.replaces.ToTag]
	if p == nil || p.dialog.CallID != q.replaces.CallID || p.dialog.RemoteTag != q.replaces.FromTag {
		return
	}
	other := p.live.parties[p.side.Other()]
	if other == nil {
		return // that call is over, and its BYE waits for an ACK
	}
	far := &other.dialog
	q.found, q.target = true, far.Target
	q.far = sip.Replaces{CallID: far.CallID, ToTag: far.RemoteTag, FromTag: far.LocalTag}
}

func (s *shard) referAnswered(now time.Time, q *question) {
	x := q.exchange
	if x.live.exchange(x.id) != x {
		return // the call is over
	}
	if !q.found {
		s.refuse(now, x, 404)
		return
	}
	x.referTo = q.far.ReferTo(q.target)
	s.step(now, x.live, call.Asked{ID: x.id, From: x.from, Method: x.method, Refer: referred(q.target, q.far)})
}

// referred is the new party of a transfer, and the call it is to give up for this one.
func referred(uri string, r sip.Replaces) call.Target {
	t := call.Target{URI: uri}
	if r != (sip.Replaces{}) {
		t.Headers = []call.Field{{Name: "Replaces", Value: r.String()}}
	}
	return t
}
