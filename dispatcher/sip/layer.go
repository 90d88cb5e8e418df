package sip

import (
	"math/rand/v2"
	"time"
)

// A Layer holds the server transactions of one shard. It is pure in the sense
// that matters: given the same seed, packets and times it does the same, and
// what it wants sent lies in the outbox until the shard takes it.
//
// Not safe for concurrent use; the shard's goroutine owns it.
type Layer struct {
	queue   *Queue
	servers map[string]*Server
	peak    int
	random  *rand.ChaCha8
	mark    byte // the shard, first in every tag
	outbox  []Datagram
}

// A Datagram is a message to be sent.
type Datagram struct {
	Peer Peer
	Data []byte
}

// A Server is one server transaction and the bytes it repeats.
type Server struct {
	Timer
	User any // the dispatcher's: what this transaction stands for

	machine Machine
	key     string
	peer    Peer
	request *Message // until the final answer
	tag     string   // To tag of every answer to it
	last    []byte   // what a repeated request hears again
}

// Request is the message that opened the transaction; nil once it is answered.
func (s *Server) Request() *Message { return s.request }

// Peer is who sent it.
func (s *Server) Peer() Peer { return s.peer }

// News is what the layer tells the dispatcher of one packet.
type News uint8

// All the news there is.
const (
	None      News = iota // absorbed
	NewCall               // an INVITE
	NewOther              // another request; it wants an answer
	Cancelled             // the caller gave up; the CANCEL itself is answered
)

// NewLayer returns an empty layer whose deadlines go into queue. seed decides
// every tag it will make; mark names the shard in them.
func NewLayer(queue *Queue, seed [32]byte, mark byte) *Layer {
	return &Layer{queue: queue, servers: map[string]*Server{}, random: rand.NewChaCha8(seed), mark: mark}
}

// Receive takes one packet that the guard let through.
func (l *Layer) Receive(now time.Time, p Packet) (News, *Server) {
	if !p.IsRequest() {
		return None, nil // no client transaction is open on the front yet
	}
	switch p.Method {
	case "ACK":
		if s := l.servers[key(p.Message, "INVITE")]; s != nil {
			l.step(now, s, Ack, nil)
		}
		return None, nil
	case "CANCEL":
		return l.cancel(now, p)
	}
	s, fresh := l.open(now, p)
	switch {
	case !fresh:
		return None, nil
	case p.Method == "INVITE":
		return NewCall, s
	}
	return NewOther, s
}

// cancel answers a CANCEL at once (RFC 3261 §9.2) and names the INVITE it ends,
// if that still waits for its answer.
func (l *Layer) cancel(now time.Time, p Packet) (News, *Server) {
	s, fresh := l.open(now, p)
	if !fresh {
		return None, nil
	}
	invite := l.servers[key(p.Message, "INVITE")]
	if invite == nil {
		l.Respond(now, s, &Reply{Status: 481})
		return None, nil
	}
	s.tag = invite.tag
	l.Respond(now, s, &Reply{Status: 200})
	if invite.machine.State() != Proceeding {
		return None, nil
	}
	return Cancelled, invite
}

// open finds the transaction of a request, or begins one. A repeat is absorbed.
func (l *Layer) open(now time.Time, p Packet) (s *Server, fresh bool) {
	k := key(p.Message, p.Method)
	if s = l.servers[k]; s != nil {
		l.step(now, s, Repeat, nil)
		return s, false
	}
	s = &Server{key: k, peer: p.Peer, request: p.Message, tag: l.newTag()}
	s.Owner = s
	if p.Method == "INVITE" {
		s.machine = NewInviteServer(p.Peer.Reliable())
	} else {
		s.machine = NewNonInviteServer(p.Peer.Reliable())
	}
	l.servers[k] = s
	l.peak = max(l.peak, len(l.servers))
	return s, true
}

// Respond answers s. After a final answer further ones are ignored: the machine
// has no transition for them.
func (l *Layer) Respond(now time.Time, s *Server, r *Reply) {
	if s.request == nil {
		return
	}
	data := r.Encode(s.request, s.peer.Addr, s.tag)
	in := Failure
	switch {
	case r.Status < 200:
		in = Provisional
	case r.Status < 300:
		in = Success
	}
	l.step(now, s, in, data)
	if r.Status >= 200 {
		s.request, s.User = nil, nil
	}
}

// Expire is called when the transaction's deadline has come.
func (l *Layer) Expire(now time.Time, s *Server) { l.step(now, s, Tick, nil) }

// step feeds the machine and does what it says.
func (l *Layer) step(now time.Time, s *Server, in Input, data []byte) {
	out := s.machine.Step(now, in)
	if out&Send != 0 {
		s.last = data
	}
	if out&(Send|Resend) != 0 && s.last != nil {
		l.outbox = append(l.outbox, Datagram{Peer: s.peer, Data: s.last})
	}
	switch s.machine.State() {
	case Terminated:
		l.close(s)
		return
	case Confirmed:
		s.last = nil
	}
	l.queue.Set(&s.Timer, s.machine.Deadline())
}

// close forgets a transaction. Go's maps never shrink, so an emptied one is
// replaced after a peak.
func (l *Layer) close(s *Server) {
	l.queue.Set(&s.Timer, time.Time{})
	delete(l.servers, s.key)
	if len(l.servers) == 0 && l.peak > 4096 {
		l.servers, l.peak = map[string]*Server{}, 0
	}
}

// Outbox returns what is to be sent, in order, and empties it. The slice is
// valid until the layer is used again.
func (l *Layer) Outbox() []Datagram {
	out := l.outbox
	l.outbox = l.outbox[:0]
	return out
}

// Len is the number of open transactions.
func (l *Layer) Len() int { return len(l.servers) }

// key names a server transaction (RFC 3261 §17.2.3): branch, sent-by, method.
func key(m *Message, method string) string {
	return m.Branch + "\n" + m.SentBy + "\n" + method
}

const tagAlphabet = "0123456789abcdefghijklmnopqrstuv"

// newTag makes a To tag: the shard's mark and 60 random bits (RFC 3261 §19.3
// asks for 32).
func (l *Layer) newTag() string {
	bits := l.random.Uint64()
	tag := [13]byte{l.mark}
	for i := 1; i < len(tag); i++ {
		tag[i] = tagAlphabet[bits&31]
		bits >>= 5
	}
	return string(tag[:])
}
