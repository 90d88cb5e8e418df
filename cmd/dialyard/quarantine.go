package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/store"
	"dialyard/worker"
)

// quarantineFile keeps the guilty versions, so that a restart does not let them run.
const quarantineFile = "quarantine.json"

// caseQueue is how many changes of standing may wait for this goroutine; beyond it the
// file is written with the next change, and the log line is lost.
const caseQueue = 256

// guilt is who kills workers, and who is told.
type guilt struct {
	blame   *blame.Ledger
	cases   chan blame.Case // changes in it
	telling sync.Mutex      // guards the end of cases, and the opening
	ended   bool            // cases is closed
	judging sync.WaitGroup  // ends after everything that may change a standing
}

// openBlame makes the ledger of who kills workers, with what an earlier process knew.
func (f *front) openBlame() error {
	f.blame, f.cases = &blame.Ledger{}, make(chan blame.Case, caseQueue)
	text, err := os.ReadFile(f.data.file(quarantineFile))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var cases []blame.Case
	if err := json.Unmarshal(text, &cases); err != nil {
		return fmt.Errorf("%s is damaged: %w. Move it away to let all plans run again", f.data.file(quarantineFile), err)
	}
	f.blame.Restore(cases)
	for _, c := range cases {
		f.log.Warn("plan quarantined", "account", c.Account, "plan", c.Plan, "version", c.Number, "since", c.Since)
	}
	return nil
}

// tellCase passes a change on to the goroutine that writes it down.
func (f *front) tellCase(c blame.Case) {
	f.telling.Lock()
	defer f.telling.Unlock()
	if f.ended {
		return
	}
	select {
	case f.cases <- c:
	default:
	}
}

// endCases returns when all changes are written down. What comes later is not heard.
func (f *front) endCases() {
	f.telling.Lock()
	open := f.cases != nil && !f.ended
	f.ended = true
	f.telling.Unlock()
	if open {
		close(f.cases)
		f.judging.Wait()
	}
}

// watchBlame tells of every change of a version's standing until cases is closed.
func (f *front) watchBlame() {
	for c := range f.cases {
		f.judged(c)
	}
}

// judged writes down what is thought of a version now. A plan whose owner allows it
// goes back to the version before.
func (f *front) judged(c blame.Case) {
	f.journal.Add(caseEvent(c))
	args := []any{"account", c.Account, "plan", c.Plan, "version", c.Number}
	if n := len(c.Deaths); n > 0 {
		args = append(args, "worker", c.Deaths[n-1].Worker, "reason", c.Deaths[n-1].Reason)
	} else {
		args = append(args, "reason", "another version is guilty of it")
	}
	switch c.Standing {
	case blame.Guilty:
		f.log.Error("plan quarantined", args...)
	case blame.Suspect:
		f.log.Warn("plan suspected", args...)
	default:
		f.log.Info("plan cleared", args...)
	}
	text, err := json.MarshalIndent(blame.OnlyGuilty(f.blame.Cases(time.Now())), "", "  ")
	if err == nil {
		err = store.ReplaceFile(f.data.file(quarantineFile), text)
	}
	if err != nil {
		f.log.Error("quarantine not kept", "reason", err)
	}
	if c.Standing == blame.Guilty {
		f.goBack(c.Version)
	}
}

// goBack makes the version before a guilty one live again, if its account wants that
// and nobody has published another meanwhile.
func (f *front) goBack(v blame.Version) {
	id := store.PlanID{Account: v.Account, Plan: v.Plan}
	live, ok := f.plans.Live(id)
	if !ok || live.Number != v.Number || !f.config.Load().Account(v.Account).Rollback {
		return
	}
	back, err := f.plans.Rollback(id, 0)
	if err != nil {
		f.log.Error("no version to go back to", "account", v.Account, "plan", v.Plan, "reason", err)
		return
	}
	f.refresh()
	f.log.Warn("plan rolled back", "account", v.Account, "plan", v.Plan, "version", back.Number, "reason", "quarantined version "+v.String())
}

// lost passes the loss of a worker on: first who may have caused it, then whose runs
// are gone.
func (f *front) lost(l worker.Loss) {
	now := time.Now()
	for _, v := range l.Versions {
		f.blame.Accuse(blame.Version{Account: v.Account, Plan: v.Plan, Number: v.Number}, blame.Death{
			At: now, Worker: l.Worker, Reason: l.Reason, Apart: l.Penalty && len(l.Versions) == 1, Outside: l.Outside,
		})
	}
	f.dispatcher.Lost(l.Worker)
}
