package load

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// legPhase is how far a call has come at the callee.
//
//	        INVITE          Ring           PickUp            BYE
//	absent --------> placed ------> ringing ------> talking ------> over
//
// The ACK is noted beside it: on its way it may be overtaken by the BYE.
type legPhase uint8

const (
	absent legPhase = iota
	placed
	ringing
	talking
	over
)

func (p legPhase) String() string {
	names := [...]string{"absent", "placed", "ringing", "talking", "over"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("legPhase(%d)", uint8(p))
}

// leg is one call at the callee.
type leg struct {
	call         uint32
	phase        legPhase
	acknowledged bool
	invite       uint64   // number of the INVITE's transaction, to know it again
	peer         net.Addr // where its responses go, until the ACK
}

// callee follows the calls of the ledger at the end which is called. Like the ledger it is pure. It takes
// each request together with the block of its response, and calls send for each response that is due, at
// once or later.
type callee struct {
	calls  *ledger
	legs   []leg // call n is at n modulo its length, a power of two
	ring   queue
	pickUp queue
	repeat repeater // of the 2xx
	send   func(peer net.Addr, a answer, block []byte)
}

func newCallee(calls *ledger, ring, pickUp time.Duration, send func(net.Addr, answer, []byte)) *callee {
	return &callee{
		calls:  calls,
		legs:   make([]leg, len(calls.ring)),
		ring:   queue{delay: ring},
		pickUp: queue{delay: pickUp},
		repeat: newRepeater(64 * timerT1),
		send:   send,
	}
}

// Why a request has no place at the callee.
var (
	errForeignInvite = errors.New("INVITE without the session description of a call in flight")
	errForeignBye    = errors.New("BYE for no call that is answered")
	errForeignAck    = errors.New("ACK for no call that is answered")
	errSecondLeg     = errors.New("second leg of one call")
)

// find is the leg of the call, nil if the call has none.
func (c *callee) find(call uint32) *leg {
	if l := &c.legs[int(call)&(len(c.legs)-1)]; l.phase != absent && l.call == call {
		return l
	}
	return nil
}

// invite takes an INVITE outside of dialogs. A second one of the same call with another transaction is a
// call placed twice, and refused.
func (c *callee) invite(now time.Duration, call uint32, transaction uint64, peer net.Addr, block []byte) error {
	if c.calls.find(call) == nil {
		return errForeignInvite
	}
	l := c.find(call)
	switch {
	case l == nil:
		l = &c.legs[int(call)&(len(c.legs)-1)]
		*l = leg{call: call, phase: placed, invite: transaction, peer: peer}
		c.calls.tally.callee.invited++
		if c.ring.delay > 0 {
			c.ring.push(now, call, block, nil, nil)
			return nil
		}
		c.rings(now, l, block)
		return nil
	case l.invite != transaction:
		c.calls.tally.callee.doubled++
		return errSecondLeg
	}
	c.calls.tally.callee.repeats++
	if l.phase == ringing { // RFC 3261 section 17.2.1; a 2xx repeats itself
		c.send(peer, answerRinging, block)
	}
	return nil
}

func (c *callee) rings(now time.Duration, l *leg, block []byte) {
	l.phase = ringing
	c.send(l.peer, answerRinging, block)
	if c.pickUp.delay > 0 {
		c.pickUp.push(now, l.call, block, nil, nil)
		return
	}
	c.picksUp(now, l, block)
}

func (c *callee) picksUp(now time.Duration, l *leg, block []byte) {
	l.phase = talking
	c.calls.tally.callee.answered++
	c.send(l.peer, answerPickUp, block)
	c.repeat.push(now, l.call, block, nil, nil)
}

// ack takes the ACK to a 2xx.
func (c *callee) ack(call uint32) error {
	l := c.find(call)
	if l == nil || l.phase < talking {
		return errForeignAck
	}
	if !l.acknowledged {
		l.acknowledged, l.peer = true, nil
		c.calls.tally.callee.acknowledged++
	}
	return nil
}

// bye takes a BYE. With an error there is nothing to hang up.
func (c *callee) bye(call uint32) error {
	l := c.find(call)
	if l == nil || l.phase < talking {
		return errForeignBye
	}
	if l.phase == over {
		c.calls.tally.callee.repeats++
		return nil
	}
	l.phase = over
	c.calls.tally.callee.hungUp++
	c.calls.endAt(call, endCallee)
	return nil
}

// tick does what is due by now. A call whose place another has taken is long over.
func (c *callee) tick(now time.Duration) {
	for e, ok := c.ring.pop(now); ok; e, ok = c.ring.pop(now) {
		if l := c.find(e.call); l != nil {
			c.rings(now, l, e.texts[0])
		}
	}
	for e, ok := c.pickUp.pop(now); ok; e, ok = c.pickUp.pop(now) {
		if l := c.find(e.call); l != nil {
			c.picksUp(now, l, e.texts[0])
		}
	}
	c.repeat.tick(now, func(e entry) bool {
		l := c.find(e.call)
		if l == nil || l.acknowledged {
			return false
		}
		c.calls.tally.callee.repeated++
		c.send(l.peer, answerPickUp, e.texts[0])
		return true
	})
}

// settled says that every answered call is acknowledged and hung up.
func (c *callee) settled() bool {
	t := &c.calls.tally.callee
	return t.answered == t.acknowledged && t.answered == t.hungUp
}
