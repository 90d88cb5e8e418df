package sip

import (
	"slices"
	"time"
)

// A Client is one client transaction: a request that was sent and waits for its
// answer.
type Client struct {
	Timer
	User any // the dispatcher's: what the request was sent for

	machine   Machine
	method    string
	branch    string
	peer      Peer
	request   *Request // until it is of no more use
	data      []byte   // the request as it is repeated
	quit      *Field   // set: to be cancelled, with this Reason
	cancelled bool     // the CANCEL is on its way
	remote    string   // To tag of the 2xx
	answered  bool     // it had a 2xx
	ack       []byte   // that answers each repetition of the 2xx
}

// Branch names the transaction in the network.
func (c *Client) Branch() string { return c.branch }

// Peer is whom the request was sent to.
func (c *Client) Peer() Peer { return c.peer }

// Send opens a client transaction. user comes back with every answer; without one,
// nobody is told. The request must not be changed any more.
func (l *Layer) Send(now time.Time, r *Request, to Peer, user any) *Client {
	return l.send(now, r, to, user, l.newBranch())
}

func (l *Layer) send(now time.Time, r *Request, to Peer, user any, branch string) *Client {
	c := l.client(now, r, to, user, branch)
	l.outbox = append(l.outbox, Datagram{Peer: to, Data: c.data})
	return c
}

// client enters a transaction into the table.
func (l *Layer) client(now time.Time, r *Request, to Peer, user any, branch string) *Client {
	c := &Client{User: user, method: r.Method, branch: branch, peer: to, request: r, data: r.encode(to.Transport, to.Self, branch)}
	c.Owner = c
	if r.Method == "INVITE" {
		c.machine = NewInviteClient(now, to.Reliable())
	} else {
		c.machine = NewNonInviteClient(now, to.Reliable())
	}
	l.clients[clientKey(branch, r.Method)] = c
	l.peak = max(l.peak, l.Len())
	l.queue.Set(&c.Timer, c.machine.Deadline())
	return c
}

// Rejoin opens the transaction of an INVITE that an earlier process sent and that
// was answered provisionally.
func (l *Layer) Rejoin(now time.Time, r *Request, to Peer, user any, branch string) *Client {
	c := l.client(now, r, to, user, branch)
	l.stepClient(now, c, Provisional)
	return c
}

// Reaccept opens the transaction of an INVITE that an earlier process sent and that was
// answered 2xx, which is still to be acknowledged.
func (l *Layer) Reaccept(now time.Time, to Peer, branch string) *Client {
	c := l.client(now, &Request{Method: "INVITE"}, to, nil, branch)
	c.answered = true
	l.stepClient(now, c, Success)
	return c
}

// SendAck sends the ACK of a 2xx, outside of any transaction (RFC 3261 §13.2.2.4).
// If c is still known it repeats the ACK for each repetition of the 2xx.
func (l *Layer) SendAck(r *Request, to Peer, c *Client) {
	data := r.encode(to.Transport, to.Self, l.newBranch())
	l.outbox = append(l.outbox, Datagram{Peer: to, Data: data})
	if c != nil && c.machine.State() == Accepted {
		c.ack, c.peer = data, to
	}
}

// Cancel asks the other side to give an INVITE up, as soon as it has answered
// provisionally (RFC 3261 §9.1). The final answer is still to come. reason is the
// value of a Reason header, or empty.
func (l *Layer) Cancel(now time.Time, c *Client, reason string) {
	if c.quit == nil {
		c.quit = &Field{Name: "Reason", Value: reason}
	}
	if c.machine.State() == Proceeding {
		l.sendCancel(now, c)
	}
}

func (l *Layer) sendCancel(now time.Time, c *Client) {
	if c.cancelled {
		return
	}
	c.cancelled = true
	var headers []Field
	if c.quit.Value != "" {
		headers = []Field{*c.quit}
	}
	l.send(now, c.request.hopByHop("CANCEL", c.request.To, headers), c.peer, nil, c.branch)
	if m, ok := c.machine.(*InviteClient); ok {
		m.GiveUp(now)
		l.queue.Set(&c.Timer, m.Deadline())
	}
}

// response finds the transaction a response belongs to (RFC 3261 §17.1.3).
func (l *Layer) response(now time.Time, p Packet) Notice {
	c := l.clients[clientKey(p.Branch, p.Method)]
	success := p.Status >= 200 && p.Status < 300
	if c == nil || success && c.machine.State() == Completed {
		switch {
		case p.Method != "INVITE":
		case success:
			return Notice{News: Stray, Message: p.Message, Peer: p.Peer}
		case p.Status >= 300:
			l.ackStray(p)
		}
		return Notice{}
	}
	in := Failure
	switch {
	case p.Status < 200:
		in = Provisional
	case success:
		in = Success
	}
	first := !c.answered
	out := l.stepClient(now, c, in)
	switch {
	case out&SendAck != 0:
		l.ackFailure(c, p.Message)
	case in == Provisional && c.quit != nil && out&Deliver != 0:
		l.sendCancel(now, c)
	case success && p.Method == "INVITE" && out&Deliver != 0:
		return l.accepted(c, p, first)
	}
	if out&Deliver == 0 || c.User == nil {
		return Notice{}
	}
	return Notice{News: Answer, Client: c, Message: p.Message, Peer: p.Peer}
}

// accepted tells the first 2xx from its repetitions and from those of other
// parties behind a proxy that forked.
func (l *Layer) accepted(c *Client, p Packet, first bool) Notice {
	tag := p.ToTag()
	switch {
	case first:
		c.remote, c.answered = tag, true
		if c.User == nil {
			return Notice{News: Stray, Client: c, Message: p.Message, Peer: p.Peer}
		}
		return Notice{News: Answer, Client: c, Message: p.Message, Peer: p.Peer}
	case tag != c.remote && c.remote != "":
		return Notice{News: Stray, Message: p.Message, Peer: p.Peer}
	case c.ack != nil:
		l.outbox = append(l.outbox, Datagram{Peer: c.peer, Data: c.ack})
	}
	return Notice{}
}

// ackFailure acknowledges a final answer other than 2xx (RFC 3261 §17.1.1.3).
func (l *Layer) ackFailure(c *Client, m *Message) {
	if c.ack == nil {
		ack := c.request.hopByHop("ACK", m.Get(To), nil)
		c.ack = ack.encode(c.peer.Transport, c.peer.Self, c.branch)
		c.request, c.data = nil, nil
	}
	l.outbox = append(l.outbox, Datagram{Peer: c.peer, Data: c.ack})
}

// ackStray acknowledges the refusal of an INVITE that an earlier process sent, so that
// it is not repeated. All that the ACK is known by stands in the answer.
func (l *Layer) ackStray(p Packet) {
	if _, own := OwnerOfBranch(p.Branch); !own {
		return
	}
	to, err := ParseAddress(p.Get(To))
	if err != nil {
		return
	}
	ack := Request{Method: "ACK", URI: to.URI.Text, From: p.Get(From), To: p.Get(To), CallID: p.Get(CallID), Seq: p.Seq, Hops: MaxHops}
	l.outbox = append(l.outbox, Datagram{Peer: p.Peer, Data: ack.encode(p.Peer.Transport, p.Peer.Self, p.Branch)})
}

// Break ends the transactions whose peer cannot be connected to; their users hear of
// silence.
func (l *Layer) Break(now time.Time, peer Peer) (notices []Notice) {
	var broken []string
	for key, c := range l.clients {
		if c.peer.Addr == peer.Addr && c.peer.Transport == peer.Transport && c.data != nil {
			broken = append(broken, key)
		}
	}
	slices.Sort(broken) // a map's order is nobody's
	for _, key := range broken {
		c := l.clients[key]
		if l.stepClient(now, c, Broken)&Failed != 0 && c.User != nil {
			notices = append(notices, Notice{News: Silent, Client: c})
		}
	}
	return notices
}

// Abort forgets a request whose answer is of no interest any more.
func (l *Layer) Abort(c *Client) { c.User = nil }

// ExpireClient is called when the transaction's deadline has come.
func (l *Layer) ExpireClient(now time.Time, c *Client) Notice {
	out := l.stepClient(now, c, Tick)
	switch {
	case out&GaveUp != 0:
		l.Cancel(now, c, "")
	case out&TimedOut != 0 && c.User != nil:
		return Notice{News: Silent, Client: c}
	}
	return Notice{}
}

func (l *Layer) stepClient(now time.Time, c *Client, in Input) Output {
	out := c.machine.Step(now, in)
	if out&Resend != 0 {
		l.outbox = append(l.outbox, Datagram{Peer: c.peer, Data: c.data})
	}
	if c.machine.State() == Terminated {
		l.queue.Set(&c.Timer, time.Time{})
		delete(l.clients, clientKey(c.branch, c.method))
		l.shrink()
		return out
	}
	if in == Success || in == Failure && c.method != "INVITE" {
		c.request, c.data = nil, nil // it is not repeated any more
	}
	l.queue.Set(&c.Timer, c.machine.Deadline())
	return out
}

// clientKey names a client transaction: a CANCEL has the branch of its INVITE.
func clientKey(branch, method string) string { return branch + method }
