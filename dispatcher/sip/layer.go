package sip

import (
	"hash/maphash"
	"math/rand/v2"
	"time"
)

// A Layer holds the transactions of one shard. It is pure in the sense that
// matters: given the same seed, packets and times it does the same, and what it
// wants sent lies in the outbox until the shard takes it.
//
// Not safe for concurrent use; the shard's goroutine owns it.
type Layer struct {
	queue   *Queue
	servers map[string]*Server
	clients map[string]*Client
	begun   map[uint64]*Server // INVITEs that began a dialog, by their origin
	seed    maphash.Seed
	peak    int
	random  *rand.ChaCha8
	mark    byte // the shard's number, first in every tag and branch
	outbox  []Datagram
}

// A Datagram is a message to be sent.
type Datagram struct {
	Peer Peer
	Data []byte
}

// News is what the layer tells the dispatcher.
type News uint8

// All the news there is.
const (
	None      News = iota // absorbed
	NewCall               // Server: an INVITE
	NewOther              // Server: another request; it wants an answer
	Cancelled             // Server: the caller gave up; the CANCEL itself is answered
	Acked                 // Message: an ACK that belongs to no failed INVITE, so to a 2xx
	Unacked               // Server: its 2xx was never acknowledged
	Answer                // Client, Message: a response, each provisional one and the final one
	Silent                // Client: no answer in time
	Stray                 // Message: a 2xx of an INVITE from someone not yet heard, or no longer known
)

func (n News) String() string {
	return [...]string{"-", "new call", "new request", "cancelled", "acked", "unacked", "answer", "silent", "stray"}[n]
}

// A Notice is one piece of news and what it is about.
type Notice struct {
	News
	Server  *Server
	Client  *Client
	Message *Message
	Peer    Peer // who sent Message
}

// NewLayer returns an empty layer whose deadlines go into queue. seed decides
// every tag and branch it will make; mark is the number of the shard in them.
func NewLayer(queue *Queue, seed [32]byte, mark byte) *Layer {
	return &Layer{
		queue: queue, servers: map[string]*Server{}, clients: map[string]*Client{}, begun: map[uint64]*Server{},
		seed:   maphash.MakeSeed(),
		random: rand.NewChaCha8(seed), mark: mark,
	}
}

// Receive takes one packet that the guard let through.
func (l *Layer) Receive(now time.Time, p Packet) Notice {
	if !p.IsRequest() {
		return l.response(now, p)
	}
	switch p.Method {
	case "ACK":
		return l.ack(now, p)
	case "CANCEL":
		return l.cancelled(now, p)
	}
	s, fresh := l.open(now, p)
	switch {
	case !fresh:
		return Notice{}
	case p.Method == "INVITE":
		if p.ToTag() == "" && !l.original(s, p.Message) {
			l.Respond(now, s, &Reply{Status: 482})
			return Notice{}
		}
		return Notice{News: NewCall, Server: s}
	}
	return Notice{News: NewOther, Server: s}
}

// Outbox returns what is to be sent, in order, and empties it. The slice is
// valid until the layer is used again.
func (l *Layer) Outbox() []Datagram {
	out := l.outbox
	l.outbox = l.outbox[:0]
	return out
}

// Len is the number of open transactions.
func (l *Layer) Len() int { return len(l.servers) + len(l.clients) }

// shrink replaces emptied tables after a peak: Go's maps never shrink.
func (l *Layer) shrink() {
	if l.Len() == 0 && l.peak > 4096 {
		l.servers, l.clients, l.begun, l.peak = map[string]*Server{}, map[string]*Client{}, map[uint64]*Server{}, 0
	}
}
