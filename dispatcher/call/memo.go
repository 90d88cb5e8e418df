package call

import (
	"reflect"
	"time"
)

// A Memo is what outlives the process of a call with legs: enough for another to go
// on with it. It is plain data.
type Memo struct {
	Record Record
	Legs   []LegMemo `json:",omitempty"`
	State  State     // Dialling, Talking or Closing; Dialling also for a script between two dials

	HangUp time.Time `json:",omitzero"` // Talking: when it has lasted too long

	// Of a dial.
	Groups [][]Target `json:",omitempty"` // still to be called
	Group  int        `json:",omitzero"`  // the first leg of the present one
	Within time.Time  `json:",omitzero"`  // when it has lasted too long
	Total  time.Time  `json:",omitzero"`  // and its script, if that still ran
	Media  int        `json:",omitzero"`  // the leg whose session description the caller has, counted from 1
	Face   int        `json:",omitzero"`  // and the To tag it knows that one by
}

// A LegMemo is a leg of a Memo.
type LegMemo struct {
	Target   Target `json:",omitzero"`
	Record   LegRecord
	State    LegState
	Deadline time.Time `json:",omitzero"`
	Depth    int       `json:",omitzero"`
	Followed bool      `json:",omitzero"`
}

// Memo notes down a call in Running, Dialling, Talking or Closing. What it shares with the call
// must be encoded before the next Step.
func (c *Call) Memo() Memo {
	m := Memo{
		Record: c.Record, State: c.state, HangUp: c.times.hangup,
		Groups: c.dial.groups, Group: c.dial.group, Within: c.times.dial, Total: c.times.total,
		Media: c.dial.media, Face: c.dial.face,
	}
	if c.state == Running { // what the script would have done next, nobody knows
		m.State = Dialling
	}
	for i := range c.Legs {
		l := &c.Legs[i]
		m.Legs = append(m.Legs, LegMemo{l.Target, l.LegRecord, l.state, l.deadline, l.depth, l.followed})
	}
	return m
}

// AppendJSON appends the memo as encoding/json would write it.
func (m *Memo) AppendJSON(b []byte) []byte {
	o := NewObject(b)
	o.Append("Record", m.Record.AppendJSON)
	if len(m.Legs) > 0 {
		o.List("Legs", len(m.Legs), func(b []byte, i int) []byte { return m.Legs[i].appendJSON(b) })
	}
	o.Number("State", int64(m.State))
	o.TimeIf("HangUp", m.HangUp)
	if len(m.Groups) > 0 {
		o.Value("Groups", m.Groups)
	}
	o.NumberIf("Group", int64(m.Group))
	o.TimeIf("Within", m.Within)
	o.TimeIf("Total", m.Total)
	o.NumberIf("Media", int64(m.Media))
	o.NumberIf("Face", int64(m.Face))
	return o.End()
}

func (l *LegMemo) appendJSON(b []byte) []byte {
	o := NewObject(b)
	if !reflect.ValueOf(&l.Target).Elem().IsZero() {
		o.Value("Target", &l.Target)
	}
	o.Append("Record", func(b []byte) []byte { return l.Record.appendJSON(b, time.Time{}) })
	o.Number("State", int64(l.State))
	o.TimeIf("Deadline", l.Deadline)
	o.NumberIf("Depth", int64(l.Depth))
	o.TrueIf("Followed", l.Followed)
	return o.End()
}

// Anchor makes the times of a Memo, which are of the wall clock, times of this process,
// which a clock that is set does not move.
func (m *Memo) Anchor(now time.Time) {
	anchor := func(at *time.Time) {
		if !at.IsZero() {
			*at = now.Add(at.Sub(now))
		}
	}
	for _, at := range []*time.Time{&m.Record.Start, &m.Record.Answer, &m.Record.End, &m.HangUp, &m.Within, &m.Total} {
		anchor(at)
	}
	for i := range m.Legs {
		l := &m.Legs[i]
		for _, at := range []*time.Time{&l.Deadline, &l.Record.Start, &l.Record.Rang, &l.Record.Answer, &l.Record.End} {
			anchor(at)
		}
	}
}

// Restore makes the call of a Memo: its script is gone, its dial goes on by itself,
// its conversation as if nothing had happened. The shell owes it a Tick at once, and
// Failed for each leg that it cannot follow any more.
func Restore(m Memo, policy *Policy) *Call {
	c := &Call{Record: m.Record, policy: policy, state: m.State, noticed: true}
	c.times = times{hangup: m.HangUp, dial: m.Within, total: m.Total}
	c.dial = dial{groups: m.Groups, group: m.Group, began: m.Record.Start, media: m.Media, face: m.Face}
	for _, l := range m.Legs {
		c.Legs = append(c.Legs, Leg{
			Target: l.Target, LegRecord: l.Record, state: l.State, deadline: l.Deadline, depth: l.Depth, followed: l.Followed,
		})
	}
	if c.state == Talking { // a transfer under way is given up
		for i := range c.Legs {
			if l := &c.Legs[i]; l.trying() {
				l.state, l.deadline = Quitting, time.Time{}
			}
		}
	}
	return c
}
