// Package blame finds the plan version that kills workers.
//
// When a worker dies, every version that had a run on it may have done it. From then
// on they run apart, on penalty workers: each alone on one if there are enough of
// these, else with other suspects. There the innocent earn their way back, and the one
// that did it is alone with the next death.
//
//	            a worker dies with                a penalty worker dies
//	            a run of it                       with runs of it alone
//	Innocent ─────────────────────▶ Suspect ────────────────────────────▶ Guilty
//	    ▲                            │   ▲                                  │
//	    │  enough good runs, apart   │   └── accused again: more good runs  │
//	    └────────────────────────────┘       are needed, up to 10,000       │
//	    └───────────────────────────────────────────────────────────────────┘
//	                                released
//
// A version that kills at each hundredth run is caught as well: each time it is
// accused it has to run ten times as often apart before it is believed again.
// Suspicion that nothing renews for an hour is forgotten; guilt is not. Once one is
// proven guilty, all deaths of workers that it had a run on are taken for its doing:
// who was accused of those as well is no longer.
//
// A death from outside, by a signal that nobody here sent, may be an operator's doing
// or chance. It makes suspects as any other does, but they need no more good runs for
// it, and it takes two of them to prove a version guilty, without as many as three good
// runs between them: no operator is that quick.
//
// A Ledger does no I/O and knows no clock. Any goroutine may use it; to ask about a
// version costs one atomic load while nobody is accused.
package blame
