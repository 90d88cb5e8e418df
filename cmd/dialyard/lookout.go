package main

import (
	"context"
	"fmt"
	"time"

	"dialyard/dispatcher"
	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/journal"
)

// lookEvery is how often the lookout looks. What comes and goes between is not seen.
const lookEvery = time.Second

// manyPlans is how many plans may change together before one event tells of all.
const manyPlans = 50

// A lookout tells the journal of what changes without a word: the state of the front,
// of gateways and stores, and which versions are live.
type lookout struct {
	*front
	state string
	down  map[uri]bool
	ill   map[string]bool
	table *dispatcher.Table
}

// uri is one way to reach a gateway.
type uri struct{ account, gateway, uri string }

// watchStates looks around until ctx ends.
func (f *front) watchStates(ctx context.Context) {
	l := &lookout{front: f, ill: map[string]bool{}, table: f.dispatcher.Table()}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		l.look()
		select {
		case <-tick.C:
		case <-ctx.Done():
			l.look() // it drains, and may not have for a second
			return
		}
	}
}

func (l *lookout) look() {
	if state := l.dispatcher.State(); state != l.state {
		l.state = state
		l.journal.Add(journal.Event{Kind: journal.Front, Subject: "front", What: state, Numbers: map[string]float64{
			"workers_ready": float64(l.pool.Ready()), "workers": float64(l.started.Workers.Count),
		}})
	}
	table := l.dispatcher.Table()
	if table != l.table {
		l.lookAtPlans(l.table, table)
		l.table = table
	}
	l.lookAtGateways(table)
	l.api.EachStore(func(name string, err error) {
		switch {
		case name == "events": // the journal knows
			return
		case err != nil && !l.ill[name]:
			l.journal.Add(journal.Event{Kind: journal.Store, Subject: name, What: "failing", Reason: err.Error()})
		case err == nil && l.ill[name]:
			l.journal.Add(journal.Event{Kind: journal.Store, Subject: name, What: "well again"})
		}
		l.ill[name] = err != nil
	})
}

// lookAtGateways tells which URIs went down or came back. One that is new is taken to
// have been up.
func (l *lookout) lookAtGateways(table *dispatcher.Table) {
	down := map[uri]bool{}
	for _, g := range table.Gateways {
		s := g.State()
		for _, u := range s.URIs {
			key, what := uri{s.Account, s.Name, u.URI}, "up"
			if !u.Up {
				down[key], what = true, "down"
			}
			if down[key] != l.down[key] {
				l.journal.Add(journal.Event{Kind: journal.Gateway, Subject: s.Account + "/" + s.Name, What: what, Reason: u.URI})
			}
		}
	}
	l.down = down
}

// lookAtPlans tells which versions are live now, however they came to be.
func (l *lookout) lookAtPlans(old, table *dispatcher.Table) {
	var changed []journal.Event
	for name, plan := range table.Plans {
		was := old.Plans[name].Version
		if was == plan.Version {
			continue
		}
		v := blame.Version{Account: name.Account, Plan: name.Plan, Number: plan.Version}
		e := journal.Event{Kind: journal.Plan, Subject: v.String(), What: "live"}
		if was != 0 {
			e.Reason = fmt.Sprintf("before: version %d", was)
		}
		changed = append(changed, e)
	}
	if n := len(changed); n > manyPlans {
		changed = []journal.Event{{Kind: journal.Plan, Subject: "plans", What: "live", Reason: fmt.Sprintf("other versions of %d plans", n)}}
	}
	for _, e := range changed {
		l.journal.Add(e)
	}
}
