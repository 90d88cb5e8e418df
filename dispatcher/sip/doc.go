// Package sip is the edge between the network and the dispatcher: sockets, the
// guard, and transactions.
//
//	datagram / stream
//	    │ Scan             splits and judges a message; the guard's word is final
//	    ▼
//	 Message ──────────────▶ Layer.Receive(now, packet)   one Layer per shard
//	                             │ Server and Client machines, pure, in one Queue
//	                             ▼ of deadlines
//	                           Notice   what the dispatcher is told
//	Peer.Send ◀── outbox ◀── Layer.Respond, Send, Cancel, SendAck
//
// What is sent carries the shard's mark in branch and tags (mark.go), so that answers
// and requests within a Dialog find their owner. Outbound chooses the socket, or makes
// the connection, that a request leaves by.
//
// What it owns: the bytes. Nothing outside this package sees an unchecked
// octet, and nothing inside it knows what a call or a plan is. sipgo reads URIs
// and name-addrs (address.go); everything that decides whether a message may
// live is here, because a lenient parser behind a strict proxy is how requests
// are smuggled.
//
// What it guarantees: a message that passes Scan has exactly one From, To,
// Call-ID and CSeq, at least one Via with an RFC 3261 branch, a CSeq that names
// its method, and no control octet in any header. A request reaches the
// dispatcher once however often it is repeated; its answer is repeated for it.
// Replies go to the address a packet came from, never to one a packet names.
//
// When a neighbour dies: a stream that breaks ends its transactions' transport,
// not the process; a full mailbox drops the datagram (the peer repeats it) or
// closes the stream, and counts it.
package sip
