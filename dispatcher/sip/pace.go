package sip

import "time"

const (
	paceWindow = 20 * time.Millisecond
	busyRate   = 8000                    // datagrams a second above which reading gathers
	gatherTime = 1000 * time.Microsecond // and for how long
)

// A pace tells a reader when to let datagrams gather. At a high rate, one wake-up
// for each datagram runs through every goroutine and process behind it, and costs
// more than the work; a pause of a fraction of a millisecond lets all of them work
// in batches. At a low rate there is no pause. The zero value is ready.
type pace struct {
	since time.Time
	count int
	busy  bool
}

// after notes n datagrams read and returns how long to wait before the next look.
func (p *pace) after(now time.Time, n int) time.Duration {
	p.count += n
	if elapsed := now.Sub(p.since); elapsed >= paceWindow {
		p.busy = float64(p.count) > busyRate*elapsed.Seconds()
		p.since, p.count = now, 0
	}
	if !p.busy || n == udpBatch {
		return 0
	}
	return gatherTime
}
