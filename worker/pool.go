package worker

import (
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"dialyard/proto"
)

// Options are what a Pool is made from.
type Options struct {
	Slots int    // workers, 1 to 64
	Shard int    // slots that an account may touch; 0 = by rule
	Runs  int    // at work at once on each worker; a probe has a place of its own
	Dir   string // private directory for sockets and pid files
	Dumps string // directory for what is kept of sick and dead workers; empty = nothing
	Args  []string
	Log   *slog.Logger

	// Reports takes what a worker says of its runs, from one goroutine per
	// worker. Lost says that the runs it holds are not waited for any longer; it
	// is called from the pool's goroutine and may be repeated for a worker.
	Reports func(worker string, reports []*proto.Report)
	Lost    func(Loss)
	// Bundle finds a plan version by its hash, nil if there is none.
	Bundle func(hash string) map[string][]byte
	// Event tells of every change of a worker's state.
	Event func(Event)
}

// An Event is one change of state of a worker, with the reason.
type Event struct {
	Time   time.Time `json:"time"`
	Worker string    `json:"worker"` // "w1.3"
	State  string    `json:"state"`
	Reason string    `json:"reason"`
}

// A Pool keeps its slots filled until it is closed.
type Pool struct {
	Options
	roster    atomic.Pointer[roster]
	messages  chan message
	penalties chan struct{} // somebody needs one more penalty worker
	spawner   *spawner
	checks    checks
	changes   changes
	switches  switches
	running   sync.WaitGroup
	closing   chan struct{}
	closed    chan struct{}

	// The loop's own.
	slots     []*Slot // the ordinary ones, then those for suspects
	processes map[string]*process
}

// message is one event for the pool's goroutine.
type message struct {
	slot  int
	event SlotEvent
}

const tickEvery = 100 * time.Millisecond

// NewPool makes a pool; nothing is started before Start.
func NewPool(o Options) *Pool {
	p := &Pool{
		changes: changes{counts: map[Change]uint64{}},
		Options: o, messages: make(chan message, 256), penalties: make(chan struct{}, 1), spawner: newSpawner(),
		closing: make(chan struct{}), closed: make(chan struct{}), processes: map[string]*process{},
	}
	p.roster.Store(&roster{})
	for i := range o.Slots + penaltySlots {
		p.slots = append(p.slots, NewSlot())
		if i >= o.Slots {
			p.slots[i].patience = backoffMin // workers are expected to die here
		}
	}
	return p
}

// Serve fills the slots and keeps them filled. It returns after Close, when every
// worker has exited.
func (p *Pool) Serve() {
	defer close(p.closed)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for i := range p.Slots + 1 {
		p.step(i, SlotEvent{Kind: Wanted})
	}
	closing := p.closing
	for {
		select {
		case m := <-p.messages:
			if closing != nil || m.event.Kind != Wanted {
				p.step(m.slot, m.event)
			}
		case <-p.penalties:
			if closing != nil {
				p.morePenalty(time.Now())
			}
		case now := <-tick.C:
			p.tick()
			p.fewerPenalty(now)
		case <-closing:
			closing = nil
			for i := range p.slots {
				p.step(i, SlotEvent{Kind: Unwanted})
			}
		}
		if closing == nil && len(p.processes) == 0 {
			p.running.Wait()
			p.spawner.close()
			return
		}
	}
}

// Close lets the workers end their runs and returns when all have exited: within
// a second when nothing runs, 36 s at the most.
func (p *Pool) Close() {
	close(p.closing)
	<-p.closed
}

// tick moves deadlines on and looks for workers that have drained.
func (p *Pool) tick() {
	for i, slot := range p.slots {
		p.step(i, SlotEvent{Kind: Tick})
		for _, m := range slot.Members() {
			proc := p.processes[p.nameOf(i, m.Generation)]
			if m.State == Draining && proc != nil && proc.inflight.Load() <= 0 {
				p.step(i, SlotEvent{Kind: Drained, Generation: m.Generation})
				break
			}
		}
	}
}

// step feeds one slot and does what it says; then the roster that others read is
// made anew.
func (p *Pool) step(slot int, ev SlotEvent) {
	before := states(p.slots[slot])
	effects := p.slots[slot].Step(time.Now(), ev)
	if len(effects) > 0 || ev.Kind != Tick {
		p.publish()
	}
	for _, e := range effects {
		p.perform(slot, e)
	}
	if ev.Kind == Exited {
		delete(p.processes, p.nameOf(slot, ev.Generation))
		p.publish()
	}
	p.announce(slot, before, ev.Reason)
}

func (p *Pool) perform(slot int, e SlotEffect) {
	name := p.nameOf(slot, e.Generation)
	if e.Kind == Spawn {
		p.spawn(slot, e.Generation)
		return
	}
	proc := p.processes[name]
	if proc == nil {
		return
	}
	switch e.Kind {
	case Terminate:
		proc.signal(syscall.SIGTERM)
	case Abort:
		proc.signal(syscall.SIGABRT)
	case Kill:
		proc.signal(syscall.SIGKILL)
	case Close:
		proc.close()
	case GiveUp:
		// The roster was published without it before this: no shard can
		// choose it after it has heard of the loss.
		p.Lost(p.loss(proc, e))
	}
}

// nameOf is a worker's full name, "w1.3", or "p1.3" if it is for suspects.
func (p *Pool) nameOf(slot int, generation uint32) string {
	return p.slotName(slot) + "." + strconv.Itoa(int(generation))
}

func (p *Pool) slotName(slot int) string {
	if slot >= p.Slots {
		return "p" + strconv.Itoa(slot-p.Slots+1)
	}
	return "w" + strconv.Itoa(slot+1)
}

// spawn starts a process and the goroutine that lives with it.
func (p *Pool) spawn(slot int, generation uint32) {
	proc := newProcess(p.nameOf(slot, generation), slot, generation, p.Runs)
	p.processes[proc.name] = proc
	p.running.Go(func() { p.live(proc) })
}

// live is a worker's life on the host: started, read from, and seen to its end.
func (p *Pool) live(proc *process) {
	client, stream, err := proc.connect(p.Dir, p.spawner, p.Args)
	var reason string
	if err != nil {
		reason = proc.end("") + ": " + err.Error()
	} else {
		p.tell(proc, SlotEvent{Kind: Connected})
		var writer sync.WaitGroup
		writer.Go(func() { proc.write(stream) })
		reason = p.read(proc, stream)
		// A stream that ended is the end of its worker, whatever that thinks.
		reason = proc.end(reason)
		writer.Wait()
	}
	p.tell(proc, SlotEvent{Kind: Exited, Reason: p.lastWords(proc, reason)})
	client.Kill() // what go-plugin has to tidy up: its socket, its goroutines
}

// read takes the worker's reports until its stream ends and says why it did.
func (p *Pool) read(proc *process, stream grpc.BidiStreamingClient[proto.ToWorker, proto.ToHost]) string {
	for {
		batch, err := stream.Recv()
		if code := grpcstatus.Code(err); code == codes.ResourceExhausted || code == codes.Internal {
			return p.distrust(proc, err) // too large a message, or none at all
		}
		if err != nil {
			return "stream ended: " + err.Error()
		}
		if err := p.take(proc, batch.Reports); err != nil {
			return p.distrust(proc, err)
		}
	}
}

// distrust ends a worker that has broken the protocol. Who says one wrong thing may
// say others that cannot be seen.
func (p *Pool) distrust(proc *process, err error) string {
	if b := (*breach)(nil); errors.As(err, &b) && b.of.Account != "" {
		proc.breacher.Store(&b.of)
	}
	reason := "broken protocol: " + err.Error()
	p.tell(proc, SlotEvent{Kind: Killed, Reason: reason})
	return reason
}

// take sorts one batch: what concerns the pool stays here, the rest goes on. It
// returns an error if the worker cannot be believed.
func (p *Pool) take(proc *process, reports []*proto.Report) error {
	ended, err := proc.held.hear(reports, waitingFactor*p.Runs)
	if proc.inflight.Add(-ended); ended > 0 && proc.failures.Load() != 0 {
		proc.failures.Store(0)
	}
	if err != nil {
		return err
	}
	runs := false
	for _, r := range reports {
		switch r := r.Is.(type) {
		case *proto.Report_Done, *proto.Report_Instruction, *proto.Report_Log:
			runs = true
		case *proto.Report_Beat:
			if err := proc.beats(r.Beat, time.Now()); err != nil {
				return err
			}
		case *proto.Report_NeedBundle:
			p.running.Go(func() { p.sendBundle(proc, r.NeedBundle.GetHash()) })
		case *proto.Report_Checked:
			p.checks.finish(proc, r.Checked)
		case *proto.Report_Profiled:
			proc.profiled.Store(r.Profiled)
		}
	}
	if runs {
		p.Reports(proc.name, reports)
	}
	return nil
}

func (p *Pool) sendBundle(proc *process, hash string) {
	order := &proto.Order{Is: &proto.Order_Bundle{Bundle: bundleOf(hash, p.Bundle(hash))}}
	select {
	case proc.outbox <- order:
	case <-proc.stop:
	}
}

// tell sends an event of a process to the pool's goroutine.
func (p *Pool) tell(proc *process, ev SlotEvent) {
	ev.Generation = proc.generation
	p.messages <- message{proc.slot, ev}
}
