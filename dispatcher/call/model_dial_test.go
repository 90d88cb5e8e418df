package call

import (
	"time"

	"pgregory.net/rapid"
)

// dialModel is what the world knows of a call's legs.
type dialModel struct {
	legs      []legModel
	connected int  // the leg that talks, -1 for none
	told      bool // the script's dial has its answer, or it is gone
	faces     map[int]int
}

// legModel is a leg as its callee sees it.
type legModel struct{ invited, cancelled, ended bool }

// The longest delay and limit that dials of the model have.
const (
	longDelay = 100 * time.Second
	longTalk  = time.Hour
)

// dial is a script's dial of anybody, of nobody, or of too many.
func (m *callModel) dial(t *rapid.T) {
	target := rapid.Custom(func(t *rapid.T) Target {
		return Target{
			URI:       "sip:" + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "user") + "@example.net",
			Ring:      rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "ring"),
			Delay:     rapid.SampledFrom([]time.Duration{0, 0, time.Second, longDelay}).Draw(t, "delay"),
			Max:       rapid.SampledFrom([]time.Duration{0, time.Second, longTalk}).Draw(t, "max"),
			Redirects: rapid.SampledFrom([]Redirects{RedirectsFail, RedirectsFollow, RedirectsReturn}).Draw(t, "redirects"),
			Transfer:  rapid.SampledFrom([]Transfer{TransferUnset, TransferNone, TransferPass}).Draw(t, "transfer"),
		}
	})
	d := Dial{
		Seq:    7,
		Groups: rapid.SliceOfN(rapid.SliceOfN(target, 0, 3), 0, 3).Draw(t, "groups"),
		Within: rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute}).Draw(t, "within"),
	}
	if m.held {
		m.step(t, d)
	}
}

// legSays is anything a leg that was invited may say at any time. It fails once;
// answers it may repeat.
func (m *callModel) legSays(t *rapid.T) {
	if len(m.legs) == 0 {
		return
	}
	n := rapid.IntRange(0, len(m.legs)-1).Draw(t, "leg")
	code := rapid.SampledFrom([]int{302, 404, 407, 408, 486, 487, 503, 603}).Draw(t, "code")
	failed := Failed{Leg: n, Code: code}
	if code == 302 {
		failed.Contacts = []string{"sip:c@example.net", "sip:d@example.net"}[:rapid.IntRange(0, 2).Draw(t, "contacts")]
	}
	ev := rapid.SampledFrom([]Event{
		Sent{Leg: n, Address: "192.0.2.1:5060"}, Progress{Leg: n, Code: 180}, Progress{Leg: n, Code: 183, Body: "sdp"},
		Answered{Leg: n, Code: 200, Body: "sdp"}, Answered{Leg: n, Code: 200}, failed, failed, failed,
	}).Draw(t, "event")
	_, fails := ev.(Failed)
	if l := m.legs[n]; !l.invited || fails && (l.ended || n == m.connected) {
		return
	}
	m.step(t, ev)
}

// dialEffect checks what is wanted of legs.
func (m *callModel) dialEffect(t *rapid.T, cause Event, e Effect) {
	switch e := e.(type) {
	case Tell:
		if m.told || !m.held || e.Seq != 7 || e.Leg < 0 || e.Leg > m.policy.Legs || e.Elapsed < 0 {
			t.Fatalf("%s, sequence %d, and nobody waits for it", effectText(e), e.Seq)
		}
		m.told, m.nobody = true, e.Leg == 0
	case Invite:
		for len(m.legs) <= e.Leg {
			m.legs = append(m.legs, legModel{})
		}
		m.noticed = true
		if l := &m.legs[e.Leg]; l.invited || m.final != 0 || e.Leg >= m.policy.Legs {
			t.Fatalf("%s: %+v, answered %d", effectText(e), l, m.final)
		} else {
			l.invited = true
		}
	case Cancel:
		if l := &m.legs[e.Leg]; !l.invited || l.cancelled || l.ended || e.Leg == m.connected {
			t.Fatalf("%s: %+v, connected %d", effectText(e), l, m.connected)
		} else {
			l.cancelled = true
		}
	case Connect:
		l := m.answering(t, cause, e.Leg)
		if m.connected >= 0 || m.final != 0 || l.cancelled {
			t.Fatalf("%s: %+v, connected %d, answered %d", effectText(e), l, m.connected, m.final)
		}
		m.connected = e.Leg
	case Drop:
		if l := m.answering(t, cause, e.Leg); !l.cancelled {
			t.Fatalf("%s: it was not given up", effectText(e))
		} else {
			l.ended = true
		}
	}
}

// answering is the leg whose 2xx is the cause.
func (m *callModel) answering(t *rapid.T, cause Event, n int) *legModel {
	l := &m.legs[n]
	if a, ok := cause.(Answered); !ok || a.Leg != n || !l.invited || l.ended || n == m.connected {
		t.Fatalf("leg %d: %T is no answer of its, %+v", n, cause, l)
	}
	return l
}

// checkFace sees that no two legs' session descriptions come from one party.
func (m *callModel) checkFace(t *rapid.T, cause Event, r Respond) {
	leg := -1
	switch ev := cause.(type) {
	case Progress:
		leg = ev.Leg
	case Answered:
		leg = ev.Leg
	}
	if r.Body == "" || leg < 0 {
		return
	}
	if other, known := m.faces[r.Face]; known && other != leg {
		t.Fatalf("legs %d and %d are both party %d", other, leg, r.Face)
	}
	m.faces[r.Face] = leg
}

// checkLegs holds the order of each leg's times, and when all is over its end.
func (m *callModel) checkLegs(t *rapid.T, over bool) {
	up := 0
	for i := range m.call.Legs {
		l := &m.call.Legs[i]
		last := noon
		for _, at := range []time.Time{l.Start, l.Rang, l.Answer, l.End} {
			if at.IsZero() {
				continue
			}
			if at.Before(last) || at.After(m.now) {
				t.Fatalf("leg %d, now %v: %+v", i, m.now, l.LegRecord)
			}
			last = at
		}
		if l.State() == Up {
			up++
		}
		invited := i < len(m.legs) && m.legs[i].invited
		if invited == l.Start.IsZero() || over && l.End.IsZero() {
			t.Fatalf("leg %d, invited %v, over %v: %+v", i, invited, over, l.LegRecord)
		}
		if over && invited && !m.torn && i != m.connected && !m.legs[i].ended {
			t.Fatalf("leg %d has not ended and the call is over", i)
		}
	}
	if talking := m.call.State() == Talking; talking && up != 1 || !talking && up != 0 {
		t.Fatalf("in %v with %d legs up", m.call.State(), up)
	}
	if over && len(m.call.Record.Legs) != len(m.call.Legs) {
		t.Fatalf("%d legs, %d in the record", len(m.call.Legs), len(m.call.Record.Legs))
	}
}

// endCancelled gives each leg that was given up the end that its transaction has.
func (m *callModel) endCancelled(t *rapid.T) {
	for i, l := range m.legs {
		if l.cancelled && !l.ended && !m.over {
			m.step(t, Failed{Leg: i, Code: 487})
		}
	}
}
