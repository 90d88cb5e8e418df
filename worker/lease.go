package worker

import (
	"math/rand/v2"
	"strings"

	"dialyard/proto"
)

// A roster is what shards see of the pool: immutable, replaced as a whole.
type roster struct {
	ready   []*process // take runs
	members []status   // all that exist, for readers of the pool's state
}

// Start delivers a run to the ready worker with the fewest runs and names it. If
// only is given, "w1" or "w1.3", no other may take it, and that one also when it
// is not ready: this is a probe, for which a place is kept. A worker called avoid
// is passed over. It reports false if no worker had room. It never blocks.
func (p *Pool) Start(run *proto.Start, only, avoid string) (worker string, ok bool) {
	r := p.roster.Load()
	if only != "" {
		proc := r.find(only)
		if proc == nil || !proc.lease(run, p.Runs+1) {
			return "", false
		}
		return proc.name, true
	}
	for tries := 0; tries <= len(r.ready); tries++ {
		proc := r.least(avoid)
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
		return false
	}
	p.total.Add(1)
	return true
}

// least is the ready worker with the fewest runs, nil if there is none. Of several
// with equally few, chance decides.
func (r *roster) least(avoid string) (best *process) {
	if len(r.ready) == 0 {
		return nil
	}
	fewest, first := int64(0), rand.IntN(len(r.ready))
	for i := range r.ready {
		p := r.ready[(first+i)%len(r.ready)]
		if n := p.inflight.Load(); p.name != avoid && (best == nil || n < fewest) {
			best, fewest = p, n
		}
	}
	return best
}

// find returns the worker with this name; a slot's name alone means the one that
// takes its calls, or else its youngest.
func (r *roster) find(name string) *process {
	slot, _, exact := strings.Cut(name, ".")
	var found *process
	for _, m := range r.members {
		switch {
		case m.proc == nil || m.State >= Draining:
		case exact && m.proc.name == name:
			return m.proc
		case !exact && m.ID == slot && (found == nil || m.State == Ready):
			found = m.proc
		}
	}
	return found
}

// Cancel asks a worker to end a run. A worker that cannot even be told is not
// waited for.
func (p *Pool) Cancel(worker string, run uint64, reason string) {
	p.order(worker, &proto.Order{Is: &proto.Order_Cancel{Cancel: &proto.Cancel{Run: run, Reason: reason}}})
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

// Ready is the number of workers that take runs.
func (p *Pool) Ready() int { return len(p.roster.Load().ready) }
