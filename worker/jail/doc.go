// Package jail holds a worker process: in what the kernel gives it from outside
// (namespaces, a foreign user, a cgroup), and in what it gives up itself before it
// runs anything of anybody's (files, system calls, memory).
//
//	host                                   worker
//	New ── Jail ── Cell ── Apply ─ fork ─┬─ exec, listen
//	                 │                   │
//	                 ├──── Enter ────────┘   first stream
//	                 │                           │
//	                 │                        Confine: rlimits → no_new_privs →
//	                 │                                 landlock → seccomp
//	                 └──── Release, after its exit
//
// The walls are independent, so that a hole in one of them is not a way out. From
// inside, files are behind the foreign user, Landlock and seccomp; sockets behind the
// network namespace and seccomp; other processes behind the PID namespace, the
// foreign user and seccomp; memory behind the cgroup and RLIMIT_DATA.
//
// Nothing is believed of the system: New tries each wall for real, once in the
// life of a process, and says which it can have. Level Require wants them all;
// BestEffort takes what there is; a missing wall never keeps a worker from starting.
//
// The foreign user is 65534 where the host is root. The kernel gives no other to a
// host that is not root, so there the worker stays the host's user outside and has
// only lost, by its user namespace, what that user could do to it. A foreign user cannot walk to
// its socket directory, all of whose parents are private to the host: it is given
// the directory itself, opened, and binds its socket below /proc/self/fd.
//
// A worker in a PID namespace is process 1 there. The kernel then withholds signals
// that have no handler, but Go's runtime has one for each that could end the
// process, and SIGKILL and SIGSTOP from the host always arrive, as does the one that
// the death of the host sends.
package jail
