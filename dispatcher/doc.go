// Package dispatcher is the front: it takes every call, has a worker decide it,
// and carries the decision out. All SIP state lives here; a worker holds nothing
// but running scripts, so that its death costs a decision at the most.
//
// # How one call flows
//
//	sip.Edge            bytes, checked by the guard            (reader goroutines)
//	  │ Dispatcher.receive: Call-ID → shard
//	  ▼
//	shard.run           one goroutine, one mailbox             (shard.go)
//	  │ sip.Layer.Receive: repeats, ACK and CANCEL end here
//	  ▼
//	shard.invite        100; route → account and plan version  (invite.go)
//	  │ call.Begin
//	  ▼
//	call.Call.Step      pure: event → effects                  (package call)
//	  │ shard.perform carries the effects out                  (live.go)
//	  ├─ Run      → Blame: may it, and where; Workers.Start: that worker's stream
//	  ├─ Respond  → sip.Layer.Respond → sip.Peer.Send
//	  ├─ Invite   → a leg: its routes, addresses, INVITE        (route.go, leg.go)
//	  ├─ Tell     → Workers.Result: the script that waits for its dial
//	  ├─ Connect  → two parties and their dialogs               (party.go)
//	  ├─ Pass     → a request of one party to the other         (exchange.go)
//	  ├─ Save     → the store, so that another process goes on  (keep.go, memo.go)
//	  ├─ Wake     → the shard's sip.Queue, back as call.Tick
//	  ├─ Stop     → Workers.Cancel
//	  └─ Over     → the record                                 (chronicle.go)
//
//	worker's stream     Dispatcher.Reports: run id → shard
//	  │ translate: nothing a worker says is believed           (translate.go, dial.go)
//	  ▼
//	call.Call.Step      as above
//
// What a script wants of the world, an Ask, does not visit the Call: the Broker does it,
// and the answer comes back as a task of the shard (reach.go).
//
// A leg's answers, and requests within a call, come in by the same way as the
// caller's INVITE: the layer says what each belongs to, and the shard feeds the Call.
//
// # Ownership
//
// A shard owns its transactions, its calls, their legs and dialogs, and its queue of
// deadlines. The hash of the Call-ID says which shard a new request belongs to; what
// a shard sends carries its mark in branch and tags, so that answers and requests
// within a dialog find back; the top byte of a run id says it of a report. Shards
// share nothing that changes but counters; the table of routes, plans and gateways
// (Table) is replaced as a whole.
//
// A full mailbox is a decision: a packet is dropped and counted, as its sender
// repeats it, while half of the mailbox is kept free for workers' reports.
//
// # What outlives the process
//
// A 2xx leaves when the store has the dialog that it makes (300 ms at the most, if
// the store is slow): a caller who was told that the call is answered can hang up
// whatever process is there by then. The callee is acknowledged then, too: one that was
// not repeats itself to the next process. A call that has rung for 100 ms is stored as
// well; after a restart its transactions are opened anew and its dial goes on. The
// store forgets a call when its record is in the file, and only then the BYE that ended
// it is answered, so that there is one record, whenever the process dies. A minute
// after a restart the parties of the calls that were taken back are asked whether they
// are still there (audit.go).
//
// When a neighbour dies: a lost worker becomes call.Lost for each of its runs;
// a slow or broken record sink loses records, counted, and delays no call.
package dispatcher
