package worker

import (
	"context"
	"sync"

	"dialyard/proto"
)

// checks are the bundles being checked. Off the call path; a mutex is enough.
type checks struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]checking
}

// checking is a bundle and the worker that was asked about it.
type checking struct {
	by     *process
	answer chan *proto.Checked
}

func (c *checks) begin(by *process) (uint64, chan *proto.Checked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[uint64]checking{}
	}
	c.last++
	answer := make(chan *proto.Checked, 1)
	c.waiting[c.last] = checking{by, answer}
	return c.last, answer
}

// finish takes an answer, if it comes from the worker that was asked.
func (c *checks) finish(by *process, checked *proto.Checked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, ok := c.waiting[checked.GetId()]; ok && w.by == by {
		w.answer <- checked
		delete(c.waiting, checked.GetId())
	}
}

func (c *checks) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// checker is a worker that can compile: connected and not in doubt. One for suspects
// is the best: nobody has judged the bundle yet.
func (r *roster) checker() (found *process) {
	if len(r.penalty) > 0 {
		return r.penalty[0]
	}
	for _, m := range r.members {
		if m.proc != nil && (m.State == Ready || m.State == Probing && found == nil) {
			found = m.proc
		}
	}
	return found
}

// Check compiles a bundle in a worker. It returns what is wrong with the
// bundle, or an error if no worker could say.
func (p *Pool) Check(ctx context.Context, files map[string][]byte) (*proto.ScriptError, error) {
	proc := p.roster.Load().checker()
	if proc == nil {
		return nil, errNoReady
	}
	id, answer := p.checks.begin(proc)
	defer p.checks.forget(id)
	order := &proto.Order{Is: &proto.Order_Check{Check: &proto.Check{Id: id, Bundle: bundleOf("", files)}}}
	select {
	case proc.outbox <- order:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case c := <-answer:
		return c.Error, nil
	case <-proc.stop:
		return nil, errCheckLost
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bundleOf is a bundle as it goes over the wire.
func bundleOf(hash string, files map[string][]byte) *proto.Bundle {
	b := &proto.Bundle{Hash: hash, Missing: files == nil}
	for name, source := range files {
		b.Files = append(b.Files, &proto.File{Name: name, Source: source})
	}
	return b
}
