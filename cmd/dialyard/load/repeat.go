package load

import "time"

// timerT2 is the longest gap between two repetitions, RFC 3261 section 17.1.2.2.
const timerT2 = 4 * time.Second

// repeater holds messages until something answers them: T1 after the message, then with doubled gaps up to
// T2, as a 2xx and a BYE are sent again (RFC 3261 sections 13.3.1.4 and 17.1.2.2). Each gap is a queue, of
// which all but the first are empty as long as nothing is lost.
type repeater struct {
	gaps []queue
}

// newRepeater lists the gaps of a message that is given up after limit.
func newRepeater(limit time.Duration) repeater {
	var r repeater
	for gap, after := timerT1, timerT1; after < limit; after += gap {
		r.gaps = append(r.gaps, queue{delay: gap})
		gap = min(2*gap, timerT2)
	}
	return r
}

// push keeps what was sent now for the first time.
func (r *repeater) push(now time.Duration, call uint32, a, b, c []byte) {
	if len(r.gaps) > 0 {
		r.gaps[0].push(now, call, a, b, c)
	}
}

// tick calls again for each message that is due by now, until it returns false for it.
func (r *repeater) tick(now time.Duration, again func(entry) bool) {
	for i := range r.gaps {
		for e, ok := r.gaps[i].pop(now); ok; e, ok = r.gaps[i].pop(now) {
			if again(e) && i+1 < len(r.gaps) {
				r.gaps[i+1].push(now, e.call, e.texts[0], e.texts[1], e.texts[2])
			}
		}
	}
}
