// Package health decides which workers may live. It knows numbers, not processes:
// a Fleet tells what is observed and does what is decided, a Probe places one real
// call, and nothing of the store or of anybody's plans enters here.
//
//	      Monitor (goroutines, clock)           Ward (pure)
//	┌──────────────────────────────────┐  ┌───────────────────────────────┐
//	│ Fleet.Workers ─ ten times a sec ─┼─▶│ Round: recall what is known of│
//	│                                  │  │ each, mistrust what befalls   │
//	│ Probe goroutines ─── results ────┼─▶│ all, Judge one, weigh what can│
//	│      ▲                           │  │ be spared                     │
//	│      └─────────── probes due ────┼──┤                               │
//	│ Event, Fleet.Carry ◀─ decisions ─┼──┤ trust suspect stall recycle   │
//	└──────────────────────────────────┘  │ kill, each with its reason    │
//	                                      └───────────────────────────────┘
//
// The monitor's loop never waits for a worker. A probe has a timeout and a
// goroutine of its own, at most one per worker; a verdict is passed on as a
// message; a stopped process can delay neither.
//
// # What is looked at
//
//   - Probes: a call each ten seconds, a fifth more or less; each second after a
//     bad one and until two are good. Three bad ones in a row and a worker gets no
//     new calls; ten seconds of that and it is killed. The probe has a place of its
//     own on every worker: a busy worker is not a sick one.
//   - Heartbeats, one a second: three seconds without and its runs go elsewhere, ten
//     and it is killed.
//   - Runs that it loses, refuses or does not begin: no verdict, but five in a row
//     call for a probe at once, and each five more.
//   - Runs that go on when told to end, for a second: the script engine hangs, and
//     the worker is killed.
//   - Wear: memory, goroutines and descriptors above their soft limits, a leak (see
//     below), age, and flapping: who falls into doubt again within ten minutes must
//     show two good probes more each time, and at the fourth is replaced.
//
// # What is not believed
//
// Many sick workers at once are more likely a sick monitor.
//
//   - One bad probe has all the others probed at once. If more than half fail
//     together then probes are not believed: nobody is suspected or killed for them
//     while that lasts, and none is held against anybody later.
//   - If all fall silent together, they stay in service, and only one at a time is
//     killed, each ten seconds, until a successor proves that it can be heard.
//   - A pause of more than a second between two rounds is a stop, or the hunger, of
//     this process: silence, doubt and failed probes in that time do not count, and
//     what workers say of overstaying runs is old news for three seconds. A clock
//     that is set does not count either.
//
// # What is spared
//
// Verdicts on the dead, those without heartbeat, are carried out. All else is
// planned: it leaves MinimumReady workers in good standing. A sick worker that
// cannot be spared gets a successor first, as one that wears out does, and serves
// until that has answered a probe; if it never does, the old one is the least bad.
// There is one such replacement at a time, from its order until the old worker has
// gone, and none of a worker younger than a minute but for memory.
// Thresholds differ a little from worker to worker, so that not all wear out together.
//
// # What a leak is
//
// Steady growth that would reach the hard limit within six hours. Live heap, memory,
// goroutines and descriptors are measured each second and kept, as medians of a
// quarter of a minute, for half an hour. Compared are only moments of like load. See
// chart for what makes growth steady and what it is told from: a warm-up, a load that
// comes and goes, the saw-tooth of collections, a cache that fills once.
package health
