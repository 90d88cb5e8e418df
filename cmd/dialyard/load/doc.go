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
//	       |                      -> scanRequest  -> callee         -> 180, 200 queued
//	       |       expire:  the ledger closes calls which are past their Timeout
//	poller |       start:   schedule says how many calls are due -> INVITEs queued
//	       |       resend:  Timer A, when asked for
//	       |       release: BYEs of calls that were held long enough
//	       |       tick:    the callee rings, picks up, repeats its 200
//	       +---<   flush:   sendmmsg, one system call for what was queued
//
// The schedule, the forms of the requests, the scanners, the ledger and the callee are pure: they see
// bytes and instants and have no sockets or clocks.
//
// # Calls are numbers
//
// A call's number is written into its branch, From tag and Call-ID, next to the number of the run, and
// read back out of its responses. The calls in flight are a flat ring indexed by that number. Since call
// numbers and due instants follow each other in order, each timer is a cursor which moves over the ring:
// no map, no timer object and no allocation for a call. (What golang.org/x/net allocates for the source
// address of each datagram is the exception.) What waits for a fixed time from an event, such as the end
// of a call that is held, stands in a queue of bytes whose head is the timer of all.
//
// # A call
//
// INVITE, provisional responses, final response, ACK; after a 2xx also a BYE, at once or when the call has
// been held (RFC 3261 sections 13.2.2.4, 15.1.1 and 17.1.1.3). Retransmissions of the INVITE are off unless asked for, so that a lost
// datagram shows as a lost call.
//
// # Both ends
//
// With Options.Answer the run is the callee too, for a server that dials it:
//
//	caller --INVITE--> server --INVITE--> callee
//	       <---180----        <---180----
//	       <---200----        <---200----
//	       ----ACK--->        ----ACK--->
//	       ----BYE--->        ----BYE--->
//	       <---200----        <---200----
//
// The server may give its leg another Call-ID and other tags. The offer goes through, so its origin line
// tells the callee which call this is; from then on the callee's own tag does. An INVITE of a call which
// the callee has already, in another transaction, is a call placed twice: it is refused and counted. The
// callee answers every call, so a CANCEL is unexpected.
//
// The generator talks to loopback addresses only. It is no tool against other people's servers.
package load
