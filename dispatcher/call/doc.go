// Package call is the life of one call, without a network, a clock or a worker.
//
// A Call is made when an INVITE arrives. Everything that happens to it afterwards
// is an Event; everything it wants done is an Effect; Step turns one into the
// other and is the only function that changes a Call. A time is an argument, a
// timer is an effect (Wake) that comes back as an event (Tick).
//
//	        Begin: run                Placed
//	(new) ────────────▶ Placing ───────────────▶ Running
//	  │                 │  ▲  ▲                  │    │
//	  │ Refused:        │  └──┘ Unplaced: wake   │    │ Lost, nothing noticed
//	  │ respond         │  (3 tries in 2 s)      │    │ yet, first attempt:
//	  │                 │     ▲                  │    │ run again
//	  │                 │     └──────────────────┼────┘
//	  │   no worker:    │ Cancelled:             │ Reject, Redirect: respond
//	  │   respond 503   │ respond 487            │ Cancelled: respond 487, stop
//	  │                 │                        │ Tick (too long): respond 500, stop
//	  ▼                 ▼                        ▼
//	 Over ◀──────────── Over ◀──────────────── Closing
//	                      Done, Lost, Tick: over
//
// Abandon leads from every state to Over: the front stops, or has failed at the call.
//
// In Closing the caller has its final answer and the script its last second, for
// tags and log lines. Over is reached once; then the call's Record is complete
// and the shell writes it. A run that is Done or Lost in Running without having
// decided is answered from the table in outcome.go and goes straight to Over.
//
// The package imports the standard library only. What it does not know: SIP
// syntax, transactions, wire formats, accounts' limits, which worker is best.
package call
