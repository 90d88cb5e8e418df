package jail

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tsyncVersion is the first Landlock that binds all threads of a process by itself.
const tsyncVersion = 8

// A rights set is what the kernel can refuse from a version of Landlock on.
type rights struct{ version, files, net uint64 }

// everyRight lists them, each as bits up to and with the last that was added.
var everyRight = []rights{
	{1, 2*unix.LANDLOCK_ACCESS_FS_MAKE_SYM - 1, 0},
	{2, 2*unix.LANDLOCK_ACCESS_FS_REFER - 1, 0},
	{3, 2*unix.LANDLOCK_ACCESS_FS_TRUNCATE - 1, 0},
	{4, 2*unix.LANDLOCK_ACCESS_FS_TRUNCATE - 1, 2*unix.LANDLOCK_ACCESS_NET_CONNECT_TCP - 1},
	{5, 2*unix.LANDLOCK_ACCESS_FS_IOCTL_DEV - 1, 2*unix.LANDLOCK_ACCESS_NET_CONNECT_TCP - 1},
	{9, 2*unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX - 1, 2*unix.LANDLOCK_ACCESS_NET_CONNECT_TCP - 1},
	{10, 2*unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX - 1, 2*unix.LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP - 1},
}

// landlockVersion is that of the kernel, or an error if it has none.
func landlockVersion() (uint64, error) {
	version, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, fmt.Errorf("the kernel says %w; it takes Linux 5.13, landlock among the kernel's lsm=, and no container profile against it", errno)
	}
	return uint64(version), nil
}

var errCgo = errors.New("a binary made with cgo cannot bind all its threads on this kernel; build it with CGO_ENABLED=0")

// landlockSupport says why this process could not use Landlock, if it could not.
func landlockSupport() error {
	version, err := landlockVersion()
	if err == nil && version < tsyncVersion && withCgo() {
		err = errCgo
	}
	return err
}

// withCgo reports whether Go cannot reach all threads of the process.
func withCgo() bool {
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_GETPID, 0, 0, 0)
	return errno == syscall.ENOTSUP
}

// renounceFiles takes from all threads what the kernel's Landlock can take, without
// an exception: every use of files by opening or changing, TCP, and by newer kernels UDP
// and the sockets of others. What is open stays usable.
//
// Its scopes for signals are left out: kernels before 6.15 count the threads of one
// process as strangers to each other then, and Go's runtime signals its threads.
func renounceFiles() error {
	if err := landlockSupport(); err != nil {
		return err
	}
	version, err := landlockVersion()
	if err != nil {
		return err
	}
	attr := unix.LandlockRulesetAttr{}
	for _, r := range everyRight {
		if r.version <= version {
			attr.Handled_access_fs, attr.Handled_access_net = r.files, r.net
		}
	}
	ruleset, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	defer syscall.Close(int(ruleset))
	if version >= tsyncVersion {
		_, _, errno = syscall.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, unix.LANDLOCK_RESTRICT_SELF_TSYNC, 0)
	} else {
		_, _, errno = syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0)
	}
	if errno != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	return nil
}

// renouncePrivileges sets no_new_privs: no exec can give what the process does not
// have (prctl(2)). The caller is on its thread for good. With cgo only that thread
// can be reached from here; seccomp then passes the attribute on to the others.
func renouncePrivileges() error {
	_, _, errno := syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno == syscall.ENOTSUP {
		if err := seccompSupport(); err != nil {
			return err
		}
		return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	if errno != 0 {
		return errno
	}
	return nil
}

// onOneThread runs f without a change of thread.
func onOneThread(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return f()
}
