package load

import (
	"context"
	"fmt"
	"runtime"
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
	lanes   []*lane
	poller  *poller
	inbox   []ipv4.Message
	run     uint32
	grain   time.Duration
	target  []byte // Request-URI of the calls
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
	run := newRun()
	lanes, err := openLanes(t, o, run)
	if err != nil {
		return Report{}, err
	}
	defer closeLanes(lanes)

	g := &generator{
		ledger: newLedger(newSchedule(o.Rate, o.Duration), o.Timeout, o.Retransmit),
		lanes:  lanes,
		inbox:  newMessages(inboxSize, datagramSize),
		run:    run,
		grain:  o.Grain,
		target: []byte(t.uri),
	}
	planned, cpu := g.ledger.plan.calls, cpuTime()
	done := make(chan error)
	go g.own(ctx, done)
	if err := <-done; err != nil {
		return Report{}, fmt.Errorf("call %s: %w", o.Target, err)
	}
	r := g.ledger.tally.report()
	r.Target, r.Rate, r.Planned, r.Sockets, r.Timeout = o.Target, o.Rate, int(planned), o.Sockets, o.Timeout
	r.Elapsed, r.CPU, r.Overflowed = g.settled, cpuTime()-cpu, droppedBy(lanes)
	return r, nil
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
	if g.poller, err = newPoller(g.lanes); err != nil {
		return err
	}
	g.began = time.Now()
	for {
		if err := g.receive(); err != nil {
			return err
		}
		now := g.now()
		g.ledger.expire(now)
		if ctx.Err() != nil {
			g.ledger.plan.calls = g.ledger.started
		}
		g.start(now)
		g.ledger.resend(now, g.invite)
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
	g.send(l, l.requests.invite, call, response{})
}

// send queues a request, with what the response says for its holes. A full outbox leaves first.
func (g *generator) send(l *lane, f form, call uint32, r response) {
	if !l.queue(f, call, r.to, r.contact) {
		_ = g.flushLane(l) // a closed port shows again at the flush that ends this round
		l.queue(f, call, r.to, r.contact)
	}
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

// nap is how long nothing is due.
func (g *generator) nap() time.Duration {
	if g.ledger.started == g.ledger.plan.calls {
		return patience
	}
	return min(g.ledger.plan.at(g.ledger.started)-g.now(), patience)
}

// over says that nothing more can come, or that it has had its time: a call its Timeout, and a BYE as
// much again.
func (g *generator) over(now time.Duration) bool {
	l := g.ledger
	if g.settled == 0 && (l.settled() || now >= l.plan.at(l.plan.calls)+2*l.timeout) {
		g.settled = now
	}
	return g.settled > 0 && now >= g.settled+linger
}
