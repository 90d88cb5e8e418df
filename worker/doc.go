// Package worker is both ends of the worker process: the pool that starts,
// leases, drains and kills workers (host side), and the server that runs scripts
// in one (child side). A worker is this same binary, started by go-plugin.
//
//	          host                                       child
//	Pool ── Slot (pure) ── process ═══ one gRPC stream ═══ Serve ── runs
//	  │        decides       does      unix socket, mTLS,    │
//	  │                                0700 directory        └ memory watch, beat
//	  └ Start, Result, Cancel: lock-free, from any shard
//
// Guarantees. Start never blocks and never waits for a sick worker: a run goes
// to the ready worker with the fewest runs, or nowhere. When a worker dies, or is
// no longer waited for, the host's Lost is called for it: once no shard can choose
// it any more, and again at its death. A worker that was only stalled may report
// after that; the host takes no reports of runs that have moved on.
//
// A script that waits for a result keeps its goroutine, some 45 KB, and no time. It
// leaves its place on the worker to another run, and is neither an overstaying run nor, unless nobody else
// is, an eater of memory. A result goes to the worker that holds the run; if that is
// gone the result is, too.
//
// No worker outlives the pool's process: the kernel kills it with the thread that
// started it, and it leaves by itself when its standard input ends. Killing goes by
// process group and never through go-plugin, whose Kill and Ping do not return for a
// stopped process.
//
// The pool's goroutine owns all slots; others send it messages. What shards read
// (the list of ready workers) is replaced as a whole.
package worker
