package sip

import "time"

const (
	paceWindow = 20 * time.Millisecond
	busyRate   = 3000 // datagrams a second above which reading gathers
	fullRate   = 24000
	gatherMost = 3 * time.Millisecond // from fullRate on; proportionally less between the two
)

// A pace tells a reader when to let datagrams gather. At a high rate, one wake-up
// for each datagram runs through every goroutine and process behind it, and costs
// more than the work; a pause of a few milliseconds lets all of them work in
// batches. At a low rate there is no pause. The zero value is ready.
type pace struct {
	since  time.Time
	count  int
	gather time.Duration
}

// after notes n datagrams read and returns how long to wait before the next look.
func (p *pace) after(now time.Time, n int) time.Duration {
	p.count += n
	if elapsed := now.Sub(p.since); elapsed >= paceWindow {
		p.gather = gatherAt(float64(p.count) / elapsed.Seconds())
		p.since, p.count = now, 0
	}
	if n == udpBatch {
		return 0
	}
	return p.gather
}

// gatherAt is the pause at a rate of datagrams a second.
func gatherAt(rate float64) time.Duration {
	share := (rate - busyRate) / (fullRate - busyRate)
	return time.Duration(min(max(share, 0), 1) * float64(gatherMost))
}
