package call

import (
	"strings"

	"pgregory.net/rapid"
)

// runModel is the worker's side of a call.
type runModel struct {
	worker   string // that has the run
	runs     []Run  // of this attempt, not yet placed
	attempts int
	held     bool // a worker has a run that is not released
	stopped  bool // and was told to end it
	noticed  bool // somebody could notice the run
}

// report is anything a worker may say, whether it fits or not. What a run says that
// is released the shell does not pass on.
func (m *callModel) report(t *rapid.T) {
	field := Field{Name: rapid.SampledFrom([]string{"X-A", "x-a", "X-B", "Warning"}).Draw(t, "name"), Value: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "value")}
	words := []Event{Ring{180}, Ring{183}, Acted{}, SetHeader{field}, SetHeader{field}, Tag(field)}
	if seldom(t) {
		words = []Event{
			Reject{Code: 486}, Reject{Code: 603, Reason: "No", Headers: []Field{field}},
			Redirect{Code: 302, Targets: []string{"sip:a@example.net", "sip:b@example.net"}},
			Done{}, Done{}, Done{Outcome: ScriptFailed, Error: &ScriptError{File: "main.lua", Line: 1}}, Done{Outcome: ScriptLimited}, Done{Outcome: BadWorker},
		}
	}
	ev := rapid.SampledFrom(words).Draw(t, "event")
	if m.held {
		m.noticed = m.noticed || ev == Event(Acted{}) && m.call.State() == Running
		m.step(t, ev)
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
		m.attempts, m.runs, m.headers, m.held = r.Attempt, nil, map[string]string{}, false
	case r.Attempt != m.attempts || m.worker != "" && r.Avoid != m.worker:
		t.Fatalf("attempt %d after %d, avoiding %q after %q", r.Attempt, m.attempts, r.Avoid, m.worker)
	}
	if m.held {
		t.Fatal("a run while another is held")
	}
	if m.runs = append(m.runs, r); len(m.runs) > m.policy.Tries {
		t.Fatalf("try %d", len(m.runs))
	}
	if !rapid.Bool().Draw(t, "room") {
		if seldom(t) {
			return Barred{}
		}
		return Unplaced{}
	}
	workers := []string{"w1.1", "w2.1"}
	if r.Avoid == workers[0] {
		workers = workers[1:]
	}
	m.worker, m.held, m.stopped = rapid.SampledFrom(workers).Draw(t, "worker"), true, false
	return Placed{m.worker}
}

// expectHeader keeps the model's own list of what the script has set.
func (m *callModel) expectHeader(set SetHeader) {
	if m.call.State() != Running {
		return
	}
	name := strings.ToLower(set.Field.Name)
	if delete(m.headers, name); set.Field.Value != "" {
		m.headers[name] = set.Field.Value
	}
}

// respond checks an answer to the caller.
func (m *callModel) respond(t *rapid.T, cause Event, r Respond) {
	if m.final != 0 {
		t.Fatalf("%d after the final answer %d", r.Status, m.final)
	}
	m.noticed = true
	if r.Status >= 200 {
		m.final = r.Status
	}
	if r.Status >= 200 && r.Status < 300 && m.connected < 0 {
		t.Fatalf("%d and nobody is connected", r.Status)
	}
	m.checkFace(t, cause, r)
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
