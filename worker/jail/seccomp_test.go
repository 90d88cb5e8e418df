//go:build amd64 || arm64

package jail

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// call is a system call as a filter sees it.
type call struct {
	number    uint32
	arguments [6]uint64
	arch      uint32 // 0 is our own
}

// data is struct seccomp_data for bpf.VM, which reads words with the high octet
// first. The low word of an argument comes first here as it does in the kernel.
func (c call) data() []byte {
	b := binary.BigEndian.AppendUint32(nil, c.number)
	if c.arch == 0 {
		c.arch = auditArch
	}
	b = binary.BigEndian.AppendUint32(b, c.arch)
	b = binary.BigEndian.AppendUint64(b, 0)
	for _, a := range c.arguments {
		b = binary.BigEndian.AppendUint32(b, uint32(a))
		b = binary.BigEndian.AppendUint32(b, uint32(a>>32))
	}
	return b
}

func TestTheFilterAllowsOnlyTheRules(t *testing.T) {
	vm, err := bpf.NewVM(program(rules(1)))
	if err != nil {
		t.Fatal(err)
	}
	const (
		allow  = unix.SECCOMP_RET_ALLOW
		absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
		goes   = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD
	)
	for _, c := range []struct {
		name string
		call call
		want uint32
	}{
		{"read", call{number: unix.SYS_READ}, allow},
		{"write", call{number: unix.SYS_WRITE}, allow},
		{"accept4", call{number: unix.SYS_ACCEPT4}, allow},
		{"exit_group", call{number: unix.SYS_EXIT_GROUP}, allow},
		{"a Go thread", call{number: unix.SYS_CLONE, arguments: [6]uint64{goes}}, allow},
		{"a fork", call{number: unix.SYS_CLONE, arguments: [6]uint64{uint64(unix.SIGCHLD)}}, refuse},
		{"a vfork", call{number: unix.SYS_CLONE, arguments: [6]uint64{unix.CLONE_VM | unix.CLONE_VFORK}}, refuse},
		{"a thread elsewhere", call{number: unix.SYS_CLONE, arguments: [6]uint64{goes | unix.CLONE_NEWNET}}, refuse},
		{"clone3", call{number: unix.SYS_CLONE3}, absent},
		{"tgkill of itself", call{number: unix.SYS_TGKILL, arguments: [6]uint64{1, 7, 23}}, allow},
		{"tgkill of another", call{number: unix.SYS_TGKILL, arguments: [6]uint64{2, 2, 9}}, refuse},
		{"kill of itself", call{number: unix.SYS_KILL, arguments: [6]uint64{1, 6}}, allow},
		{"kill of all", call{number: unix.SYS_KILL, arguments: [6]uint64{1<<64 - 1, 9}}, refuse},
		{"kill of its group", call{number: unix.SYS_KILL, arguments: [6]uint64{0, 9}}, refuse},
		{"memory", call{number: unix.SYS_MMAP, arguments: [6]uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE}}, allow},
		{"code", call{number: unix.SYS_MMAP, arguments: [6]uint64{0, 4096, unix.PROT_READ | unix.PROT_EXEC}}, refuse},
		{"memory to code", call{number: unix.SYS_MPROTECT, arguments: [6]uint64{0, 4096, unix.PROT_EXEC}}, refuse},
		{"the name of a mapping", call{number: unix.SYS_PRCTL, arguments: [6]uint64{unix.PR_SET_VMA}}, allow},
		{"dumpable", call{number: unix.SYS_PRCTL, arguments: [6]uint64{unix.PR_SET_DUMPABLE, 1}}, refuse},
		{"another architecture", call{number: unix.SYS_READ, arch: unix.AUDIT_ARCH_I386}, unix.SECCOMP_RET_KILL_PROCESS},
		{"x32", call{number: unix.SYS_READ | 1<<30}, refuse},
	} {
		if got, err := vm.Run(c.call.data()); err != nil || uint32(got) != c.want {
			t.Errorf("%s: %#x %v, want %#x", c.name, got, err, c.want)
		}
	}
	for _, number := range forbidden {
		if got, _ := vm.Run(call{number: number}.data()); uint32(got) != refuse {
			t.Errorf("system call %d: %#x, want it refused", number, got)
		}
	}
}

// forbidden are some of those that a way out would need.
var forbidden = []uint32{
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_SOCKET, unix.SYS_SOCKETPAIR,
	unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV,
	unix.SYS_PROCESS_VM_WRITEV, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_SETNS,
	unix.SYS_UNSHARE, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_KEXEC_LOAD,
	unix.SYS_REBOOT, unix.SYS_SETUID, unix.SYS_SETRESUID, unix.SYS_CAPSET, unix.SYS_PRLIMIT64, unix.SYS_SECCOMP, unix.SYS_PIDFD_OPEN,
	unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_PIDFD_GETFD, unix.SYS_MEMFD_CREATE, unix.SYS_USERFAULTFD, unix.SYS_IOCTL, unix.SYS_TKILL,
	unix.SYS_UNLINKAT, unix.SYS_MKDIRAT, unix.SYS_RENAMEAT2, unix.SYS_FCHMODAT, unix.SYS_PERSONALITY, unix.SYS_SHMGET, unix.SYS_MSGGET,
}
