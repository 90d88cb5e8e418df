package load

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

const (
	// burst is how many consecutive calls leave through one lane before the next lane has its turn, so
	// that calls start in order and still share system calls.
	burst = 16
	// maxStarts bounds the calls started between two looks at the sockets, however far behind.
	maxStarts = 256
	// linger is how long a run listens on for duplicates after the last answer: longer than T1, after
	// which a server sends again what it saw no ACK for (RFC 3261 section 17.2.1).
	linger = timerT1 + 100*time.Millisecond
	// patience bounds a sleep, so that the end of the context is seen.
	patience = 10 * time.Millisecond
)

// generator is one run: the pure ledger, the lanes and the clock between them.
type generator struct {
	ledger  *ledger
	lanes   []*lane // where calls leave
	ends    []*lane // the lanes, and behind them the callee's
	callee  *callee // nil when calls are answered elsewhere
	poller  *poller
	inbox   []ipv4.Message
	run     uint32
	grain   time.Duration
	target  []byte // Request-URI of the calls
	scratch []byte // Route lines, or the block of a response
	cut     bool   // the context has ended
	began   time.Time
	heard   bool          // anything at all has come from the target
	settled time.Duration // when the ledger first had nothing to wait for, 0 before
}

// Run places the calls which the options describe and returns what became of them. When ctx ends early
// no more calls start, those in flight keep their Timeout, and the report covers them. Lost calls are no
// error of Run; wrong options, a closed port which never answered, and sockets that fail are.
func Run(ctx context.Context, o Options) (Report, error) {
	o = o.withDefaults()
	t, err := parseTarget(o.Target)
	if err != nil {
		return Report{}, err
	}
	if err := o.check(); err != nil {
		return Report{}, err
	}
	g, err := newGenerator(t, o)
	if err != nil {
		return Report{}, err
	}
	defer closeLanes(g.ends)

	planned, cpu := g.ledger.plan.calls, cpuTime()
	done := make(chan error)
	go g.own(ctx, done)
	if err := <-done; err != nil {
		return Report{}, fmt.Errorf("call %s: %w", o.Target, err)
	}
	r := g.ledger.tally.report(g.callee != nil)
	r.Target, r.Rate, r.Planned, r.Sockets, r.Timeout = o.Target, o.Rate, int(planned), o.Sockets, o.Timeout
	r.Elapsed, r.CPU, r.Overflowed = g.settled, cpuTime()-cpu, droppedBy(g.ends)
	return r, nil
}

// newGenerator opens the sockets of a run. The caller closes them.
func newGenerator(t target, o Options) (*generator, error) {
	g := &generator{
		ledger: newLedger(newSchedule(o.Rate, o.Duration), o),
		inbox:  newMessages(inboxSize, datagramSize),
		run:    newRun(),
		grain:  o.Grain,
		target: []byte(t.uri),
	}
	var err error
	if g.lanes, err = openLanes(t, o, g.run); err != nil {
		return nil, err
	}
	g.ends = g.lanes
	if o.Answer == "" {
		return g, nil
	}
	if err := g.answerAt(o); err != nil {
		closeLanes(g.lanes)
		return nil, err
	}
	return g, nil
}

// answerAt adds the callee.
func (g *generator) answerAt(o Options) error {
	addr, err := parseAnswer(o.Answer)
	if err != nil {
		return err
	}
	end, err := openCallee(addr)
	if err != nil {
		return err
	}
	g.ends = append(slices.Clip(g.lanes), end)
	g.callee = newCallee(g.ledger, o.Ring, o.PickUp, func(peer net.Addr, a answer, block []byte) {
		g.respond(end, peer, a, block)
	})
	g.ledger.callee = g.callee
	return nil
}

// cpuTime is the user and system time which this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// own runs the loop on a thread of its own. The thread ends with the goroutine, since it stays locked:
// its timer slack is no longer like that of the others.
func (g *generator) own(ctx context.Context, done chan<- error) {
	runtime.LockOSThread()
	done <- g.generate(ctx)
}

// generate is the loop of the run. It returns when every call is settled and the linger is over.
func (g *generator) generate(ctx context.Context) (err error) {
	if g.poller, err = newPoller(g.ends); err != nil {
		return err
	}
	g.began = time.Now()
	for {
		if err := g.receive(); err != nil {
			return err
		}
		now := g.now()
		if ctx.Err() != nil {
			g.cutShort(now)
		}
		g.work(now)
		if err := g.flush(); err != nil {
			return err
		}
		if g.over(now) {
			return nil
		}
		if err := g.pause(); err != nil {
			return err
		}
	}
}

// work does what is due by now.
func (g *generator) work(now time.Duration) {
	g.ledger.expire(now)
	g.start(now)
	g.ledger.resend(now, g.invite)
	g.ledger.release(now, maxStarts, g.bye)
	if g.callee != nil {
		g.callee.tick(now)
	}
}

// cutShort starts no more calls. The first that is held is hung up now and the others follow at the pace
// at which they were answered.
func (g *generator) cutShort(now time.Duration) {
	if !g.cut {
		g.cut = true
		g.ledger.plan.calls = g.ledger.started
		g.ledger.held.hurry(now)
	}
}

func (g *generator) now() time.Duration { return time.Since(g.began) }

// start begins the calls which are due.
func (g *generator) start(now time.Duration) {
	due := min(g.ledger.plan.due(now), g.ledger.started+maxStarts)
	for g.ledger.started < due {
		g.invite(g.ledger.start(now))
	}
}

// lane is where all requests of the call leave.
func (g *generator) lane(call uint32) int {
	return int(call/burst) % len(g.lanes)
}

func (g *generator) invite(call uint32) {
	l := g.lanes[g.lane(call)]
	g.request(l, l.requests.invite, call, dialog{})
}

func (g *generator) bye(call uint32, d dialog) {
	l := g.lanes[g.lane(call)]
	g.request(l, l.requests.bye, call, d)
}

// request queues a request, with what the dialog says for its holes.
func (g *generator) request(l *lane, f form, call uint32, d dialog) {
	b := g.room(l, nil)
	*b = f.append(*b, call, d)
}

// respond queues a response.
func (g *generator) respond(l *lane, peer net.Addr, a answer, block []byte) {
	b := g.room(l, peer)
	*b = l.frames[a].append(*b, block)
}

// room is a buffer in the lane's outbox. A full outbox leaves first.
func (g *generator) room(l *lane, peer net.Addr) *[]byte {
	b := l.next(peer)
	if b == nil {
		_ = g.flushLane(l) // a closed port shows again at the flush that ends this round
		b = l.next(peer)
	}
	return b
}

// pause lets a grain pass, and then the time until there is something to do.
func (g *generator) pause() error {
	if g.grain > 0 {
		if err := g.poller.rest(g.grain); err != nil {
			return err
		}
	}
	return g.poller.wait(g.nap())
}

// nap is how long nothing is due. What is sent again can wait for as long as patience lasts.
func (g *generator) nap() time.Duration {
	now, nap := g.now(), patience
	if g.ledger.started < g.ledger.plan.calls {
		nap = min(nap, g.ledger.plan.at(g.ledger.started)-now)
	}
	nap = g.ledger.held.within(now, nap)
	if g.callee != nil {
		nap = g.callee.pickUp.within(now, g.callee.ring.within(now, nap))
	}
	return nap
}

// over says that nothing more can come, or that it has had its time: a call its Timeout, the talk its
// Hold, and a BYE a Timeout again.
func (g *generator) over(now time.Duration) bool {
	l := g.ledger
	end := l.plan.at(l.plan.calls) + l.held.delay + 2*l.timeout
	if g.settled == 0 && (l.settled() || now >= end) {
		g.settled = now
	}
	return g.settled > 0 && now >= g.settled+linger
}
