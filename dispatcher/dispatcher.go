package dispatcher

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/broker"
	"dialyard/dispatcher/call"
	"dialyard/dispatcher/locate"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// Workers is the pool of worker processes, as far as the front needs it. Its
// methods are safe for concurrent use and never block.
type Workers interface {
	// Start delivers a run to a worker and names it. only, if not empty, is the
	// one worker that may take it; avoid is one that must not; apart keeps the run
	// away from others. It reports false if no worker had room.
	Start(run *proto.Start, only, avoid string, apart bool) (worker string, ok bool)
	// Cancel asks a worker to end a run.
	Cancel(worker string, run uint64, reason string)
	// Result answers an instruction that a run waits for.
	Result(worker string, r *proto.Result)
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
	// goroutine of the dispatcher's; while it blocks, records are lost. written,
	// if not nil, is to be called when the record is safe, or lost for good.
	Record func(r *call.Record, written func())
	// HealthPlan is the bundle hash of the built-in plan that probes run.
	HealthPlan string
	// Vitals gives the X-Dialyard headers of a worker for a probe's answer.
	Vitals func(worker string) []call.Field
	// Version is told in OPTIONS answers to trusted peers.
	Version string
	// Resolver finds the addresses of names that legs are sent to.
	Resolver *locate.Resolver
	// Blame knows which versions kill workers; whoever learns of a death tells it,
	// before Lost.
	Blame *blame.Ledger
	// Broker does for scripts what a worker cannot reach; nil for nothing. Claims are
	// the places of named limits that calls hold by it.
	Broker *broker.Broker
	Claims *broker.Claims
	// Keep makes answered and ringing calls outlive this process; nil for not.
	Keep Keeper
}

// A Dispatcher takes calls until it is closed.
type Dispatcher struct {
	Options
	Edge  sip.Edge
	Stats Stats
	// Route finds the way to an address, IsLocal what is this front's own. They
	// are the Edge's, but for a simulated network.
	Route   func(transport string, addr netip.AddrPort) (sip.Peer, error)
	IsLocal func(netip.AddrPort) bool

	shards    []*shard
	lookups   atomic.Int64
	life      context.Context // of everything that is waited for outside the shards
	endLife   context.CancelFunc
	table     atomic.Pointer[Table]
	unready   atomic.Bool // says that it drains
	draining  atomic.Bool // and does
	leaving   atomic.Bool
	begun     atomic.Bool // was able once
	probes    *probes
	chronicle *chronicle
	running   sync.WaitGroup
}

// New makes a Dispatcher; nothing runs before Serve.
func New(o Options) *Dispatcher {
	d := &Dispatcher{Options: o, probes: newProbes()}
	d.table.Store(&Table{})
	d.chronicle = newChronicle(o.Log, o.Record, &d.Stats)
	d.Edge.Log = o.Log
	d.Edge.Receive = d.receive
	d.Edge.Unreachable = d.unreachable
	d.Route, d.IsLocal = d.Edge.Outbound, d.Edge.IsLocal
	d.life, d.endLife = context.WithCancel(context.Background())
	if d.Blame == nil {
		d.Blame = &blame.Ledger{}
	}
	if d.Resolver == nil {
		d.Resolver = &locate.Resolver{}
	}
	for i := range max(1, o.Shards) {
		var seed [32]byte
		rand.Read(seed[:])
		d.shards = append(d.shards, newShard(d, byte(i), seed))
	}
	return d
}

// Serve starts the shards and opens the sockets, all or none. restore, if not nil,
// hands over the calls of an earlier process by Restore before anything is read.
// Close the Dispatcher in any case.
func (d *Dispatcher) Serve(listen []string, restore func()) error {
	if err := d.Edge.Bind(listen); err != nil {
		return err
	}
	for _, s := range d.shards {
		d.running.Go(s.run)
	}
	d.chronicle.start()
	if restore != nil {
		restore()
	}
	d.Edge.Read()
	return nil
}

// Close answers every caller who waits with 503, leaves answered calls to the store,
// shuts the sockets, and returns when all goroutines are gone and all records handed
// over.
func (d *Dispatcher) Close() {
	d.endLife()
	for _, s := range d.shards {
		close(s.stop)
	}
	d.running.Wait()
	d.Edge.Close()
	d.chronicle.close()
}

// Unready makes the front say that it drains, by State and Able, while it still takes
// new calls: so that others notice before it refuses any.
func (d *Dispatcher) Unready() { d.unready.Store(true) }

// Drain makes the front refuse new calls with 503 while those under way go on.
func (d *Dispatcher) Drain() {
	d.Unready()
	d.draining.Store(true)
}

// Table is the table in force.
func (d *Dispatcher) Table() *Table { return d.table.Load() }

// SetTable puts a new table in force for all calls that arrive from now on.
// Accounts keep their counters.
func (d *Dispatcher) SetTable(t *Table) {
	old := d.table.Load()
	for name, a := range t.Accounts {
		was := old.Accounts[name]
		switch {
		case was == nil || was == a:
		case was.limits() == a.limits() && was.Reach == a.Reach && was.policy(&d.Policy) == a.policy(&d.Policy):
			t.Accounts[name] = was
		default:
			a.replace(was)
		}
	}
	d.table.Store(t)
}

// State is "starting" until a worker is ready for the first time, then "ready",
// "degraded" (some workers are missing) or "draining"; the front takes calls when it is
// ready or degraded, provided any worker is ready.
func (d *Dispatcher) State() string {
	ready := d.Workers.Ready()
	if ready > 0 && !d.begun.Load() {
		d.begun.Store(true)
	}
	switch {
	case d.unready.Load():
		return "draining"
	case !d.begun.Load():
		return "starting"
	case ready < d.Slots:
		return "degraded"
	}
	return "ready"
}

// Able reports whether new calls are wanted: they would be taken, and the front does not
// mean to drain.
func (d *Dispatcher) Able() bool { return !d.unready.Load() && d.Workers.Ready() > 0 }

// receive hands a packet to the shard it belongs to: an answer by its branch, a
// request within a dialog by the tag that was made here, any other by its Call-ID.
func (d *Dispatcher) receive(p sip.Packet) bool {
	s := d.shardOf(p.Message)
	if s == nil {
		return false
	}
	if len(s.mailbox) > cap(s.mailbox)/2 {
		return false
	}
	return s.post(event{packet: p})
}

func (d *Dispatcher) shardOf(m *sip.Message) *shard {
	n := len(d.shards)
	if !m.IsRequest() {
		if shard, ok := sip.OwnerOfBranch(m.Branch); ok {
			return d.shards[int(shard)%n]
		}
		return nil
	}
	if n == 1 {
		return d.shards[0]
	}
	if tag := m.ToTag(); tag != "" {
		if shard, ok := sip.Owner(tag); ok {
			return d.shards[int(shard)%n]
		}
	}
	return d.shards[hash(m.Get(sip.CallID))%uint64(n)]
}

// hash is FNV-1a. It is the same in every process, so that the CANCEL of a call that
// an earlier one left finds that call's shard.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// unreachable tells every shard of an address that cannot be connected to.
func (d *Dispatcher) unreachable(transport string, addr netip.AddrPort) {
	for _, s := range d.shards {
		s.insist(event{task: func(now time.Time) { s.broken(now, sip.Peer{Transport: transport, Addr: addr}) }})
	}
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
		s.insist(event{worker: worker})
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
