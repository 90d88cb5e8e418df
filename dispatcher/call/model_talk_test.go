package call

import (
	"pgregory.net/rapid"
)

// talkModel is what the parties of an answered call have seen.
type talkModel struct {
	asks   map[uint32]*ask
	lastID uint32
	hungUp [2]bool
	left   [2]bool // said BYE
	ender  string  // who ended the conversation
}

// ask is a request within the call, until it has its final answer.
type ask struct {
	from    Side
	offer   bool
	passed  bool
	settled int // final answers
}

// partySays is anything a party may want of an answered call, also when it is over or
// not yet answered.
func (m *callModel) partySays(t *rapid.T) {
	side := Side(rapid.IntRange(0, 1).Draw(t, "side"))
	if m.connected < 0 || m.left[side] {
		return
	}
	switch rapid.SampledFrom([]string{"ask", "ask", "reply", "reply", "bye", "unheard"}).Draw(t, "says") {
	case "ask":
		method := rapid.SampledFrom([]string{"INVITE", "UPDATE", "INFO", "REFER", "PRACK"}).Draw(t, "method")
		m.lastID++
		if m.call.State() == Talking {
			m.asks[m.lastID] = &ask{from: side, offer: method == "INVITE" || method == "UPDATE"}
		}
		m.step(t, Asked{ID: m.lastID, From: side, Method: method, Offer: method == "INVITE" || method == "UPDATE"})
	case "reply":
		m.reply(t)
	case "bye":
		m.bye(t, side)
	case "unheard":
		m.ended("system")
		m.step(t, Unheard{From: side})
	}
}

func (m *callModel) bye(t *rapid.T, side Side) {
	m.ended(side.String())
	m.left[side] = true
	m.step(t, Bye{From: side})
}

// reply answers any request there ever was, most of them for the first time.
func (m *callModel) reply(t *rapid.T) {
	if m.lastID == 0 {
		return
	}
	id := rapid.Uint32Range(1, m.lastID).Draw(t, "id")
	code := rapid.SampledFrom([]int{100, 180, 200, 408, 481, 488}).Draw(t, "status")
	if x := m.asks[id]; x != nil && x.passed && x.settled == 0 && (code == 481 || code == 408 && x.offer) {
		m.ended(x.from.Other().String())
	}
	m.step(t, Replied{ID: id, Code: code})
}

// ended notes who ended the conversation; the first counts.
func (m *callModel) ended(by string) {
	if m.call.State() == Talking && m.ender == "" {
		m.ender = by
	}
}

// talkEffect checks what is wanted of the parties.
func (m *callModel) talkEffect(t *rapid.T, cause Event, e Effect) {
	if m.connected < 0 {
		t.Fatalf("%s and nobody is connected", effectText(e))
	}
	switch e := e.(type) {
	case Pass:
		if x := m.open(t, e.ID, e); x.passed || x.offer && m.offerPending() {
			t.Fatalf("%s: %+v", effectText(e), x)
		} else {
			x.passed = true
		}
	case Return:
		r, ok := cause.(Replied)
		if x := m.open(t, e.ID, e); !ok || r.ID != e.ID || !x.passed {
			t.Fatalf("%s for %+v", effectText(e), cause)
		} else if r.Code >= 200 {
			x.settled++
		}
	case Refuse:
		m.open(t, e.ID, e).settled++
	case HangUp:
		if m.hungUp[e.Side] || m.left[e.Side] {
			t.Fatalf("%s: it has left", effectText(e))
		}
		m.hungUp[e.Side] = true
		if m.ended("system"); m.ender == "" {
			m.ender = "system"
		}
	}
}

// open is a request that has no final answer yet.
func (m *callModel) open(t *rapid.T, id uint32, e Effect) *ask {
	x := m.asks[id]
	if x == nil || x.settled > 0 {
		t.Fatalf("%s: %+v", effectText(e), x)
	}
	return x
}

// offerPending reports whether a change of the session waits for its answer.
func (m *callModel) offerPending() bool {
	for _, x := range m.asks {
		if x.passed && x.offer && x.settled == 0 {
			return true
		}
	}
	return false
}

// checkAsks sees that every request has had its answer and each party its end.
func (m *callModel) checkAsks(t *rapid.T) {
	for id, x := range m.asks {
		if x.settled != 1 {
			t.Fatalf("request %d: %+v", id, x)
		}
	}
	for side := range 2 {
		if m.connected >= 0 && !m.hungUp[side] && !m.left[side] {
			t.Fatalf("the %v was left hanging", Side(side))
		}
	}
}
