package main

import (
	"fmt"
	"strings"

	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/journal"
	"dialyard/health"
	"dialyard/worker"
)

// What the parts of a server tell the journal. None of this waits for anything.

// tellStart says that the server has begun, and how firmly it holds its workers.
func (f *front) tellStart() {
	r := f.jail.Report()
	f.journal.Add(journal.Event{Kind: journal.Front, Subject: "front", What: "started", Reason: "version " + version, Numbers: map[string]float64{
		"workers": float64(f.started.Workers.Count),
	}})
	f.journal.Add(journal.Event{Kind: journal.Front, Subject: "jail", What: "jail", Reason: strings.TrimSuffix(r.String()+". "+r.Gaps(), ". ")})
}

// tellWorker writes down that a worker has entered a state; of one that leaves or may
// be sick, with how it was.
func (f *front) tellWorker(e worker.Event) {
	event := journal.Event{At: e.Time, Kind: journal.Worker, Subject: e.Worker, What: e.State, Reason: e.Reason}
	switch e.State {
	case worker.Suspect.String(), worker.Draining.String(), worker.Dying.String():
		if s, ok := f.pool.Find(e.Worker); ok {
			event.Numbers = said(map[string]float64{
				"age_seconds": s.Age, "runs": float64(s.Runs), "runs_total": float64(s.RunsTotal),
				"rss_bytes": float64(s.RSS), "heap_bytes": float64(s.Heap), "goroutines": float64(s.Goroutines), "fds": float64(s.Fds),
			})
		}
	}
	f.journal.Add(event)
}

// tellVerdict writes down what the monitor has decided, and by which numbers.
func (f *front) tellVerdict(name string, v health.Verdict, reason string, o health.Observation) {
	if name == "" {
		what, why, _ := strings.Cut(reason, ": ")
		f.journal.Add(journal.Event{Kind: journal.Health, Subject: "monitor", What: what, Reason: why})
		return
	}
	f.journal.Add(journal.Event{Kind: journal.Verdict, Subject: name, What: v.String(), Reason: reason, Numbers: numbersOf(&o)})
}

func numbersOf(o *health.Observation) map[string]float64 {
	numbers := map[string]float64{
		"age_seconds": o.Age.Seconds(), "in_state_seconds": o.InState.Seconds(), "beat_age_seconds": o.BeatAge.Seconds(),
		"failures": float64(o.Failures), "overstaying_runs": float64(o.Overstay), "overstaying_seconds": o.Overstaying.Seconds(),
		"runs": float64(o.Runs), "rss_bytes": float64(o.RSS), "heap_bytes": float64(o.Heap), "goroutines": float64(o.Goroutines), "fds": float64(o.Fds),
		"good_probes": float64(o.GoodRow), "bad_probes": float64(o.BadRow), "falls": float64(o.Falls), "heap_bytes_per_second": o.Slope,
	}
	for m, g := range o.Growth {
		numbers["growth_"+health.Measure(m).String()+"_per_second"] = g.Rate
	}
	return said(numbers)
}

// said leaves out the numbers that say nothing.
func said(numbers map[string]float64) map[string]float64 {
	for name, n := range numbers {
		if n == 0 {
			delete(numbers, name)
		}
	}
	return numbers
}

// caseEvent is a change of what is held against a version.
func caseEvent(c blame.Case) journal.Event {
	e := journal.Event{Kind: journal.Quarantine, Subject: c.Version.String(), What: c.Standing.String(), Numbers: map[string]float64{
		"deaths": float64(len(c.Deaths)), "accused": float64(c.Accused), "good_runs": float64(c.Good), "good_runs_needed": float64(c.Needed),
	}}
	if n := len(c.Deaths); n > 0 {
		e.Reason = fmt.Sprintf("worker %s: %s", c.Deaths[n-1].Worker, c.Deaths[n-1].Reason)
	} else {
		e.Reason = "another version is guilty of it"
	}
	return e
}

// tellConfig writes down that the configuration was read again, or why it was not taken.
func (f *front) tellConfig(changed, later []string, err error) {
	e := journal.Event{Kind: journal.Config, Subject: "configuration", What: "reloaded"}
	switch {
	case err != nil:
		f.log.Error("reload: configuration unchanged", "reason", err.Error())
		e.What, e.Reason = "refused", err.Error()
	case len(changed) == 0:
		e.Reason = "nothing has changed"
	default:
		e.Reason = "changed: " + strings.Join(changed, ", ")
		if len(later) > 0 {
			e.Reason += "; at a restart: " + strings.Join(later, ", ")
		}
	}
	f.journal.Add(e)
}
