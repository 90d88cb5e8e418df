//go:build amd64 || arm64

package dialplans

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Of timerfd_create(2).
const (
	clockMonotonic   = 1
	timerNonblock    = syscall.O_NONBLOCK
	timerCloseOnExec = syscall.O_CLOEXEC
)

// A breather pauses for less than Go's own timers can: these wait for a millisecond at the
// least when nothing else is to be done. The scheduler serves everybody else meanwhile,
// and looks at the network. One goroutine at a time uses it.
type breather struct {
	timer *os.File // nil where there is none
}

// open makes the timer, which a jail would not allow.
func (b *breather) open() {
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, timerNonblock|timerCloseOnExec, 0)
	if errno == 0 {
		b.timer = os.NewFile(fd, "timerfd")
	}
}

// breathe pauses for so long, or for the shortest time that Go can.
func (b *breather) breathe(d time.Duration) {
	if b.timer == nil || !b.set(d) {
		time.Sleep(d)
		return
	}
	var expirations [8]byte
	if _, err := b.timer.Read(expirations[:]); err != nil {
		time.Sleep(d)
	}
}

// set has the timer expire once.
func (b *breather) set(d time.Duration) bool {
	conn, err := b.timer.SyscallConn()
	if err != nil {
		return false
	}
	once := struct{ interval, value syscall.Timespec }{value: syscall.NsecToTimespec(int64(d))}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&once)), 0, 0, 0)
	})
	return err == nil && errno == 0
}
