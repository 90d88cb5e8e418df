package dispatcher

import (
	"fmt"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/proto"
)

// simFleet is the pool of workers. Each takes runs, says what a script might say, and
// may die of it.
type simFleet struct {
	w       *simWorld
	workers []*simWorker
}

// A simWorker is a worker process of one slot and generation.
type simWorker struct {
	name string
	dead bool
	runs map[uint64]*simRun
}

func newSimFleet(w *simWorld) *simFleet {
	f := &simFleet{w: w}
	for i := range 1 + w.random.IntN(3) {
		f.workers = append(f.workers, &simWorker{name: fmt.Sprintf("w%d", i+1), runs: map[uint64]*simRun{}})
	}
	return f
}

// Start takes a run, or has no room for it.
func (f *simFleet) Start(start *proto.Start, _, avoid string, _ bool) (worker string, ok bool) {
	if f.w.chance(0.03) {
		return "", false
	}
	for range 4 {
		worker := pick(f.w, f.workers...)
		if worker.dead || worker.name == avoid {
			continue
		}
		c := f.w.owners[start.Facts.CallId]
		f.w.note(c, "run %x on %s, attempt %d", start.Run, worker.name, start.Attempt)
		r := newSimRun(f, worker, c, start.Run)
		worker.runs[start.Run] = r
		f.w.after(r.pause(), r.next)
		return worker.name, true
	}
	return "", false
}

func (f *simFleet) worker(name string) *simWorker {
	for _, w := range f.workers {
		if w.name == name {
			return w
		}
	}
	return &simWorker{}
}

// Cancel ends a run, after a while or not at all.
func (f *simFleet) Cancel(worker string, run uint64, reason string) {
	r := f.worker(worker).runs[run]
	if r == nil {
		return
	}
	f.w.note(r.call, "run %x is told to end: %s", run, reason)
	if f.w.chance(0.9) {
		f.w.after(f.w.upTo(100*time.Millisecond), func() { r.done(proto.Outcome_OUTCOME_CANCELLED) })
	}
}

// Result answers a dial.
func (f *simFleet) Result(worker string, result *proto.Result) {
	r := f.worker(worker).runs[result.Run]
	if r == nil || f.worker(worker).dead {
		return
	}
	f.w.note(r.call, "run %x has the result %v", result.Run, result.GetDialled())
	if result.Seq != r.waits {
		f.w.fault(r.call, "run %x waits for the answer to %d and has one to %d", result.Run, r.waits, result.Seq)
		return
	}
	r.waits = 0
	f.w.after(r.pause(), func() { r.dialled(result.GetDialled()) })
}

// Ready is the number of workers that take runs.
func (f *simFleet) Ready() (n int) {
	for _, w := range f.workers {
		if !w.dead {
			n++
		}
	}
	return n
}

// kill ends some worker. The front hears of it a while later, and another takes its
// place.
func (f *simFleet) kill() {
	i := f.w.random.IntN(len(f.workers))
	was := f.workers[i]
	if was.dead || !f.w.front.up {
		return
	}
	was.dead = true
	f.w.tally["dead workers"]++
	f.w.note(simEverybody, "%s dies", was.name)
	front := f.w.front
	f.w.after(f.w.upTo(3*time.Second), func() {
		if !front.up {
			return
		}
		f.workers[i] = &simWorker{name: was.name + "'", runs: map[uint64]*simRun{}}
		front.Lost(was.name)
		front.collect()
	})
}

// killAll is for a front that is killed: its workers die with it.
func (f *simFleet) killAll() {
	for i, w := range f.workers {
		w.dead = true
		f.workers[i] = &simWorker{name: w.name + "'", runs: map[uint64]*simRun{}}
	}
}

// A simRun is a script. What it says is drawn when it says it.
type simRun struct {
	fleet  *simFleet
	worker *simWorker
	call   *simCall
	front  *simFront
	id     uint64
	seq    uint32
	waits  uint32 // for the answer to this instruction
	ended  bool
	dials  int
	tried  []*proto.DialLeg
}

func newSimRun(f *simFleet, worker *simWorker, c *simCall, id uint64) *simRun {
	return &simRun{fleet: f, worker: worker, call: c, front: f.w.front, id: id}
}

// pause is how long the script takes for its next word.
func (r *simRun) pause() time.Duration {
	w := r.fleet.w
	if w.chance(0.02) {
		return w.upTo(15 * time.Second)
	}
	return w.upTo(20 * time.Millisecond)
}

// say sends reports to the front, if the worker lives.
func (r *simRun) say(report *proto.Report) {
	if r.worker.dead || !r.front.up || r.ended {
		return
	}
	r.fleet.w.note(r.call, "%s says %v", r.worker.name, report)
	r.front.Reports(r.worker.name, []*proto.Report{report})
	r.front.collect()
}

func (r *simRun) instruct(i *proto.Instruction) {
	r.seq++
	i.Run, i.Seq = r.id, r.seq
	if r.fleet.w.chance(0.002) {
		i.Seq += 3 // it breaks the protocol
	}
	r.say(&proto.Report{Is: &proto.Report_Instruction{Instruction: i}})
}

func (r *simRun) done(o proto.Outcome) {
	r.say(&proto.Report{Is: &proto.Report_Done{Done: &proto.Done{Run: r.id, Outcome: o}}})
	r.ended = true
	delete(r.worker.runs, r.id)
}

// next is the script's next word.
func (r *simRun) next() {
	w := r.fleet.w
	if r.ended || r.worker.dead {
		return
	}
	switch p := w.random.Float64(); {
	case p < 0.10:
		r.instruct(&proto.Instruction{Is: &proto.Instruction_Ring{Ring: &proto.Ring{Code: uint32(180 + w.random.IntN(4))}}})
	case p < 0.15:
		r.instruct(&proto.Instruction{Is: &proto.Instruction_Tag{Tag: &proto.Tag{Name: "a", Value: "b"}}})
	case p < 0.18:
		r.instruct(&proto.Instruction{Is: &proto.Instruction_SetHeader{SetHeader: &proto.SetHeader{Header: &proto.Header{Name: "X-Plan", Value: "1"}}}})
	case p < 0.24:
		code := pick[uint32](w, 403, 404, 486, 500, 603)
		r.instruct(&proto.Instruction{Is: &proto.Instruction_Reject{Reject: &proto.Reject{Code: code}}})
	case p < 0.27:
		r.instruct(&proto.Instruction{Is: &proto.Instruction_Redirect{Redirect: &proto.Redirect{Code: 302, Targets: []string{"sip:else@example.net"}}}})
	case p < 0.31:
		r.done(pick(w, proto.Outcome_OUTCOME_FINISHED, proto.Outcome_OUTCOME_ERROR, proto.Outcome_OUTCOME_LIMIT))
		return
	case p < 0.32:
		return // it hangs
	default:
		r.dial()
		return
	}
	w.after(r.pause(), r.next)
}

// dial calls some targets, new ones or those of before.
func (r *simRun) dial() {
	w := r.fleet.w
	r.dials++
	d := &proto.Dial{}
	if w.chance(0.2) {
		d.TimeoutMs = uint32(w.random.IntN(40_000))
	}
	for range 1 + w.random.IntN(2) {
		group := &proto.DialGroup{}
		for range 1 + w.random.IntN(w.legs) {
			group.Legs = append(group.Legs, r.leg())
		}
		d.Groups = append(d.Groups, group)
	}
	r.instruct(&proto.Instruction{Is: &proto.Instruction_Dial{Dial: d}})
	r.waits = r.seq
}

func (r *simRun) leg() *proto.DialLeg {
	w, c := r.fleet.w, r.call
	if len(r.tried) > 0 && w.chance(0.2) {
		leg := pick(w, r.tried...)
		c.dialled[simUser(leg.Target)]++
		return leg
	}
	leg := &proto.DialLeg{Target: r.target(), Redirects: pick(w, proto.Redirects_REDIRECTS_UNSPECIFIED, proto.Redirects_REDIRECTS_FOLLOW, proto.Redirects_REDIRECTS_RETURN)}
	c.dialled[simUser(leg.Target)]++
	if w.chance(0.5) {
		leg.RingMs = uint32(1 + w.random.IntN(30_000))
	}
	if w.chance(0.2) {
		leg.DelayMs = uint32(w.random.IntN(5_000))
	}
	if w.chance(0.1) {
		leg.AnsweredMs = uint32(1 + w.random.IntN(20_000))
	}
	if w.chance(0.1) {
		leg.Transfers = pick(w, proto.Transfers_TRANSFERS_NONE, proto.Transfers_TRANSFERS_PASS)
	}
	if w.chance(0.1) {
		leg.Headers = []*proto.Header{{Name: "X-Leg", Value: "1"}}
	}
	r.tried = append(r.tried, leg)
	return leg
}

func (r *simRun) target() string {
	w := r.fleet.w
	switch p := w.random.Float64(); {
	case p < 0.15:
		return r.call.newUser() + "@" + pick(w, simGatewayNames...)
	case p < 0.17:
		return r.call.newUser() + "@nowhere"
	case p < 0.19:
		return "sip:" + r.call.newUser() + "@203.0.113.5:5060" // forbidden
	case p < 0.20:
		return "sip:" + r.call.newUser() + "@" + simFrontAddr.String()
	}
	uri, _ := r.call.newTarget()
	return uri
}

// dialled goes on when a dial is over.
func (r *simRun) dialled(d *proto.Dialled) {
	w := r.fleet.w
	switch {
	case r.ended || r.worker.dead:
	case d.GetStatus() == proto.DialStatus(call.DialAnswered):
		if w.chance(0.2) {
			r.instruct(&proto.Instruction{Is: &proto.Instruction_Tag{Tag: &proto.Tag{Name: "answered", Value: "yes"}}})
		}
		if !w.chance(0.05) {
			r.done(proto.Outcome_OUTCOME_FINISHED)
		}
	case r.dials < 3 && w.chance(0.4):
		r.dial()
	case w.chance(0.5):
		r.done(proto.Outcome_OUTCOME_FINISHED)
	default:
		r.next()
	}
}
