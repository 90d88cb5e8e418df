// Package load places many calls at a steady rate and says how they fared.
//
// It is an open-loop generator: call n of a run is due at n/rate seconds whatever became of the calls
// before it, and its latency counts from that due instant. A server that stalls for a second is
// therefore charged for every call that was due in that second, not only for the one it kept waiting.
//
// # One goroutine
//
// A run is one goroutine on one OS thread. It owns the sockets, the calls in flight and the counts, so
// there is nothing to lock:
//
//	       +--> receive: recvmmsg -> scanResponse -> ledger.receive -> ACK, BYE queued
//	       |       expire:  the ledger closes calls which are past their Timeout
//	poller |       start:   schedule says how many calls are due -> INVITEs queued
//	       |       resend:  Timer A, when asked for
//	       +---<   flush:   sendmmsg, one system call for what was queued
//
// The schedule, the forms of the requests, the scanner of responses and the ledger are pure: they see
// bytes and instants and have no sockets or clocks.
//
// # Calls are numbers
//
// A call's number is written into its branch, From tag and Call-ID, next to the number of the run, and
// read back out of its responses. The calls in flight are a flat ring indexed by that number. Since call
// numbers and due instants follow each other in order, each timer is a cursor which moves over the ring:
// no map, no timer object and no allocation for a call. (What golang.org/x/net allocates for the source
// address of each datagram is the exception.)
//
// # A call
//
// INVITE, provisional responses ignored, final response, ACK; after a 2xx also a BYE (RFC 3261 sections
// 13.2.2.4, 15.1.1 and 17.1.1.3). Retransmissions of the INVITE are off unless asked for, so that a lost
// datagram shows as a lost call.
//
// The generator talks to loopback addresses only. It is no tool against other people's servers.
package load
