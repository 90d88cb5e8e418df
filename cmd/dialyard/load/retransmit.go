package load

import "time"

// timerT1 is the round-trip estimate from which Timer A starts, RFC 3261 section 17.1.1.1.
const timerT1 = 500 * time.Millisecond

// cursor is one firing of Timer A for all calls: it passes each call once, in order, when the call has
// been waiting for the time it stands for.
type cursor struct {
	after time.Duration // since the call was due
	next  uint32        // first call which it has not passed
}

// newTimerA lists the firings before the timeout: T1 after the call was due, then with doubled gaps, so
// 0.5 s, 1.5 s, 3.5 s and on (RFC 3261 section 17.1.1.2).
func newTimerA(timeout time.Duration) []cursor {
	var cursors []cursor
	for gap, after := timerT1, timerT1; after < timeout; after += gap {
		cursors = append(cursors, cursor{after: after})
		gap *= 2
	}
	return cursors
}

// resend calls send for each call whose INVITE has to go out again by now. A provisional response ends
// the retransmissions of its call.
func (l *ledger) resend(now time.Duration, send func(call uint32)) {
	for i := range l.timerA {
		c := &l.timerA[i]
		for c.next < l.started && l.plan.at(c.next)+c.after <= now {
			if l.at(c.next).phase == calling {
				l.tally.retransmitted++
				send(c.next)
			}
			c.next++
		}
	}
}
