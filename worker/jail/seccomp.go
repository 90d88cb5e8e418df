//go:build amd64 || arm64

package jail

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A rule allows one system call, if all its conditions hold.
type rule struct {
	number     uint32
	conditions []condition
}

// condition wants the low word of an argument, masked, to have a value. No argument
// that is looked at has a meaning in its high word.
type condition struct{ argument, mask, value uint32 }

const allBits = 1<<32 - 1

// Threads share everything and are made in the namespaces of the process.
const (
	threadMask = unix.CLONE_THREAD | unix.CLONE_NEWNS | unix.CLONE_NEWUSER | unix.CLONE_NEWPID |
		unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	thread = unix.CLONE_THREAD
)

// plain are the system calls that Go's runtime, its timers and network poller, a script's
// breath, and gRPC on a socket that is open already make. brk, set_robust_list and rseq are those of
// the C library, for threads of a binary that has one.
var plain = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_CLOSE, unix.SYS_SHUTDOWN,
	unix.SYS_FUTEX, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL, unix.SYS_ACCEPT4,
	unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_GETSOCKOPT,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_TIMERFD_SETTIME, unix.SYS_CLOCK_GETTIME, unix.SYS_RESTART_SYSCALL,
	unix.SYS_SCHED_YIELD, unix.SYS_GETRANDOM, unix.SYS_MADVISE, unix.SYS_MUNMAP, unix.SYS_BRK,
	unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_SIGALTSTACK,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// rules are all that a worker with this pid, as it sees itself, may do. Memory never
// becomes executable, signals go to itself, and the name of a mapping is all that
// prctl gives.
func rules(pid uint32) []rule {
	var list []rule
	for _, number := range plain {
		list = append(list, rule{number: number})
	}
	return append(list,
		rule{unix.SYS_MMAP, []condition{{2, unix.PROT_EXEC, 0}}},
		rule{unix.SYS_MPROTECT, []condition{{2, unix.PROT_EXEC, 0}}},
		rule{unix.SYS_CLONE, []condition{{0, threadMask, thread}}},
		rule{unix.SYS_TGKILL, []condition{{0, allBits, pid}}},
		rule{unix.SYS_KILL, []condition{{0, allBits, pid}}},
		rule{unix.SYS_PRCTL, []condition{{0, allBits, unix.PR_SET_VMA}}},
	)
}

// Offsets in struct seccomp_data (seccomp(2)); both architectures are little-endian.
const (
	offsetNumber   = 0
	offsetArch     = 4
	offsetArgument = 16
)

const refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)

// program makes a filter of rules: what they do not allow is refused with EPERM.
// clone3 does not exist, as its flags lie where a filter cannot see them; all who
// use it fall back to clone. A call of another architecture ends the process.
func program(list []rule) []bpf.Instruction {
	filter := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS},
		bpf.LoadAbsolute{Off: offsetNumber, Size: 4},
	}
	for _, r := range list {
		filter = append(filter, r.instructions()...)
	}
	return append(filter,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_CLONE3, SkipFalse: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		bpf.RetConstant{Val: refuse},
	)
}

// instructions leave the number loaded if it is another's.
func (r rule) instructions() []bpf.Instruction {
	var body []bpf.Instruction
	for _, c := range r.conditions {
		body = append(body,
			bpf.LoadAbsolute{Off: offsetArgument + 8*c.argument, Size: 4},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: c.mask},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: c.value, SkipTrue: 1},
			bpf.RetConstant{Val: refuse},
		)
	}
	body = append(body, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
	return append([]bpf.Instruction{
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: r.number, SkipFalse: uint8(len(body))},
	}, body...)
}

// seccompSupport says why this kernel has no filters, if it has none.
func seccompSupport() error {
	action := uint32(unix.SECCOMP_RET_KILL_PROCESS)
	_, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return fmt.Errorf("the kernel says %w", errno)
	}
	return nil
}

// renounceCalls binds all threads, and those that will be, to the rules. It is called
// on a thread with no_new_privs, which TSYNC passes on to the others.
func renounceCalls() error {
	raw, err := bpf.Assemble(program(rules(uint32(os.Getpid()))))
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filter)
	switch {
	case errno != 0:
		return errno
	case thread != 0:
		return fmt.Errorf("thread %d has a filter of its own", thread)
	}
	return nil
}
