// Package health decides which workers may live. It knows numbers, not
// processes: a Fleet tells what is observed and does what is decided, a Probe
// places one real call.
//
//	      Fleet.Workers ──▶ observe ──▶ Judge (pure) ──▶ Verdict ──▶ Fleet
//	                           ▲                          keep, suspect, stall,
//	Probe goroutines ── result ┘                          recycle, kill
//
// The monitor's loop never waits for a worker. A probe has a timeout and a
// goroutine of its own, at most one per worker; a verdict is passed on as a
// message; a stopped process can delay neither.
//
// A busy worker is not a sick one: the probe has a place of its own on every
// worker. And many sick workers at once are more likely a sick monitor: when more
// than half fail together, the monitor stops judging by probes, says so, and
// leaves the least bad in service.
package health
