// Package call is the life of one call, without a network, a clock or a worker.
//
// A Call is made when an INVITE arrives. Everything that happens to it afterwards
// is an Event; everything it wants done is an Effect; Step turns one into the
// other and is the only function that changes a Call. A time is an argument, a
// timer is an effect (Wake) that comes back as an event (Tick).
//
//	New ── Begin ──▶ Placing ── Placed ──▶ Running ── Dial ──▶ Dialling
//	 │                 │  ▲                │  │  ▲                │  │
//	 │                 │  │  Lost, nothing │  │  └── all failed: ─┘  │
//	 │ Refused         │  └─ noticed yet ──┘  │       tell           │ a leg answered:
//	 │                 │                      │                      │ connect, respond 200
//	 │     no worker,  │     Reject, Redirect,│ Cancelled:           │
//	 │     Cancelled   │     Done, Cancelled, │ respond 487,         ▼
//	 │                 │     too long         │ cancel the legs    Talking
//	 │                 │                      │                      │ Bye, too long,
//	 │                 │                      │                      │ never acknowledged
//	 ▼                 ▼                      ▼                      ▼
//	 Closing ◀─────────┴──────────────────────┴──────────────────────┘
//	 │ when the script has had its last second, and each leg its end
//	 ▼
//	 Over
//
// Four things go on beside each other, and each is a file:
//
//	run.go       the script: placed on a worker, heard, told, stopped, lost
//	dial.go      the legs (leg.go): called in groups, one after the other
//	connect.go   their answers: ringing is passed on, the first 2xx is connected
//	talk.go      the conversation: requests of one party are passed to the other;
//	             transfer.go: one that the front carries out itself
//
// A worker that dies in mid-dial takes the script with it, not the legs: the dial goes
// on, and if it fails the account's fallback target is called before the caller hears
// 500. Nothing but a party's BYE, a limit, or silence ends a conversation.
//
// In Closing the caller has the final answer, or both parties have been hung up. Over
// is reached once; then the call's Record is complete and the shell writes it. Abandon
// leads from every state to Over at once: the front stops, or has failed at the call.
//
// Memo and Restore carry a call that is Dialling or Talking over to another process.
//
// The package imports the standard library only. What it does not know: SIP syntax,
// transactions, dialogs, addresses, gateways, wire formats, accounts' limits, which
// worker is best.
package call
