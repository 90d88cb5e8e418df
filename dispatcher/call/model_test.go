package call

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestCallModel does random things to a call, late and senseless ones among them,
// and holds what it wants done against what no call may ever want. The world it
// lives in keeps the shell's promises and no others: a Run is answered at once, a
// leg that was invited has one end.
func TestCallModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		m.begin(t)
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"report":  m.report,
			"dial":    m.dial,
			"leg":     m.legSays,
			"leg2":    m.legSays,
			"party":   m.partySays,
			"leg3":    m.legSays,
			"party2":  m.partySays,
			"lost":    m.lost,
			"cancel":  m.cancel,
			"wait":    m.wait,
			"ring":    m.wakeUp,
			"restore": m.restore,
			"abandon": m.abandon,
		})
		m.leaveAlone(t)
	})
}

// callModel is what the world around a call has seen of it.
type callModel struct {
	call   *Call
	policy Policy
	now    time.Time
	wake   time.Time

	final   int // status of the final answer
	over    bool
	nobody  bool // the last dial had nobody to call
	torn    bool // ended by Abandon
	headers map[string]string

	runModel
	dialModel
	talkModel
}

func newModel(t *rapid.T) *callModel {
	m := &callModel{policy: DefaultPolicy(), now: noon}
	m.policy.Legs = rapid.IntRange(1, 6).Draw(t, "legs")
	m.policy.Fallback = rapid.SampledFrom([]string{"", "sip:desk@example.net", "sip:a@example.net"}).Draw(t, "fallback")
	m.policy.Duration = rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute}).Draw(t, "duration")
	m.policy.Transfer = rapid.SampledFrom([]Transfer{TransferUnset, TransferNone, TransferPass}).Draw(t, "transfer")
	m.call = NewCall(Record{Start: noon}, &m.policy)
	m.connected = -1
	m.faces = map[int]int{}
	m.asks = map[uint32]*ask{}
	return m
}

// begin is the INVITE, and by chance all that leads to ringing or to a conversation.
func (m *callModel) begin(t *rapid.T) {
	far := rapid.IntRange(0, 9).Draw(t, "how far")
	if far == 0 {
		m.step(t, Refused{rapid.SampledFrom([]Outcome{NoRoute, OverLimit, NotAble}).Draw(t, "why")})
		return
	}
	m.step(t, Begin{})
	if far > 3 {
		m.dial(t)
	}
	if far > 6 && len(m.legs) > 0 && m.legs[0].invited {
		m.step(t, Answered{Leg: 0, Code: 200, Body: "sdp"})
	}
}

// seldom keeps what ends a call from ending all of them at once.
func seldom(t *rapid.T) bool { return rapid.IntRange(0, 5).Draw(t, "seldom") == 0 }

func (m *callModel) lost(t *rapid.T) {
	if seldom(t) {
		m.step(t, Lost{})
	}
}

func (m *callModel) cancel(t *rapid.T) {
	if seldom(t) {
		m.step(t, Cancelled{})
	}
}

// wait lets time pass, not beyond the moment the call wants to be woken.
func (m *callModel) wait(t *rapid.T) {
	most := time.Second
	if !m.wake.IsZero() {
		most = max(0, m.wake.Sub(m.now))
	}
	m.now = m.now.Add(time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "wait")))
}

func (m *callModel) wakeUp(t *rapid.T) {
	if m.wake.IsZero() {
		return
	}
	if m.wake.After(m.now) {
		m.now = m.wake
	}
	m.wake = time.Time{}
	m.step(t, Tick{})
}

// restore lets another process go on with the call: its run is gone, and what the
// parties asked of each other too.
func (m *callModel) restore(t *rapid.T) {
	if s := m.call.State(); s != Dialling && s != Talking {
		return
	}
	m.call, m.wake = restored(t, noted(t, m.call), &m.policy), time.Time{}
	m.held, m.told, m.headers = false, true, nil
	m.asks = map[uint32]*ask{}
	m.step(t, Tick{})
}

func (m *callModel) abandon(t *rapid.T) {
	if !seldom(t) {
		return
	}
	m.torn = true
	m.step(t, Abandon{rapid.SampledFrom([]Outcome{NotAble, Flaw}).Draw(t, "why")})
}

// step feeds an event and answers the runs it asks for, as a shard does.
func (m *callModel) step(t *rapid.T, ev Event) {
	for ev != nil {
		m.expect(ev)
		effects := slices.Clone(m.call.Step(m.now, ev))
		m.tell(t, ev, effects)
		cause := ev
		ev = nil
		for i, e := range effects {
			if m.over {
				t.Fatalf("%s after the end", effectText(e))
			}
			if run, ok := e.(Run); ok {
				ev = m.place(t, run)
				continue
			}
			m.effect(t, cause, e)
			if m.over && i != len(effects)-1 {
				t.Fatalf("over is not its last wish of %d", len(effects))
			}
		}
	}
}

// tell writes down what happens, for the report of a failure.
func (m *callModel) tell(t *rapid.T, ev Event, effects []Effect) {
	did := make([]string, len(effects))
	for i, e := range effects {
		did[i] = effectText(e)
	}
	t.Logf("%v %T%+v -> %v %s", m.now.Sub(noon), ev, ev, m.call.State(), strings.Join(did, "; "))
}

// expect notes what an event changes in the world.
func (m *callModel) expect(ev Event) {
	switch ev := ev.(type) {
	case SetHeader:
		m.expectHeader(ev)
	case Dial:
		if m.call.State() == Running {
			m.told = false
		}
	case Failed:
		m.legs[ev.Leg].ended = true
	}
}

// effect holds one wish against what the world knows.
func (m *callModel) effect(t *rapid.T, cause Event, e Effect) {
	switch e := e.(type) {
	case Respond:
		m.respond(t, cause, e)
	case Stop:
		if !m.held || m.stopped {
			t.Fatalf("%s: there is no run to stop, or it was told", effectText(e))
		}
		m.stopped = true
	case Release:
		if !m.held {
			t.Fatal("release of no run")
		}
		m.held = false
	case Tell, Invite, Cancel, Connect, Drop:
		m.dialEffect(t, cause, e)
	case Pass, Return, Refuse, HangUp:
		m.talkEffect(t, cause, e)
	case Wake:
		m.wake = e.At
	case Over:
		m.over = true
	}
}

// check holds what is true between any two events.
func (m *callModel) check(t *rapid.T) {
	state := m.call.State()
	mustWake := state == Placing || state == Running || state == Dialling || m.held
	if state == Ended && !m.wake.IsZero() || mustWake && m.wake.IsZero() {
		t.Fatalf("in %v and woken at %v", state, m.wake)
	}
	if m.over != (state == Ended) || (m.over || state == Closing) && m.final == 0 {
		t.Fatalf("in %v, over %v, answered %d", state, m.over, m.final)
	}
	if talks := m.connected >= 0; talks != (m.final/100 == 2) || state == Talking && !talks {
		t.Fatalf("in %v, leg %d connected, answered %d", state, m.connected, m.final)
	}
	m.checkLegs(t, m.over)
	if m.over {
		m.checkRecord(t, &m.call.Record)
	}
}

func (m *callModel) checkRecord(t *rapid.T, r *Record) {
	want := r.Outcome.Status()
	if r.Outcome == Decided || r.Outcome == Unanswered || r.Outcome == Connected {
		want = m.final
	}
	who := map[Outcome]string{Decided: "plan", Undecided: "plan", CallerGaveUp: "caller", Unanswered: "callee"}[r.Outcome]
	switch {
	case r.Outcome == Connected:
		who = m.ender
	case r.Outcome == Unanswered && m.nobody:
		who = "system"
	case who == "":
		who = "system"
	}
	switch {
	case r.Status != m.final || r.Status != want || (r.Outcome == Connected) != (m.connected >= 0):
		t.Fatalf("%v is recorded as %d and was answered %d", r.Outcome, r.Status, m.final)
	case r.End.Before(r.Start) || r.End.After(m.now) || r.Answer.IsZero() == (m.connected >= 0):
		t.Fatalf("answered at %v, ended at %v, now %v", r.Answer, r.End, m.now)
	case r.EndedBy != who || r.Attempts != m.attempts || r.Worker != m.worker:
		t.Fatalf("the record says by %q, %d attempts, %q; it was %q", r.EndedBy, r.Attempts, r.Worker, who)
	case m.held:
		t.Fatal("a run was not released")
	}
	m.checkAsks(t)
}

// leaveAlone lets nothing but time happen, and legs that are given up end: the call
// must come to its end by itself, and in time. Only a conversation without a limit
// ends no sooner than a party wants.
func (m *callModel) leaveAlone(t *rapid.T) {
	run := 2*(m.policy.TryWithin+m.policy.Wall+m.policy.Overstay) + m.policy.Grace
	dials := time.Duration(m.policy.Legs+1) * (m.policy.Ring + longDelay)
	end := m.now.Add(run + dials + longTalk)
	for round := 0; !m.over; round++ {
		if m.endCancelled(t); round > 1000 {
			t.Fatalf("in %v and woken without end at %v", m.call.State(), m.wake)
		}
		switch {
		case m.over:
		case !m.wake.IsZero() && !m.wake.After(end):
			m.wakeUp(t)
		case m.call.State() == Talking:
			m.bye(t, Caller)
		default:
			t.Fatalf("in %v for ever, woken at %v", m.call.State(), m.wake)
		}
		m.check(t)
	}
}
