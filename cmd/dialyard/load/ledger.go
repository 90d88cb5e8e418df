package load

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// phase is how far a call has come.
//
//	         1xx              >= 300
//	calling ----> proceeding --------> refused
//	   |  \___________|   \
//	   |       |           \  2xx         Hold            BYE answered
//	   |       | Timeout    +-----> held -----> hangingUp ------------> ended
//	   |       v                     |
//	   +---> lost                    +---- a BYE from the server -----> ended
//	           |
//	           +---- a final after all ----> refused, held
//
// Without a Hold nothing stays held.
type phase uint8

const (
	unused phase = iota
	calling
	proceeding
	lost
	refused
	held
	hangingUp
	ended
)

func (p phase) String() string {
	names := [...]string{"unused", "calling", "proceeding", "lost", "refused", "held", "hangingUp", "ended"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// reply is what the generator owes the server for a response.
type reply uint8

const (
	replyNothing   reply = iota
	replyAck             // ACK to a final response which is not a 2xx
	replyAckAndBye       // ACK to the first 2xx, then BYE
	replyAckOnly         // ACK to a 2xx which came again, or whose call is held
)

// ends are the sides at which a call is over.
type ends uint8

const (
	endCaller ends = 1 << iota // the BYE was answered
	endCallee                  // the BYE was heard
	endBoth   = endCaller | endCallee
)

// flight is one call in the ring.
type flight struct {
	call   uint32
	status uint16 // of the first final response, 0 before it
	phase  phase
	ends   ends
	rung   bool          // a 180 was heard
	bye    time.Duration // when its BYE was due
}

// ledger follows the calls of a run from their start to their end and counts what becomes of them. It is
// pure: it knows the time by being told, as the time since the start of the run, and sends nothing.
type ledger struct {
	plan    schedule
	timeout time.Duration
	ring    []flight // call n is at n modulo its length, a power of two
	started uint32   // calls below this number have started
	open    uint32   // calls at or above this number may still be waiting within their Timeout
	waiting int      // calls without a final response that are not lost
	timerA  []cursor
	held    queue    // dialogs until their BYE is due
	byes    repeater // BYEs without an answer, when asked for
	callee  *callee  // nil when calls are answered elsewhere
	tally   *tally
}

// newLedger makes room for every call that is due within twice the timeout, so that a final response may
// come up to a timeout late and still find its call; and when calls are held, for the time until their
// BYE is given up.
func newLedger(plan schedule, o Options) *ledger {
	life := 2 * o.Timeout
	if o.Hold > 0 {
		life += o.Hold + o.Timeout
	}
	l := &ledger{
		plan:    plan,
		timeout: o.Timeout,
		ring:    make([]flight, 1<<bits.Len(uint(min(plan.span(life), int(plan.calls))))),
		held:    queue{delay: o.Hold},
		tally:   newTally(o.Timeout),
	}
	if o.Retransmit {
		l.timerA = newTimerA(o.Timeout)
		l.byes = newRepeater(o.Timeout)
	}
	return l
}

// at is the ring's place for the call.
func (l *ledger) at(call uint32) *flight {
	return &l.ring[int(call)&(len(l.ring)-1)]
}

// find is the started call with this number, or nil when there is none or its place was taken.
func (l *ledger) find(call uint32) *flight {
	if f := l.at(call); call < l.started && f.call == call {
		return f
	}
	return nil
}

// start begins the next call at now and returns its number.
func (l *ledger) start(now time.Duration) uint32 {
	call := l.started
	*l.at(call) = flight{call: call, phase: calling}
	l.started++
	l.waiting++
	l.tally.sent++
	l.tally.lag.record(now - l.plan.at(call))
	return call
}

// Why a well-formed response has no place in its call.
var (
	errUnknownCall   = errors.New("response to a call which never was or is long over")
	errSecondThought = errors.New("second final response with another status")
	errByeRefused    = errors.New("BYE refused or never sent")
	errUndescribed   = errors.New("2xx without the callee's session description")
)

// receive takes a response which scanResponse accepted and says what to send for it. The reply is due
// even with an error, which means that the response was unexpected.
func (l *ledger) receive(now time.Duration, r response) (reply, error) {
	f := l.find(r.call)
	switch {
	case f == nil:
		return replyNothing, errUnknownCall
	case r.kind == kindBye:
		return replyNothing, l.byeAnswered(now, f, r.status)
	case r.status < 200:
		l.provisional(now, f, r.status)
		return replyNothing, nil
	}
	switch f.phase {
	case calling, proceeding:
		l.waiting--
		l.tally.answer(r.status, now-l.plan.at(r.call))
		return l.finish(now, f, r)
	case lost:
		l.tally.late++
		return l.finish(now, f, r)
	}
	return l.again(f, r.status)
}

func (l *ledger) provisional(now time.Duration, f *flight, status int) {
	l.tally.provisional++
	if f.phase == calling {
		f.phase = proceeding
	}
	if status == 180 && !f.rung {
		f.rung = true
		l.tally.ring(now - l.plan.at(f.call))
	}
}

// again takes a final response after the first: a retransmission, or the server has changed its mind.
func (l *ledger) again(f *flight, status int) (owed reply, err error) {
	if int(f.status) == status {
		l.tally.duplicates++
	} else {
		err = errSecondThought
	}
	if status < 300 {
		return replyAckOnly, err
	}
	return replyAck, err
}

// finish moves a call on at its first final response.
func (l *ledger) finish(now time.Duration, f *flight, r response) (owed reply, err error) {
	f.status = uint16(r.status)
	if r.status >= 300 {
		f.phase = refused
		return replyAck, nil
	}
	if l.callee != nil && !r.described {
		err = errUndescribed
	}
	if l.held.delay > 0 {
		l.hold(now, f, r.dialog)
		return replyAckOnly, err
	}
	l.hangUp(now, now, f, r.dialog)
	return replyAckAndBye, err
}

// expire gives up the calls which have waited for their Timeout.
func (l *ledger) expire(now time.Duration) {
	for l.open < l.started && l.plan.at(l.open)+l.timeout <= now {
		if f := l.at(l.open); f.phase == calling || f.phase == proceeding {
			f.phase = lost
			l.waiting--
			l.tally.lost++
		}
		l.open++
	}
}

// settled says that every call of the plan has started and nothing is waited for.
func (l *ledger) settled() bool {
	return l.started == l.plan.calls && l.waiting == 0 && l.held.waiting == 0 &&
		l.tally.byes == l.tally.byesAnswered && (l.callee == nil || l.callee.settled())
}
