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
//	  ├─ Run      → Workers.Start: that worker's stream
//	  ├─ Respond  → sip.Layer.Respond → sip.Peer.Send
//	  ├─ Wake     → the shard's sip.Queue, back as call.Tick
//	  ├─ Stop     → Workers.Cancel
//	  └─ Over     → the record                                 (chronicle.go)
//
//	worker's stream     Dispatcher.Reports: run id → shard
//	  │ translate: nothing a worker says is believed           (translate.go)
//	  ▼
//	call.Call.Step      as above
//
// # Ownership
//
// A shard owns its transactions, its calls and its queue of deadlines; the hash
// of the Call-ID says which shard a request belongs to, the top byte of a run id
// says it of a report. Shards share nothing that changes but counters; the table
// of routes and plans (Table) is replaced as a whole.
//
// A full mailbox is a decision: a packet is dropped and counted, as its sender
// repeats it, while half of the mailbox is kept free for workers' reports.
//
// When a neighbour dies: a lost worker becomes call.Lost for each of its runs;
// a slow or broken record sink loses records, counted, and delays no call.
package dispatcher
