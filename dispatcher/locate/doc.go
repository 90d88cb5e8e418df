// Package locate finds where to send a SIP request: from the host, port and
// transport of a URI to the addresses to try, in order (RFC 3263).
//
//	Target -> IP literal, localhost            one Hop, nothing is asked
//	       -> port given                       A and AAAA of the host
//	       -> transport given                  SRV of that transport
//	       -> else NAPTR -> SRV of what it names
//	                none -> SRV of each transport that we speak
//	          no SRV at all                    A and AAAA of the host, default port
//
//	SRV (priority, weight) -> targets -> A, AAAA -> at most 16 Hops
//
// # Parts
//
// The walk of RFC 3263 (walk.go), the choice among NAPTR records (naptr.go), the
// order of SRV records (order.go), the reading of an answer (message.go) and the
// cache (cache.go) are pure: they take answers, the time and the random numbers.
// [Resolver] is the shell around them. It asks the name servers (exchange.go),
// lets equal questions wait for one answer (flight.go) and reads the hosts file
// and the list of name servers (local.go).
//
// Two things are kept. Answers, by question, for their TTL; and plans, by Target,
// for the shortest TTL among the answers they were made from. A plan is all that
// [Resolver.Cached] looks at, so the call path pays for one map lookup and the
// fresh weighted shuffle that each call is owed.
//
// # Guarantees
//
//   - [Resolver.Lookup] ends within its Total, with whatever a name server does.
//     It leaves no goroutine behind.
//   - [Resolver.Cached] never waits for the network, a file or another lookup.
//   - An address is unicast, never unspecified, and an IPv4 address is never
//     dressed as IPv6. Whether it may be called (loopback, private, our own) is
//     the caller's policy: this package says where a name points, not more.
//   - SIPS is TLS or an error, whatever the zone says.
//   - Memory is bounded whatever a zone holds: records per answer, targets per
//     plan, plans and answers as a whole.
//
// # What is believed
//
// A reply counts if its id and question are ours. Of its answer section only the
// chain of aliases that begins at the question, and the records at its end, are
// read. The additional section is not: addresses there may belong to names the
// zone does not own, so one reply could place any name in the cache. Asking for
// them costs a round trip to a name server that has them at hand.
//
// # When name servers fail
//
// The next one is asked, and is asked first from then on. A question nobody
// answers is remembered as failed for two seconds (RFC 9520), so a dead zone
// costs the calls that wait for it, not the name servers. What fails in part is
// used in part: hops that resolved are returned, and looked up again soon.
package locate
