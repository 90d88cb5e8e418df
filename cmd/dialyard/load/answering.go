package load

import (
	"errors"
	"net"
	"net/netip"
)

var (
	errNoDialog     = errors.New("request outside of every dialog")
	errStray        = errors.New("request to a call of an earlier run")
	errNotSpoken    = errors.New("request which no call here asks for")
	errUnacceptable = errors.New("INVITE where nobody answers")
)

// acceptRequest takes one datagram which is no response, answers it and counts it.
func (g *generator) acceptRequest(end int, peer net.Addr, datagram []byte) {
	q, err := scanRequest(datagram)
	if err != nil {
		g.ledger.tally.surprise(err, datagram)
		return
	}
	switch {
	case q.method == "OPTIONS":
		g.answer(end, peer, &q, answerAble)
	case q.method == "INVITE" && q.tag == nil:
		err = g.acceptInvite(end, peer, &q)
	case q.method == "ACK":
		err = g.acceptAck(end, &q)
	case q.method == "BYE":
		err = g.acceptBye(end, peer, &q)
	default:
		g.answer(end, peer, &q, answerUnable)
		err = errNotSpoken
	}
	if err != nil {
		g.ledger.tally.surprise(err, datagram)
	}
}

// acceptInvite gives a call of this run to the callee.
func (g *generator) acceptInvite(end int, peer net.Addr, q *request) error {
	if !g.isCallee(end) {
		g.answer(end, peer, q, answerNobody)
		return errUnacceptable
	}
	run, call, ok := offeredBy(q.body)
	if ok && run != g.run {
		g.ledger.tally.strays++
		g.answer(end, peer, q, answerNobody)
		return nil
	}
	err := errForeignInvite
	if ok {
		err = g.callee.invite(g.now(), call, q.leg(), peer, g.block(q, peer, call, sideCallee))
	}
	switch err {
	case errForeignInvite:
		g.answer(end, peer, q, answerNobody)
	case errSecondLeg:
		g.respond(g.ends[end], peer, answerBusy, g.block(q, peer, call, sideBusy))
		return nil // it has a count of its own
	}
	return err
}

// acceptAck takes an ACK to a 2xx. One to our own refusal has done its work already.
func (g *generator) acceptAck(end int, q *request) error {
	run, call, side, ok := parseTag(q.tag)
	switch {
	case ok && side == sideBusy:
		return nil
	case ok && run != g.run:
		g.ledger.tally.strays++
		return nil
	case !ok || side != sideCallee || !g.isCallee(end):
		return errNoDialog
	}
	return g.callee.ack(call)
}

// acceptBye takes a BYE, to the callee or to a caller.
func (g *generator) acceptBye(end int, peer net.Addr, q *request) error {
	err := g.hungUp(end, q.tag)
	switch err {
	case nil:
		g.answer(end, peer, q, answerDone)
	case errCutOff:
		g.answer(end, peer, q, answerDone)
		return nil // it has a count of its own
	case errStray:
		g.answer(end, peer, q, answerGone)
		return nil
	default:
		g.answer(end, peer, q, answerGone)
	}
	return err
}

// hungUp tells the side of the call to which the tag leads.
func (g *generator) hungUp(end int, tag []byte) error {
	run, call, side, ok := parseTag(tag)
	switch {
	case !ok:
		return errNoDialog
	case run != g.run:
		g.ledger.tally.strays++
		return errStray
	case side == sideCallee && g.isCallee(end):
		return g.callee.bye(call)
	case side == sideCaller && !g.isCallee(end):
		return g.ledger.cutOff(call)
	}
	return errNoDialog
}

func (g *generator) isCallee(end int) bool { return end >= len(g.lanes) }

// answer queues a response outside of the calls of this run, or to a request which has its tag.
func (g *generator) answer(end int, peer net.Addr, q *request, a answer) {
	g.respond(g.ends[end], peer, a, g.block(q, peer, 0, sideBusy))
}

// block is the block of a response, valid until the next.
func (g *generator) block(q *request, peer net.Addr, call uint32, side byte) []byte {
	var tag [2*callDigits + 1]byte
	from := peer.(*net.UDPAddr).AddrPort()
	g.scratch = q.appendBlock(g.scratch[:0], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), appendTag(tag[:0], g.run, call, side))
	return g.scratch
}
