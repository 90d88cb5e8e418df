package call

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestCallModel does random things to a call, late and senseless ones among them,
// and holds what it wants done against what no call may ever want.
func TestCallModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := DefaultPolicy()
		m := &callModel{call: NewCall(Record{Start: noon}, &policy), policy: &policy, now: noon}
		m.begin(t)
		t.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"report": m.report,
			"lost":   func(t *rapid.T) { m.step(t, Lost{}) },
			"cancel": func(t *rapid.T) { m.step(t, Cancelled{}) },
			"wait":   m.wait,
			"ring":   m.wakeUp,
		})
		m.leaveAlone(t)
	})
}

// callModel is what the world around a call has seen of it.
type callModel struct {
	call   *Call
	policy *Policy
	now    time.Time
	wake   time.Time

	worker   string // that has the run
	runs     []Run  // of this attempt, not yet placed
	attempts int
	noticed  bool
	final    int // status of the final answer
	over     bool
	headers  map[string]string // that the script has set, by lower-case name
}

func (m *callModel) begin(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
		m.step(t, Refused{rapid.SampledFrom([]Outcome{NoRoute, OverLimit, NotAble}).Draw(t, "why")})
		return
	}
	m.step(t, Begin{})
}

// report is anything a worker may say, whether it fits or not.
func (m *callModel) report(t *rapid.T) {
	field := Field{Name: rapid.SampledFrom([]string{"X-A", "x-a", "X-B", "Warning"}).Draw(t, "name"), Value: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "value")}
	m.step(t, rapid.SampledFrom([]Event{
		Ring{180}, Ring{183}, SetHeader{field}, SetHeader{field}, Tag(field),
		Reject{Code: 486}, Reject{Code: 603, Reason: "No", Headers: []Field{field}},
		Redirect{Code: 302, Targets: []string{"sip:a@example.net", "sip:b@example.net"}},
		Done{}, Done{Outcome: ScriptFailed, Error: &ScriptError{File: "main.lua", Line: 1}}, Done{Outcome: ScriptLimited}, Done{Outcome: BadWorker},
	}).Draw(t, "event"))
}

// wait lets time pass, not beyond the moment the call wants to be woken.
func (m *callModel) wait(t *rapid.T) {
	most := time.Second
	if !m.wake.IsZero() {
		most = m.wake.Sub(m.now)
	}
	m.now = m.now.Add(time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "wait")))
}

func (m *callModel) wakeUp(t *rapid.T) {
	if m.wake.IsZero() {
		return
	}
	m.now, m.wake = m.wake, time.Time{}
	m.step(t, Tick{})
}

// step feeds an event and answers the runs it asks for, as a shard does.
func (m *callModel) step(t *rapid.T, ev Event) {
	for ev != nil {
		m.expectHeaders(ev)
		effects := slices.Clone(m.call.Step(m.now, ev))
		ev = nil
		for i, e := range effects {
			if m.over {
				t.Fatalf("%T after the end", e)
			}
			switch e := e.(type) {
			case Respond:
				m.respond(t, e)
			case Run:
				ev = m.place(t, e)
			case Wake:
				m.wake = e.At
			case Over:
				m.over = true
				if i != len(effects)-1 {
					t.Fatalf("%v is not its last wish", e)
				}
			}
		}
	}
}

// expectHeaders keeps the model's own list of what the script has set.
func (m *callModel) expectHeaders(ev Event) {
	set, ok := ev.(SetHeader)
	if !ok || m.call.State() != Running {
		return
	}
	name := strings.ToLower(set.Field.Name)
	if delete(m.headers, name); set.Field.Value != "" {
		m.headers[name] = set.Field.Value
	}
}

func (m *callModel) respond(t *rapid.T, r Respond) {
	if m.final != 0 {
		t.Fatalf("%d after the final answer %d", r.Status, m.final)
	}
	m.noticed = true
	if r.Status >= 200 {
		m.final = r.Status
	}
	sent := map[string]string{}
	for _, f := range r.Headers {
		name := strings.ToLower(f.Name)
		if _, twice := sent[name]; twice && name != "contact" {
			t.Fatalf("%s stands twice in %v", f.Name, r.Headers)
		}
		sent[name] = f.Value
	}
	for name := range m.headers {
		if _, ok := sent[name]; !ok {
			t.Fatalf("%s was set and is not in %v", name, r.Headers)
		}
	}
}

// place answers a Run: by chance there is room, never on the worker to avoid.
func (m *callModel) place(t *rapid.T, r Run) Event {
	switch {
	case m.noticed:
		t.Fatal("a run after somebody could notice it")
	case r.Attempt > 2:
		t.Fatalf("attempt %d", r.Attempt)
	case r.Attempt == m.attempts+1:
		m.attempts, m.runs, m.headers = r.Attempt, nil, map[string]string{}
	case r.Attempt != m.attempts || m.worker != "" && r.Avoid != m.worker:
		t.Fatalf("attempt %d after %d, avoiding %q after %q", r.Attempt, m.attempts, r.Avoid, m.worker)
	}
	if m.runs = append(m.runs, r); len(m.runs) > m.policy.Tries {
		t.Fatalf("try %d", len(m.runs))
	}
	if rapid.Bool().Draw(t, "room") {
		m.worker = rapid.SampledFrom([]string{"w1.1", "w2.1", "w3.1"}).Filter(func(w string) bool { return w != r.Avoid }).Draw(t, "worker")
		return Placed{m.worker}
	}
	return Unplaced{}
}

// check holds what is true between any two events.
func (m *callModel) check(t *rapid.T) {
	state := m.call.State()
	if waits := state == Placing || state == Running || state == Closing; waits == m.wake.IsZero() {
		t.Fatalf("in %v and woken at %v", state, m.wake)
	}
	if m.over != (state == Ended) || m.over && m.final == 0 || (state == Closing) && m.final == 0 {
		t.Fatalf("in %v, over %v, answered %d", state, m.over, m.final)
	}
	if m.over {
		m.checkRecord(t, &m.call.Record)
	}
}

func (m *callModel) checkRecord(t *rapid.T, r *Record) {
	want := r.Outcome.Status()
	if r.Outcome == Decided {
		want = m.final
	}
	who := map[Outcome]string{Decided: "plan", Undecided: "plan", CallerGaveUp: "caller"}[r.Outcome]
	if who == "" {
		who = "system"
	}
	switch {
	case r.Status != m.final || r.Status != want:
		t.Fatalf("%v is recorded as %d and was answered %d", r.Outcome, r.Status, m.final)
	case r.End.Before(r.Start) || r.End.After(m.now):
		t.Fatalf("ended at %v, now %v", r.End, m.now)
	case r.EndedBy != who || r.Attempts != m.attempts || r.Worker != m.worker:
		t.Fatalf("the record says by %q, %d attempts, %q", r.EndedBy, r.Attempts, r.Worker)
	}
}

// leaveAlone lets nothing but time happen: the call must come to its end by
// itself, and the caller must not wait for longer than the policy promises.
func (m *callModel) leaveAlone(t *rapid.T) {
	patience := 2*(m.policy.TryWithin+m.policy.Wall+m.policy.Overstay) + m.policy.Grace
	for end := m.now.Add(patience); !m.over; m.wakeUp(t) {
		if m.wake.IsZero() || m.wake.After(end) {
			t.Fatalf("in %v for ever; tags %v", m.call.State(), slices.Collect(maps.Keys(m.call.Tags)))
		}
	}
	m.check(t)
}
