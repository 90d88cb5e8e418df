package load

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"syscall"
)

var (
	// errNobodyListens ends a run whose target has never answered and whose port is closed.
	errNobodyListens = errors.New("nothing listens there")
	errWrongLane     = errors.New("response at another port than its call's")
)

// receive reads what has come to the ends since the last look, and queues what is owed for it.
func (g *generator) receive() error {
	for i := range g.ends {
		if !g.poller.readable(i) {
			continue
		}
		if err := g.drain(i); err != nil {
			return err
		}
	}
	return nil
}

// drain reads one end until nothing is left. The first glance is for a few messages only, since each place
// in the inbox costs time even if nothing comes to it.
func (g *generator) drain(end int) error {
	for room := glanceSize; ; room = inboxSize {
		n, err := g.ends[end].batch.ReadBatch(g.inbox[:room], syscall.MSG_DONTWAIT)
		if err != nil {
			return g.readError(err)
		}
		for _, m := range g.inbox[:n] {
			g.accept(end, m.Addr, m.Buffers[0][:m.N])
		}
		if n < room {
			return nil
		}
	}
}

// readError keeps the errors which end the run: not an empty socket, and not a port that closed after
// it was heard from, for then the lost calls tell.
func (g *generator) readError(err error) error {
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return g.refused()
	}
	return fmt.Errorf("receive: %w", err)
}

// refused judges a closed port.
func (g *generator) refused() error {
	if g.heard {
		return nil
	}
	return errNobodyListens
}

// accept takes one datagram which came to the end, one of the lanes or the callee's.
func (g *generator) accept(end int, peer net.Addr, datagram []byte) {
	g.heard = true
	if !bytes.HasPrefix(datagram, []byte("SIP/2.0 ")) {
		g.acceptRequest(end, peer, datagram)
		return
	}
	r, err := scanResponse(datagram)
	switch {
	case err != nil:
		g.ledger.tally.surprise(err, datagram)
		return
	case r.run != g.run:
		g.ledger.tally.strays++
		return
	case end != g.lane(r.call):
		g.ledger.tally.surprise(errWrongLane, datagram)
		return
	}
	g.complete(&r)
	owed, err := g.ledger.receive(g.now(), r)
	if err != nil {
		g.ledger.tally.surprise(err, datagram)
	}
	g.reply(owed, g.lanes[end], r.call, r.dialog)
}

// complete gives a 2xx to an INVITE its route set, and the target for want of a Contact.
func (g *generator) complete(r *response) {
	if r.kind != kindInvite || r.status < 200 || r.status >= 300 {
		return
	}
	if r.dialog.remote == nil {
		r.dialog.remote = g.target
	}
	g.scratch = r.routes.append(g.scratch[:0])
	r.dialog.routes = g.scratch
}

// reply queues what is owed for a response.
func (g *generator) reply(owed reply, l *lane, call uint32, d dialog) {
	switch owed {
	case replyAck:
		g.request(l, l.requests.ackFailure, call, d)
	case replyAckOnly:
		g.request(l, l.requests.ackSuccess, call, d)
	case replyAckAndBye:
		g.request(l, l.requests.ackSuccess, call, d)
		g.request(l, l.requests.bye, call, d)
	}
}

// flush sends all that is queued.
func (g *generator) flush() error {
	for _, l := range g.ends {
		if l.queued == 0 {
			continue
		}
		if err := g.flushLane(l); err != nil {
			return err
		}
	}
	return nil
}

// flushLane counts the requests which the kernel refused. Only a port that was never open is an error.
func (g *generator) flushLane(l *lane) error {
	refused, err := l.flush()
	g.ledger.tally.sendErrors += refused
	if errors.Is(err, syscall.ECONNREFUSED) {
		return g.refused()
	}
	return nil
}
