// Package journal is the history of a server: what changed, when, why, by whose
// wish, and the numbers that caused it. It is what an operator reads after a bad
// night, and what a program follows.
//
//	pool, monitor, ledger, API ── Add ──▶ the newest 2,000 ──▶ readers: After, Wait
//	                                            │
//	                                            └── one more reader: the writer
//	                                                ──▶ events.jsonl, events.1.jsonl
//
// Guarantees. Add takes a mutex for well under a microsecond and waits for nobody.
// Nobody is waited for: a reader that is slow loses what has fallen off meanwhile,
// and is told how much. The file is written by a reader like the others, in a
// goroutine of its own, so that a disk that hangs or is full delays nothing; when it
// comes back the file goes on with what is still there, and with an event that says
// what is missing.
//
// Events have numbers that only grow, across restarts too: Open goes on after the
// last one in the file. A process that was killed may have told of events that never
// reached the file. Their numbers are not used again: after such an end, numbers go on
// with a leap.
package journal
