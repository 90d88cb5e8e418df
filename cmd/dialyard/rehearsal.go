package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"dialyard/dispatcher"
	"dialyard/dispatcher/call"
	"dialyard/health"
	"dialyard/health/probe"
	"dialyard/proto"
	"dialyard/worker"
)

// A rehearsal is a dispatcher that takes nothing but probe calls, on a port of its own,
// so that the workers of a server can be proven before it has anything to do with the
// data directory or the sockets that callers know.
type rehearsal struct {
	dispatcher *dispatcher.Dispatcher
	caller     *probe.Caller
	target     string
	served     bool
}

// rehearse makes it the one that the workers report to; it takes calls after Serve.
func (f *front) rehearse() *rehearsal {
	cfg := f.started
	d := dispatcher.New(dispatcher.Options{
		Shards: 1, Slots: cfg.Workers.Count, Policy: basePolicy(cfg), Log: f.log, Workers: f.pool,
		Record:     func(_ *call.Record, written func()) { written() },
		HealthPlan: f.healthPlan.Hash(), Version: version,
		Vitals: func(name string) []call.Field { return vitals(f.pool, name) },
	})
	d.SetTable(&dispatcher.Table{
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Limits:  dispatcher.Limits{Wall: cfg.Limits.Wall, CPU: cfg.Limits.CPU, LogLines: cfg.Limits.LogLines},
	})
	f.ruling.Store(d)
	return &rehearsal{dispatcher: d}
}

// proveWorkers returns when every slot has a worker that has answered a probe call: who
// is to be replaced may have them all, and nobody is to notice the change.
func (f *front) proveWorkers(ctx context.Context, r *rehearsal) (err error) {
	if err := r.dispatcher.Serve([]string{"udp://127.0.0.1:0"}, nil); err != nil {
		return err
	}
	r.served = true
	r.target = "sip:health@" + strings.TrimPrefix(r.dispatcher.Edge.Addresses()[0], "udp://")
	if r.caller, err = probe.NewCaller("rehearsal"); err != nil {
		return err
	}
	defer r.caller.Close()
	ctx, stop := context.WithCancel(ctx)
	monitor := &health.Monitor{Policy: policyOf(f.started), Fleet: fleet{f.pool}, Probe: r.probe, Log: f.log}
	ended := make(chan struct{})
	go func() {
		monitor.Run(ctx)
		close(ended)
	}()
	defer func() { stop(); <-ended }()
	for f.pool.Ready() < f.started.Workers.Count {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d of %d workers became ready; the log says why", f.pool.Ready(), f.started.Workers.Count)
		}
	}
	return nil
}

func (r *rehearsal) probe(ctx context.Context, name string) error {
	target, err := probe.ParseTarget(r.target)
	if err != nil {
		return err
	}
	_, err = r.caller.Health(ctx, target, r.dispatcher.ProbeToken(name), rand.Text())
	return err
}

// Close ends it. The workers go on.
func (r *rehearsal) Close() {
	if r.served {
		r.dispatcher.Close()
	}
}

// What the pool tells, it tells the dispatcher that rules at the moment: a rehearsal's
// knows nothing of accounts, plans and stores.

func (f *front) reported(name string, reports []*proto.Report) {
	f.ruling.Load().Reports(name, reports)
}

func (f *front) lostWorker(l worker.Loss) {
	if f.opened.Load() {
		f.lost(l)
		return
	}
	f.ruling.Load().Lost(l.Worker)
}

func (f *front) bundleFor(hash string) map[string][]byte {
	if f.opened.Load() || hash == f.healthPlan.Hash() {
		return f.bundle(hash)
	}
	return nil
}

// workerChanged takes what happens to workers. What happened before there was a journal
// is told when there is one.
func (f *front) workerChanged(e worker.Event) {
	f.weigh(e)
	if f.opened.Load() || !f.tooEarly(e) {
		f.workerEvent(e)
		return
	}
	f.log.Info("worker", "worker", e.Worker, "state", e.State, "reason", e.Reason)
}

// tooEarly keeps an event for tellEarly, unless that has been.
func (f *front) tooEarly(e worker.Event) bool {
	f.telling.Lock()
	defer f.telling.Unlock()
	if !f.opened.Load() {
		f.early = append(f.early, e)
		return true
	}
	return false
}

// tellEarly opens the journal to events, and tells it those that came before.
func (f *front) tellEarly() {
	f.telling.Lock()
	defer f.telling.Unlock()
	for _, e := range f.early {
		f.tellWorker(e)
	}
	f.early = nil
	f.opened.Store(true)
}
