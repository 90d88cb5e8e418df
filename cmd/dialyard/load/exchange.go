package load

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// errNobodyListens ends a run whose target has never answered and whose port is closed.
	errNobodyListens = errors.New("nothing listens there")
	errWrongLane     = errors.New("response at another port than its call's")
)

// receive reads what has come to the lanes since the last look, and queues what is owed for it.
func (g *generator) receive() error {
	for i := range g.lanes {
		if !g.poller.readable(i) {
			continue
		}
		for more := true; more; {
			n, err := g.lanes[i].batch.ReadBatch(g.inbox, syscall.MSG_DONTWAIT)
			if err != nil {
				if err := g.readError(err); err != nil {
					return err
				}
				break
			}
			for _, m := range g.inbox[:n] {
				g.accept(i, m.Buffers[0][:m.N])
			}
			more = n == len(g.inbox)
		}
	}
	return nil
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

// accept takes one datagram which came to the lane.
func (g *generator) accept(lane int, datagram []byte) {
	g.heard = true
	r, err := scanResponse(datagram)
	switch {
	case err != nil:
		g.ledger.tally.surprise(err, datagram)
		return
	case r.run != g.run:
		g.ledger.tally.strays++
		return
	case lane != g.lane(r.call):
		g.ledger.tally.surprise(errWrongLane, datagram)
		return
	}
	owed, err := g.ledger.receive(g.now(), r)
	if err != nil {
		g.ledger.tally.surprise(err, datagram)
	}
	g.reply(owed, g.lanes[lane], r)
}

// reply queues what is owed for a response. A 2xx without a Contact gets its ACK at the target.
func (g *generator) reply(owed reply, l *lane, r response) {
	if r.contact == nil {
		r.contact = g.target
	}
	switch owed {
	case replyAck:
		g.send(l, l.requests.ackFailure, r.call, r)
	case replyAckAgain:
		g.send(l, l.requests.ackSuccess, r.call, r)
	case replyAckAndBye:
		g.send(l, l.requests.ackSuccess, r.call, r)
		g.send(l, l.requests.bye, r.call, r)
	}
}

// flush sends all that is queued.
func (g *generator) flush() error {
	for _, l := range g.lanes {
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
