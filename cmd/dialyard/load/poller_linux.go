package load

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poller sleeps until a lane can be read or time is up. It goes past the Go scheduler, whose timers are
// a millisecond coarse when the process has nothing else to do.
type poller struct {
	fds []unix.PollFd
}

// newPoller watches the lanes, which stay open as long as it is used. The calling goroutine must be
// locked to its thread: the thread's timer slack is set to the least.
func newPoller(lanes []*lane) (*poller, error) {
	// Without it sleeps are 50 µs longer, nothing worse.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	p := new(poller)
	for _, l := range lanes {
		raw, err := l.conn.SyscallConn()
		if err != nil {
			return nil, fmt.Errorf("poll socket: %w", err)
		}
		err = raw.Control(func(fd uintptr) {
			p.fds = append(p.fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		})
		if err != nil {
			return nil, fmt.Errorf("poll socket: %w", err)
		}
	}
	return p, nil
}

// wait returns when a lane is readable, after d, or early for no reason.
func (p *poller) wait(d time.Duration) error { return sleep(p.fds, d) }

// rest returns after d, whatever comes to the lanes, or early for no reason.
func (p *poller) rest(d time.Duration) error { return sleep(nil, d) }

func sleep(fds []unix.PollFd, d time.Duration) error {
	timeout := unix.NsecToTimespec(int64(max(d, 0)))
	_, err := unix.Ppoll(fds, &timeout, nil)
	if err != nil && !errors.Is(err, syscall.EINTR) {
		return fmt.Errorf("poll sockets: %w", err)
	}
	return nil
}

// readable says whether the last wait found the lane worth reading: data or a pending error.
func (p *poller) readable(lane int) bool {
	return p.fds[lane].Revents != 0
}
