package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"dialyard/cmd/dialyard/load"
)

// trouble is one execution and what is found in it.
type trouble struct {
	options
	server   *server
	progress io.Writer
	random   *rand.Rand // the injector's

	faults sync.WaitGroup // under way
	calm   sync.RWMutex   // held for reading while something is timed that a stop of the front would spoil

	mu      sync.Mutex // guards what follows; faults end when they end
	counts  map[string]int
	remarks []string // what went otherwise than it should, beside figures and calls
	figures map[string][]time.Duration
	attacks int // published
	attack  load.Report

	traffic  map[string]load.Report // by account
	recycled load.Report
	watched  watch
	rest     rest
}

func newTrouble(o options, s *server, progress io.Writer) *trouble {
	return &trouble{
		options: o, server: s, progress: progress, random: rand.New(rand.NewPCG(o.seed, 0)),
		counts: map[string]int{}, figures: map[string][]time.Duration{}, traffic: map[string]load.Report{},
	}
}

// run goes everything to its end. An error is one of this program; what the server did wrong is found by
// judge.
func (t *trouble) run(ctx context.Context) error {
	if err := t.warmUp(ctx); err != nil {
		return err
	}
	before := t.look()
	if err := t.recycleAll(ctx); err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var watcher sync.WaitGroup
	watcher.Go(func() { t.watched.run(watching, t.server.cmd.Process.Pid) })
	var calls sync.WaitGroup
	calls.Go(func() { t.callAll(ctx) })
	t.inject(ctx)
	t.faults.Wait()
	calls.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	t.settle(ctx, before)
	stop()
	watcher.Wait()
	return t.end()
}

const (
	warmTime    = 2 * time.Second
	recycleTime = 6 * time.Second
	patience    = 15 * time.Second // of a caller
	endurance   = 45 * time.Second // of one of the hostile: an engine may hang while the front stands still
)

// call places calls on an account's plan.
func (t *trouble) call(ctx context.Context, a account, rate float64, d time.Duration) (load.Report, error) {
	o := load.Options{
		Target: "sip:" + a.name + "@" + t.server.sip, Rate: rate, Duration: d, Sockets: 2, Timeout: patience, Retransmit: true,
	}
	if a.hostile {
		o.Timeout = endurance
	}
	if a.dials {
		o.Answer, o.Hold = "udp://"+t.server.callee[a.name], 2*time.Second
	}
	return load.Run(ctx, o)
}

// warmUp has each worker compile every plan, so that what is open then is what stays open.
func (t *trouble) warmUp(ctx context.Context) error {
	for _, a := range everybody()[:len(behaved)] {
		if _, err := t.call(ctx, a, 50, warmTime/time.Duration(len(behaved))); err != nil {
			return err
		}
	}
	time.Sleep(time.Second)
	return ctx.Err()
}

// recycleAll replaces every worker once under a load.
func (t *trouble) recycleAll(ctx context.Context) error {
	if t.recycle == 0 {
		return nil
	}
	fmt.Fprintf(t.progress, "each worker is replaced under %g calls/s\n", t.recycle)
	var calls sync.WaitGroup
	var err error
	calls.Go(func() { t.recycled, err = t.call(ctx, everybody()[0], t.recycle, recycleTime) })
	list, asked := t.server.workers()
	for _, w := range ready(list) {
		time.Sleep(200 * time.Millisecond)
		if asked = t.server.ask(http.MethodPost, "/v1/workers/"+w.ID+"/recycle?reason=chaos", "", nil); asked != nil {
			break
		}
		t.refilled(ctx, w)
	}
	calls.Wait()
	if err != nil {
		return err
	}
	return asked
}

// callAll places the calls of all that behave well, until the duration is over.
func (t *trouble) callAll(ctx context.Context) {
	var all sync.WaitGroup
	for _, a := range everybody()[:behavedAccounts] {
		all.Go(func() {
			r, err := t.call(ctx, a, t.rate/behavedAccounts, t.duration)
			t.mu.Lock()
			defer t.mu.Unlock()
			t.traffic[a.name] = r
			if err != nil {
				t.remarks = append(t.remarks, fmt.Sprintf("calls of %s: %v", a.name, err))
			}
		})
	}
	all.Wait()
}

// inject does one thing after the other at random. The last comes early enough to be seen to its end.
func (t *trouble) inject(ctx context.Context) {
	deadline := time.After(max(t.duration-t.every, t.duration/2))
	ticker := time.NewTicker(t.every)
	defer ticker.Stop()
	for n := 0; ; n++ {
		f := t.choose(n)
		seed := t.random.Uint64()
		t.faults.Go(func() { t.do(ctx, f, rand.New(rand.NewPCG(t.seed, seed))) })
		select {
		case <-ctx.Done():
			return
		case <-deadline:
			return
		case <-ticker.C:
		}
	}
}

// choose goes through all faults once, so that a short execution has seen each, then draws.
func (t *trouble) choose(n int) fault {
	if n < len(faults) {
		if n == 0 {
			t.random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		}
		return faults[n]
	}
	return faults[t.random.IntN(len(faults))]
}

func (t *trouble) do(ctx context.Context, f fault, random *rand.Rand) {
	err := f.do(t, ctx, random)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == errNotNow:
		t.counts["not now"]++
		return
	case err != nil && ctx.Err() == nil:
		t.remarks = append(t.remarks, f.name+": "+err.Error())
	}
	t.counts[f.name]++
	fmt.Fprintf(t.progress, "%s  %s\n", time.Now().Format(time.TimeOnly), f.name)
}

// figure notes how long something took, and says so if it took too long.
func (t *trouble) figure(what string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range promised {
		if p.what == what && d > p.limit {
			fmt.Fprintf(t.progress, "%s  %s: %v\n", time.Now().Format(time.TimeOnly), what, d.Round(time.Millisecond))
		}
	}
	t.figures[what] = append(t.figures[what], d)
}
