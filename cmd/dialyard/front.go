package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"dialyard/cmd/dialyard/config"
	"dialyard/dialplans"
	"dialyard/dispatcher"
	"dialyard/dispatcher/api"
	"dialyard/dispatcher/call"
	"dialyard/dispatcher/store"
	"dialyard/health"
	"dialyard/health/probe"
	"dialyard/worker"
	"dialyard/worker/jail"
)

// A front is everything that runs in one server, tied together: its parts, the stores
// below them, and what watches over them.
type front struct {
	config  atomic.Pointer[config.Config]
	started *config.Config // as it was at the start: sockets and plans.dir stay
	log     *slog.Logger
	level   *slog.LevelVar

	stores
	guilt
	reach
	surface
	succession

	healthPlan store.Bundle
	bundles    *lru.Cache[string, store.Bundle] // that workers asked for lately, by hash
	dispatcher *dispatcher.Dispatcher
	jail       *jail.Jail
	pool       *worker.Pool
	refreshing sync.Mutex // one refresh of the table of accounts at a time

	watch
	running sync.WaitGroup
}

// surface is the HTTP API and its socket.
type surface struct {
	api  *api.Server
	http *http.Server
	web  net.Listener
}

// watch is what looks after everything.
type watch struct {
	monitor  *health.Monitor
	caller   *probe.Caller
	probes   api.ProbeTimes
	proven   atomic.Int64 // when the last good probe ended, since processStart
	stop     context.CancelFunc
	watching sync.WaitGroup // ends after stop
}

// newFront makes one of which nothing is there yet.
func newFront(cfg *config.Config, log *slog.Logger, level *slog.LevelVar) *front {
	bundles, err := lru.New[string, store.Bundle](recentBundles)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	f := &front{started: cfg, log: log, level: level, healthPlan: dialplans.Health(), bundles: bundles}
	f.config.Store(cfg)
	return f
}

// startFront brings a server up: data, workers, plans, sockets, monitor, API. On
// an error it leaves nothing behind.
func startFront(ctx context.Context, cfg *config.Config, log *slog.Logger, level *slog.LevelVar, left estate) (f *front, err error) {
	f = newFront(cfg, log, level)
	f.estate = left
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if err := f.buildJail(); err != nil {
		return f, err
	}
	token, err := f.openData()
	if err != nil {
		return f, err
	}
	given, err := givenPlans(cfg.Plans.Dir)
	if err != nil {
		return f, err
	}
	f.makeParts()
	f.open()
	f.running.Go(f.pool.Serve)
	if err := f.pool.WaitConnected(ctx); err != nil {
		return f, err
	}
	good, err := f.checkPlans(ctx, given)
	if err != nil {
		return f, err
	}
	if err := f.importPlans(good); err != nil {
		return f, err
	}
	f.refresh()
	if err := f.listen(token); err != nil {
		return f, err
	}
	f.startWatching()
	return f, f.awaitSuccessor()
}

// open is when all that workers may speak of is there.
func (f *front) open() {
	f.blame.Changed = f.tellCase
	f.judging.Go(f.watchBlame)
	f.ruling.Store(f.dispatcher)
	f.tellEarly()
}

// startWatching starts what looks after everything; stopWatching ends it.
func (f *front) startWatching() {
	monitoring, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.watching.Go(func() { f.monitor.Run(monitoring) })
	f.watching.Go(func() { f.giveBackMemory(monitoring) })
	f.watching.Go(func() { f.watchStates(monitoring) })
	f.watching.Go(func() { f.feedWatchdog(monitoring) })
	if f.started.Plans.Dir != "" {
		f.watching.Go(func() { f.watchPlans(monitoring) })
	}
}

// stopWatching returns when nobody looks after anything any more.
func (f *front) stopWatching() {
	if f.stop != nil {
		f.stop()
	}
	f.watching.Wait()
}

// buildJail finds out how firmly workers can be held here, and says so.
func (f *front) buildJail() (err error) {
	level := f.started.Workers.Jail
	if f.jail, err = jail.New(jail.Level(level)); err != nil {
		return &exitError{2, fmt.Errorf("workers.jail: %s: %w. Or use best-effort", level, err)}
	}
	r := f.jail.Report()
	f.log.Info("jail", "jail", r.String(), "missing", r.Gaps())
	return nil
}

// makeParts makes dispatcher, pool and monitor and ties them; nothing runs yet.
func (f *front) makeParts() {
	cfg := f.config.Load()
	f.dispatcher = dispatcher.New(dispatcher.Options{
		Shards: runtime.GOMAXPROCS(0), Slots: cfg.Workers.Count, Policy: basePolicy(cfg), Log: f.log,
		Resolver: resolver(cfg), Keep: f.calls, Blame: f.blame, Broker: f.broker, Claims: f.claims,
		Record:     f.record,
		HealthPlan: f.healthPlan.Hash(), Version: version,
		Vitals: func(name string) []call.Field { return vitals(f.pool, name) },
	})
	if f.pool == nil {
		f.makePool()
	}
	f.dispatcher.Workers = f.pool
	if cfg.SIP.Advertise != (config.HostPort{}) {
		f.dispatcher.Edge.Advertise = cfg.SIP.Advertise.String()
	}
	f.monitor = &health.Monitor{Policy: policyOf(cfg), Fleet: fleet{f.pool}, Probe: f.probe, Log: f.log, Event: f.tellVerdict}
}

func (f *front) makePool() {
	cfg := f.config.Load()
	limits := worker.Limits{MemorySoft: uint64(cfg.Workers.MemorySoft), MemoryHard: uint64(cfg.Workers.MemoryHard), Jail: jail.Level(cfg.Workers.Jail)}
	f.pool = worker.NewPool(worker.Options{
		Slots: cfg.Workers.Count, Shard: cfg.Workers.Shard, Runs: cfg.Workers.Runs, Dir: f.data.sockets, Dumps: f.data.file("dumps"),
		Args: workerArgs(limits), Log: f.log,
		Reports: f.reported, Lost: f.lostWorker, Bundle: f.bundleFor, Event: f.workerChanged,
	})
	f.pool.Hold(f.jail, limits)
}

// listen opens the SIP sockets and the API.
func (f *front) listen(token string) (err error) {
	cfg := f.config.Load()
	var addresses []string
	for _, l := range cfg.SIP.Listen {
		addresses = append(addresses, l.String())
	}
	f.dispatcher.Edge.Inherited, f.estate.sockets = f.estate.sockets, nil
	if err := f.dispatcher.Serve(addresses, f.takeUp); err != nil {
		return fmt.Errorf("sip.listen: %w", err)
	}
	f.reading = monotonic()
	if f.caller, err = probe.NewCaller("monitor"); err != nil {
		return err
	}
	if f.web, err = f.listenHTTP(); err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	held := f.jail.Report()
	f.api = &api.Server{
		Front: f.dispatcher, Pool: f.pool, Monitor: f.monitor, Plans: f.plans, Records: f.records, Calls: f.calls, Keeps: f.keeps,
		Journal: f.journal, Probes: &f.probes, Jail: held.String(), JailGaps: held.Gaps(),
		Refresh: f.refresh, Token: token, Log: f.log,
	}
	f.serveHTTP()
	return nil
}

func (f *front) serveHTTP() {
	f.http = &http.Server{Handler: f.api.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10}
	server, listener := f.http, f.web
	f.running.Go(func() { server.Serve(listener) })
}

// probe places one probe call by the way any caller takes.
func (f *front) probe(ctx context.Context, name string) error {
	target, err := probe.ParseTarget(frontURI(f.started.SIP.Listen))
	if err != nil {
		return err
	}
	begun := time.Now()
	_, err = f.caller.Health(ctx, target, f.dispatcher.ProbeToken(name), rand.Text())
	f.probes.Observe(time.Since(begun), err == nil)
	if err == nil {
		f.proven.Store(int64(time.Since(processStart)))
	}
	return err
}

func (f *front) workerEvent(e worker.Event) {
	f.tellWorker(e)
	level := slog.LevelInfo
	if e.State == worker.Suspect.String() || e.State == worker.Down.String() {
		level = slog.LevelWarn
	}
	f.log.Log(context.Background(), level, "worker", "worker", e.Worker, "state", e.State, "reason", e.Reason)
}

// close ends what was started, in the opposite order, and waits for it.
func (f *front) close() {
	f.upgrade.close()
	if f.http != nil {
		f.http.Close()
	}
	if f.stop != nil {
		f.stop()
	}
	if f.dispatcher != nil {
		f.dispatcher.Close()
	}
	if f.pool != nil {
		f.pool.Close()
	}
	if f.broker != nil {
		f.broker.Close()
	}
	if f.caller != nil {
		f.caller.Close()
	}
	f.watching.Wait()
	f.running.Wait()
	f.closeStores("version " + version)
	if f.data != nil {
		f.data.close()
	}
	os.Stderr.Sync()
}
