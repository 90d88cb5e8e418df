package sip

import (
	"hash/maphash"
	"time"
)

// A Server is one server transaction and the bytes it repeats.
type Server struct {
	Timer
	User any // the dispatcher's: what this transaction stands for

	machine Machine
	key     string
	peer    Peer
	request *Message // until the final answer
	tag     string   // To tag of every answer to it, unless the reply brings its own
	last    []byte   // what a repeated request hears again
	origin  uint64   // of an INVITE in Layer.begun; 0 for others
}

// Request is the message that opened the transaction; nil once it is answered.
func (s *Server) Request() *Message { return s.request }

// Peer is who sent it.
func (s *Server) Peer() Peer { return s.peer }

// Tag is the To tag of its answers.
func (s *Server) Tag() string { return s.tag }

// ack confirms a failure to its INVITE. Any other ACK is for a 2xx and belongs to a
// dialog, which the layer does not know.
func (l *Layer) ack(now time.Time, p Packet) Notice {
	s := l.servers[key(p.Message, "INVITE")]
	if s == nil || s.machine.State() == Accepted {
		return Notice{News: Acked, Message: p.Message, Peer: p.Peer}
	}
	l.stepServer(now, s, Ack, nil)
	return Notice{}
}

// Ack ends the repetition of an INVITE's 2xx: the dialog's ACK has come.
func (l *Layer) Ack(now time.Time, s *Server) {
	s.last = nil
	l.stepServer(now, s, Ack, nil)
}

// cancelled answers a CANCEL at once (RFC 3261 §9.2) and names the INVITE it ends,
// if that still waits for its answer.
func (l *Layer) cancelled(now time.Time, p Packet) Notice {
	s, fresh := l.open(now, p)
	if !fresh {
		return Notice{}
	}
	invite := l.servers[key(p.Message, "INVITE")]
	if invite == nil {
		l.Respond(now, s, &Reply{Status: 481})
		return Notice{}
	}
	s.tag = invite.tag
	l.Respond(now, s, &Reply{Status: 200})
	if invite.machine.State() != Proceeding {
		return Notice{}
	}
	return Notice{News: Cancelled, Server: invite}
}

// open finds the transaction of a request, or begins one. A repeat is absorbed.
func (l *Layer) open(now time.Time, p Packet) (s *Server, fresh bool) {
	k := key(p.Message, p.Method)
	if s = l.servers[k]; s != nil {
		l.stepServer(now, s, Repeat, nil)
		return s, false
	}
	return l.serve(k, p, l.NewTag()), true
}

func (l *Layer) serve(k string, p Packet, tag string) *Server {
	s := &Server{key: k, peer: p.Peer, request: p.Message, tag: tag}
	s.Owner = s
	if p.Method == "INVITE" {
		s.machine = NewInviteServer(p.Peer.Reliable())
	} else {
		s.machine = NewNonInviteServer(p.Peer.Reliable())
	}
	l.servers[k] = s
	l.peak = max(l.peak, l.Len())
	return s
}

// original reports whether an INVITE is the first of its copies: one that was forked
// on its way comes with the same Call-ID, From tag and CSeq, and another branch
// (RFC 3261 §8.2.2.2).
func (l *Layer) original(s *Server, m *Message) bool {
	var h maphash.Hash
	h.SetSeed(l.seed)
	h.WriteString(m.Get(CallID))
	h.WriteByte('\n')
	h.WriteString(parameter(m.Get(From), "tag"))
	h.WriteByte('\n')
	h.WriteString(m.Get(CSeq))
	origin := h.Sum64() | 1
	if l.begun[origin] != nil {
		return false
	}
	s.origin, l.begun[origin] = origin, s
	return true
}

// Resume opens the transaction of an INVITE that an earlier process took and did
// not answer for good. tag is the To tag it had.
func (l *Layer) Resume(p Packet, tag string) *Server {
	s := l.serve(key(p.Message, p.Method), p, tag)
	l.original(s, p.Message)
	s.last = (&Reply{Status: 100}).Encode(p.Message, p.Peer.Addr, "") // what its repetitions hear
	return s
}

// Respond answers s. After a final answer further ones are ignored: the machine
// has no transition for them.
func (l *Layer) Respond(now time.Time, s *Server, r *Reply) {
	if s.request == nil {
		return
	}
	tag := s.tag
	if r.Tag != "" {
		tag = r.Tag
	}
	data := r.Encode(s.request, s.peer.Addr, tag)
	in := Failure
	switch {
	case r.Status < 200:
		in = Provisional
	case r.Status < 300:
		in = Success
	}
	l.stepServer(now, s, in, data)
	if r.Status >= 200 {
		s.request = nil
	}
}

// Expire is called when the transaction's deadline has come.
func (l *Layer) Expire(now time.Time, s *Server) Notice {
	if out := l.stepServer(now, s, Tick, nil); out&TimedOut != 0 && s.accepted() {
		return Notice{News: Unacked, Server: s}
	}
	return Notice{}
}

// accepted reports whether the transaction is an INVITE's that had a 2xx.
func (s *Server) accepted() bool {
	m, ok := s.machine.(*InviteServer)
	return ok && m.success
}

// stepServer feeds the machine and does what it says.
func (l *Layer) stepServer(now time.Time, s *Server, in Input, data []byte) Output {
	out := s.machine.Step(now, in)
	if out&Send != 0 {
		s.last = data
	}
	if out&(Send|Resend) != 0 && s.last != nil {
		l.outbox = append(l.outbox, Datagram{Peer: s.peer, Data: s.last})
	}
	switch s.machine.State() {
	case Terminated:
		l.queue.Set(&s.Timer, time.Time{})
		if l.servers[s.key] == s {
			delete(l.servers, s.key)
		}
		if s.origin != 0 {
			delete(l.begun, s.origin)
		}
		l.shrink()
		return out
	case Confirmed:
		s.last = nil
	}
	l.queue.Set(&s.Timer, s.machine.Deadline())
	return out
}

// key names a server transaction (RFC 3261 §17.2.3): branch, sent-by, method.
func key(m *Message, method string) string {
	return m.Branch + "\n" + m.SentBy + "\n" + method
}
