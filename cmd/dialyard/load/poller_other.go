//go:build !linux

package load

import "time"

// poller sleeps without watching the lanes: here latencies carry up to a millisecond of its own.
type poller struct{}

func newPoller([]*lane) (*poller, error) { return new(poller), nil }

// wait returns after d or a millisecond, whichever is less.
func (*poller) wait(d time.Duration) error {
	time.Sleep(min(d, time.Millisecond))
	return nil
}

// rest returns after d.
func (*poller) rest(d time.Duration) error {
	time.Sleep(d)
	return nil
}

// readable is always true: reading does not block and finds out.
func (*poller) readable(int) bool { return true }
