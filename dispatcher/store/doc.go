// Package store keeps what must survive a restart: the versions of every plan
// and which of them is live, the administrator's token, the call records, and
// the state of the calls under way.
//
// Under the data directory it owns
//
//	admin.token                          the bearer token of the HTTP API, mode 0600
//	records.jsonl                        one line of JSON per call (the caller names the file)
//	calls.db, calls.db-wal, calls.db-shm the calls under way, in SQLite (the caller names the file)
//	calls.db.damaged-TIME                such a file that could not be used, kept to be looked into
//	plans/bundles/HASH                   the files of one version; never changed once written
//	plans/accounts/ACCOUNT/PLAN.json     the index of one plan: its versions, and the live one
//
// # How a version becomes live
//
//	files -> Bundle -> bundles/HASH       written aside, fsynced, renamed, directory fsynced
//	                -> PLAN.json          the same again, now naming HASH as live
//
// The index is replaced only after the bundle it names is on the disk, and a
// rename is atomic, so a kill at any point leaves the old version live or the
// new one, never neither. What such a kill leaves lying about is a temporary
// file, removed by the next [Open], or a bundle that no index names, which is
// harmless and is taken up again when the same content is published.
//
// # When the disk lies
//
// A bundle is named by the SHA-256 of its own bytes and is checked on every
// read; an index is checked when it is opened. What does not hold is reported
// as a [DamageError] that names the file, and that version, or that one plan,
// is not served. Everything else is. A file of calls is checked when it is
// opened; one that is damaged, or another program's, is set aside and an empty
// one takes its place, because the front has to serve: see [CallsDamage].
//
// One process at a time owns a data directory. Nothing here belongs on the call
// path: publishing waits for the disk, and readers of [Plans] wait for it too.
// Only [Records.Append] and the changes of [Calls] are made for that path and
// never wait.
package store
