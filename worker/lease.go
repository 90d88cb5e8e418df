package worker

import (
	"math/rand/v2"
	"strings"
	"time"

	"dialyard/proto"
)

// A roster is what shards see of the pool: immutable, replaced as a whole.
type roster struct {
	ready   []*process // take runs
	penalty []*process // take runs of suspects
	members []status   // all that exist, for readers of the pool's state
}

// Start delivers a run to the ready worker with the fewest runs, of those that its
// account may touch, and names it. If only is given, "w1" or "w1.3", no other may take
// it, and that one also when it is not ready: this is a probe, for which a place is
// kept. A worker called avoid is passed over. A run of a version that is suspected of
// killing workers goes apart. Start reports false if no worker had room. It never
// blocks.
func (p *Pool) Start(run *proto.Start, only, avoid string, apart bool) (worker string, ok bool) {
	r := p.roster.Load()
	switch {
	case only != "":
		proc := r.find(only, Draining)
		if proc == nil || !proc.lease(run, p.Runs+1) {
			return "", false
		}
		return proc.name, true
	case apart:
		return p.startApart(r, run)
	}
	now := time.Now()
	for tries := 0; tries <= len(r.ready); tries++ {
		proc := p.least(r, run.GetAccount(), avoid, now)
		if proc == nil {
			return "", false
		}
		if proc.lease(run, p.Runs) {
			return proc.name, true
		}
	}
	return "", false
}

// lease takes a place on the worker and queues the order, or neither. Runs that wait
// for a result leave their place to others, within bounds.
func (p *process) lease(run *proto.Start, limit int) bool {
	if p.inflight.Add(1)-p.held.waiting.Load() > int64(limit) {
		p.inflight.Add(-1)
		return false
	}
	p.held.take(run)
	if !p.offer(&proto.Order{Is: &proto.Order_Start{Start: run}}) {
		p.held.drop(run.GetRun())
		p.inflight.Add(-1)
		p.failures.Add(1)
		return false
	}
	p.total.Add(1)
	return true
}

const (
	youngTime  = 10 * time.Second // after a worker has become ready
	youngShare = 4                // a young worker counts each of its runs for so many
)

// load is how much a worker has to do, for comparison with others: one that is new
// gets a quarter of the runs, so that what is wrong with it costs few.
func (p *process) load(now time.Time) int64 {
	n := p.inflight.Load() + 1
	if now.Sub(p.started) < time.Duration(p.youngUntil.Load()) {
		n *= youngShare
	}
	return n
}

// least is the ready worker with the least to do, of the account's slots if one of
// those is ready; nil if there is none. Of several with equally little, chance
// decides.
func (p *Pool) least(r *roster, account, avoid string, now time.Time) *process {
	if own := p.slotsOf(account); own != allSlots {
		if proc := leastOf(r.ready, own, avoid, now); proc != nil {
			return proc
		}
	}
	return leastOf(r.ready, allSlots, avoid, now)
}

func leastOf(ready []*process, slots uint64, avoid string, now time.Time) (best *process) {
	if len(ready) == 0 {
		return nil
	}
	least, first := int64(0), rand.IntN(len(ready))
	for i := range ready {
		p := ready[(first+i)%len(ready)]
		if slots != allSlots && slots&(1<<p.slot) == 0 || p.name == avoid {
			continue
		}
		if n := p.load(now); best == nil || n < least {
			best, least = p, n
		}
	}
	return best
}

// find returns the worker with this name, if its state is before the one given; a
// slot's name alone means the one that takes its calls, or else its youngest.
func (r *roster) find(name string, before State) *process {
	slot, _, exact := strings.Cut(name, ".")
	var found *process
	for _, m := range r.members {
		switch {
		case m.proc == nil || m.State >= before:
		case exact && m.proc.name == name:
			return m.proc
		case !exact && m.State < Draining && m.ID == slot && (found == nil || m.State == Ready):
			found = m.proc
		}
	}
	return found
}

// Overdue is the reason to cancel a run that its worker should have ended itself: a
// failure of the worker.
const Overdue = "limit"

// Cancel asks a worker to end a run. A worker that cannot even be told is not
// waited for.
func (p *Pool) Cancel(worker string, run uint64, reason string) {
	proc := p.order(worker, &proto.Order{Is: &proto.Order_Cancel{Cancel: &proto.Cancel{Run: run, Reason: reason}}})
	if proc != nil && reason == Overdue {
		proc.failures.Add(1)
	}
}

// Result gives a run the answer to an instruction that it waits for. Like Cancel
// it never blocks and takes a worker that is gone, or cannot be told, as it is: a
// run that hears nothing ends by its own limits.
func (p *Pool) Result(worker string, result *proto.Result) {
	if proc := p.order(worker, &proto.Order{Is: &proto.Order_Result{Result: result}}); proc != nil {
		proc.held.answered(result.GetRun())
	}
}

// order queues what concerns a run that a worker holds. There is always room but
// on a worker that has stopped reading: the queue has several places for each run
// that a worker may hold, and a run has few orders under way. It names the worker,
// nil if that is gone.
func (p *Pool) order(worker string, o *proto.Order) *process {
	for _, m := range p.roster.Load().members {
		if m.proc != nil && m.proc.name == worker {
			m.proc.offer(o)
			return m.proc
		}
	}
	return nil
}

// Ready is the number of workers that take runs; those for suspects do not count.
func (p *Pool) Ready() int { return len(p.roster.Load().ready) }
