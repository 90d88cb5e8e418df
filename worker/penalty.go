package worker

import (
	"os"
	"strconv"
	"strings"
	"time"

	"dialyard/proto"
)

// Penalty workers run what is suspected of killing workers. They are slots like the
// others, after those, and nobody else's runs go there. The first is always there; the
// others are started when a suspect finds none that it would have for itself, and leave
// when nobody has needed them for a while.
const (
	penaltySlots = 4
	penaltyIdle  = time.Minute
)

// startApart delivers a run of a suspect to a penalty worker that holds runs of its
// version only. When there is none another is started, and meanwhile it shares one
// with other suspects: their calls are not to wait for its innocence.
func (p *Pool) startApart(r *roster, run *proto.Start) (worker string, ok bool) {
	for _, proc := range r.penalty {
		if proc.held.only(run) && proc.lease(run, p.Runs) {
			proc.needed.Store(int64(time.Since(proc.started)))
			return proc.name, true
		}
	}
	p.wantPenalty()
	if proc := leastOf(r.penalty, allSlots, "", time.Now()); proc != nil && proc.lease(run, p.Runs) {
		proc.needed.Store(int64(time.Since(proc.started)))
		return proc.name, true
	}
	return "", false
}

// wantPenalty asks for one more penalty worker. The pool may be too busy to hear it;
// then the next one who needs it asks.
func (p *Pool) wantPenalty() {
	select {
	case p.penalties <- struct{}{}:
	default:
	}
}

// morePenalty fills the first penalty slot that is empty and not in a pause, unless one
// is being filled.
func (p *Pool) morePenalty(now time.Time) {
	for i := p.Slots; i < len(p.slots); i++ {
		members := p.slots[i].Members()
		if len(members) > 0 && members[len(members)-1].State < Ready {
			return
		}
	}
	for i := p.Slots; i < len(p.slots); i++ {
		if len(p.slots[i].Members()) == 0 && !p.slots[i].Pausing(now) {
			p.step(i, SlotEvent{Kind: Wanted})
			return
		}
	}
}

// fewerPenalty lets the penalty workers go that nobody needs.
func (p *Pool) fewerPenalty(now time.Time) {
	for i := p.Slots + 1; i < len(p.slots); i++ {
		for _, m := range p.slots[i].Members() {
			proc := p.processes[p.nameOf(i, m.Generation)]
			if m.State == Ready && proc != nil && now.Sub(proc.lastNeeded()) > penaltyIdle && proc.inflight.Load() == 0 {
				p.step(i, SlotEvent{Kind: Unwanted, Reason: "no suspects"})
				break
			}
		}
	}
}

// lastNeeded is when a suspect was last sent here, or the start.
func (p *process) lastNeeded() time.Time {
	return p.started.Add(time.Duration(p.needed.Load()))
}

// A Loss says that the runs of a worker are not waited for any longer.
type Loss struct {
	Worker string // "w1.3"
	Reason string
	// Versions had a run on it, one of which may have caused this. There are none
	// if the loss was planned.
	Versions []Version
	// Penalty says that it was a penalty worker: if there is one version, it was
	// alone.
	Penalty bool
	// Outside says that a signal did it that nobody here sent.
	Outside bool
}

// A Version names a version of a plan.
type Version struct {
	Account string `json:"account"`
	Plan    string `json:"plan"`
	Number  uint32 `json:"version"`
}

// loss tells the host about a worker that is given up.
func (p *Pool) loss(proc *process, e SlotEffect) Loss {
	l := Loss{Worker: proc.name, Reason: e.Reason, Penalty: proc.slot >= p.Slots, Outside: proc.hurt()}
	switch by := proc.breacher.Load(); {
	case !e.Blame:
	case by != nil:
		l.Versions = []Version{*by}
	default:
		l.Versions = proc.held.versions()
	}
	return l
}

// hurt reports whether somebody else than this pool has stopped or killed the process.
func (p *process) hurt() bool {
	select {
	case <-p.exited:
		return p.exit == "signal: killed" && !p.signalled.Load()
	default:
		return isStopped(int(p.pid.Load()))
	}
}

// isStopped reports whether a process was stopped by a signal (proc(5)).
func isStopped(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.HasPrefix(rest, "T")
}
