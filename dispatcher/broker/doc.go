// Package broker does for scripts what a worker cannot reach itself: HTTP, the
// DNS, the account's keys and values, and its named limits.
//
//	worker ── Ask ──> shard ── Begin ──> allowance   of the run, spent or not
//	                                     check       every field, by worker.proto
//	                                     crowd       a place, or "busy"
//	                                       │ one goroutine for each place
//	                    ┌──────────┬───────┴──┬──────────┐
//	                  fetch      lookup      keep      claim (at once)
//	                    │          │        Keeper     Claimer
//	                policy ──> name servers
//	                    └──> connection, if its very address is allowed
//	          <── Answer, in a few words or with what was found
//
// # Parts
//
// What may be asked is decided by values and functions that wait for nothing: the
// [Policy] of an account, the [Allowance] of a run, the checks of each field
// (check.go, header.go, target.go), which addresses are public (address.go) and how
// the places are shared (crowd.go). Around them are two shells, one for HTTP
// (fetch.go, client.go) and one for the DNS (lookup*.go).
//
// # Guarantees
//
//   - [Broker.Begin] and [Broker.Ask] never wait. What cannot begin at once is
//     refused as busy. No account gets more than what it leaves free, so a storm of
//     one leaves places for the next, and three storms leave a quarter.
//   - done is called exactly once, and soon after the context ends.
//   - A connection is made only to an address that the account may reach. That is
//     judged on the address the kernel is about to connect to, not on a name or on
//     an earlier answer of the DNS, for the first request and for every redirect.
//   - Accounts share no connections: what one may reach, another cannot reuse.
//   - Memory is bounded whatever a script asks and a server sends: places, bytes of
//     each answer, the cache of the DNS, connections that are kept.
//   - The words of an error say what a script may know, and nothing of what lies
//     behind a refusal.
//
// # When a neighbour dies
//
// A server that hangs costs its askers their time limit and nobody else a place. A
// [Keeper] that hangs fills its own places; HTTP and the DNS go on. When a worker is
// lost, the contexts of its runs end and so does the work. What was sent out by then
// has been sent: an Ask is an effect.
package broker
