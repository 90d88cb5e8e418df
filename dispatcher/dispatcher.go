package dispatcher

import (
	"crypto/rand"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// Workers is the pool of worker processes, as far as the front needs it. Its
// methods are safe for concurrent use and never block.
type Workers interface {
	// Start delivers a run to a worker and names it. only, if not empty, is the
	// one worker that may take it; avoid is one that must not. It reports false
	// if no worker had room.
	Start(run *proto.Start, only, avoid string) (worker string, ok bool)
	// Cancel asks a worker to end a run.
	Cancel(worker string, run uint64, reason string)
	// Ready is the number of workers that take runs.
	Ready() int
}

// Options are what a Dispatcher is made from.
type Options struct {
	Shards  int // goroutines that own calls; at least 1, at most 255
	Slots   int // workers wanted
	Workers Workers
	Policy  call.Policy
	Log     *slog.Logger
	// Record takes each finished call's record. It is called from one
	// goroutine of the dispatcher's; while it blocks, records are lost.
	Record func(*call.Record)
	// HealthPlan is the bundle hash of the built-in plan that probes run.
	HealthPlan string
	// Vitals gives the X-Dialyard headers of a worker for a probe's answer.
	Vitals func(worker string) []call.Field
	// Version is told in OPTIONS answers to trusted peers.
	Version string
}

// A Dispatcher takes calls until it is closed.
type Dispatcher struct {
	Options
	Edge  sip.Edge
	Stats Stats

	shards    []*shard
	hash      maphash.Seed
	table     atomic.Pointer[Table]
	draining  atomic.Bool
	probes    *probes
	chronicle *chronicle
	running   sync.WaitGroup
}

// New makes a Dispatcher; nothing runs before Serve.
func New(o Options) *Dispatcher {
	d := &Dispatcher{Options: o, hash: maphash.MakeSeed(), probes: newProbes()}
	d.table.Store(&Table{})
	d.chronicle = newChronicle(o.Log, o.Record, &d.Stats)
	d.Edge.Log = o.Log
	d.Edge.Receive = d.receive
	for i := range max(1, o.Shards) {
		var seed [32]byte
		rand.Read(seed[:])
		d.shards = append(d.shards, newShard(d, byte(i), seed))
	}
	return d
}

// Serve starts the shards and opens the sockets, all or none. Close it in any case.
func (d *Dispatcher) Serve(listen []string) error {
	for _, s := range d.shards {
		d.running.Go(s.run)
	}
	d.chronicle.start()
	return d.Edge.Listen(listen)
}

// Close answers every call under way with 503, shuts the sockets, and returns when
// all goroutines are gone and all records handed over.
func (d *Dispatcher) Close() {
	for _, s := range d.shards {
		close(s.stop)
	}
	d.running.Wait()
	d.Edge.Close()
	d.chronicle.close()
}

// Drain makes the front refuse new calls with 503 while those under way go on.
func (d *Dispatcher) Drain() { d.draining.Store(true) }

// Table is the table in force.
func (d *Dispatcher) Table() *Table { return d.table.Load() }

// SetTable puts a new table in force for all calls that arrive from now on.
// Accounts that stay keep their counters.
func (d *Dispatcher) SetTable(t *Table) {
	old := d.table.Load()
	for name, a := range t.Accounts {
		if was := old.Accounts[name]; was != nil && was.Runs == a.Runs && was.Rate == a.Rate {
			t.Accounts[name] = was
		}
	}
	d.table.Store(t)
}

// State is "ready", "degraded" (some workers are missing) or "draining"; the
// front takes calls in the first two, provided any worker is ready.
func (d *Dispatcher) State() string {
	switch {
	case d.draining.Load():
		return "draining"
	case d.Workers.Ready() < d.Slots:
		return "degraded"
	}
	return "ready"
}

// Able reports whether a new call would be taken.
func (d *Dispatcher) Able() bool { return !d.draining.Load() && d.Workers.Ready() > 0 }

// receive hands a packet to the shard its Call-ID belongs to.
func (d *Dispatcher) receive(p sip.Packet) bool {
	s := d.shards[0]
	if len(d.shards) > 1 {
		s = d.shards[maphash.String(d.hash, p.Get(sip.CallID))%uint64(len(d.shards))]
	}
	if len(s.mailbox) > cap(s.mailbox)/2 {
		return false
	}
	return s.post(event{packet: p})
}

// Reports takes one batch from a worker's stream. The slice must not be changed
// afterwards.
func (d *Dispatcher) Reports(worker string, reports []*proto.Report) {
	var touched [256]bool
	for _, r := range reports {
		touched[runOf(r)>>56] = true
	}
	for _, s := range d.shards {
		if touched[s.index] && !s.post(event{worker: worker, reports: reports}) {
			d.Stats.ReportsLost.Add(uint64(len(reports)))
		}
	}
}

// Lost says that a worker is dead, or hangs and is not waited for any longer.
func (d *Dispatcher) Lost(worker string) {
	for _, s := range d.shards {
		select { // it must not be lost, and a shard never waits for the pool
		case s.mailbox <- event{worker: worker}:
		case <-s.stop:
		}
	}
}

// runOf is the run a report speaks of, 0 for those that speak of none.
func runOf(r *proto.Report) uint64 {
	switch r := r.Is.(type) {
	case *proto.Report_Instruction:
		return r.Instruction.GetRun()
	case *proto.Report_Log:
		return r.Log.GetRun()
	case *proto.Report_Done:
		return r.Done.GetRun()
	}
	return 0
}
