// Package worker is both ends of the worker process: the pool that starts,
// leases, drains and kills workers (host side), and the server that runs scripts
// in one (child side). A worker is this same binary, started by go-plugin.
//
//	          host                                       child
//	Pool ── Slot (pure) ── process ═══ one gRPC stream ═══ Serve ── runs
//	  │        decides       does      unix socket, mTLS,    │
//	  │                                0700 directory        └ memory watch, beat
//	  └ Start, Result, Cancel: from any shard, one short lock for each worker
//
// Guarantees. Start never blocks and never waits for a sick worker: a run goes to the
// ready worker with the fewest runs, of the slots that its account may touch (share.go),
// or nowhere. A worker that is new gets a quarter of its share at first. Runs of versions
// that are suspected of killing workers go to penalty workers (penalty.go). When a worker dies, or is
// no longer waited for, the host's Lost is called for it: once no shard can choose
// it any more, and again at its death. A worker that was only stalled may report
// after that; the host takes no reports of runs that have moved on.
//
// A script that waits for a result keeps its goroutine, some 45 KB, and no time. It
// leaves its place on the worker to another run, and is neither an overstaying run nor, unless nobody else
// is, an eater of memory. A result goes to the worker that holds the run; if that is
// gone the result is, too.
//
// What a worker says is held against what it has been given (holding.go): one that
// speaks of other runs, or says more than a script can cause, is ended. It lives in a
// jail (package jail). What it can tell of itself is kept before it is replaced for
// being sick, and the end of what it wrote when it dies (evidence.go).
//
// No worker outlives the pool's process: the kernel kills it with the thread that
// started it, and it leaves by itself when its standard input ends. Killing goes by
// process group and never through go-plugin, whose Kill and Ping do not return for a
// stopped process.
//
// The pool's goroutine owns all slots; others send it messages. What shards read
// (the list of ready workers) is replaced as a whole.
package worker
