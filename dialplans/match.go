package dialplans

import "strings"

// stepsPerCharge is how many steps of matching are paid for at a time.
const stepsPerCharge = 256

// span is a part of the subject, by offset; end is isPosition for a position
// capture.
type span struct{ start, end int }

const isPosition = -1

// matcher runs patterns over subjects. Backtracking may take exponential time:
// it pays from the run's budget as it goes and gives up when that is over. A
// matcher may be used again, not at the same time.
type matcher struct {
	budget   *budget
	pattern  *pattern
	subject  string
	steps    int
	stopped  bool
	captures [maxCaptures]span
}

// find looks for the first match of p at or after offset init of subject.
// Captures are in m.captures until the next find. ok is false also when the
// budget is over, which m.stopped tells.
func (m *matcher) find(b *budget, p *pattern, subject string, init int) (found span, ok bool) {
	m.budget, m.pattern, m.subject, m.stopped = b, p, subject, false
	if p.literal != "" && !p.anchored {
		m.stopped = !b.spend(len(subject) >> 8)
		i := strings.Index(subject[init:], p.literal)
		return span{init + i, init + i + len(p.literal)}, i >= 0 && !m.stopped
	}
	for start := init; start <= len(subject) && !m.stopped; start++ {
		if end := m.match(0, start); end >= 0 {
			return span{start, end}, true
		}
		if p.anchored {
			break
		}
	}
	return span{}, false
}

// step pays for n steps and reports whether the search may go on.
func (m *matcher) step(n int) bool {
	if m.steps += n; m.steps >= stepsPerCharge {
		if !m.budget.spend(m.steps) {
			m.stopped = true
		}
		m.steps = 0
	}
	return !m.stopped
}

// match tries the items from index i on at offset s and gives the offset at
// which they end, or -1.
func (m *matcher) match(i, s int) int {
	for ; i < len(m.pattern.items); i++ {
		if !m.step(1) {
			return -1
		}
		it := &m.pattern.items[i]
		if it.op == opByte && it.repeat != 0 {
			return m.repeated(it, i, s)
		}
		if it.op == opOpen || it.op == opClose || it.op == opPosition {
			return m.capture(it, i, s)
		}
		if s = m.one(it, s); s < 0 {
			return -1
		}
	}
	return s
}

// one matches an item that can match in one way only.
func (m *matcher) one(it *item, s int) int {
	switch it.op {
	case opByte:
		if s < len(m.subject) && it.set.has(m.subject[s]) {
			return s + 1
		}
	case opRepeat:
		c := m.captures[it.index]
		if c.end == isPosition {
			return s
		}
		if m.step((c.end-c.start)>>4) && strings.HasPrefix(m.subject[s:], m.subject[c.start:c.end]) {
			return s + c.end - c.start
		}
	case opBalance:
		return m.balanced(it, s)
	case opFrontier:
		if !it.set.has(m.byteAt(s-1)) && it.set.has(m.byteAt(s)) {
			return s
		}
	case opEnd:
		if s == len(m.subject) {
			return s
		}
	}
	return -1
}

// capture opens or closes a capture, and takes it back if the rest fails.
func (m *matcher) capture(it *item, i, s int) int {
	before := m.captures[it.index]
	switch it.op {
	case opOpen:
		m.captures[it.index] = span{start: s}
	case opClose:
		m.captures[it.index].end = s
	case opPosition:
		m.captures[it.index] = span{s, isPosition}
	}
	end := m.match(i+1, s)
	if end < 0 {
		m.captures[it.index] = before
	}
	return end
}

// repeated matches an item with a repetition and all that follows it.
func (m *matcher) repeated(it *item, i, s int) int {
	if it.repeat == '-' {
		return m.shortest(it, i, s)
	}
	low, high := 0, len(m.subject)-s
	switch it.repeat {
	case '+':
		low = 1
	case '?':
		high = min(high, 1)
	}
	n := 0
	for n < high && it.set.has(m.subject[s+n]) {
		n++
	}
	m.step(n >> 3)
	for ; n >= low && !m.stopped; n-- {
		if end := m.match(i+1, s+n); end >= 0 {
			return end
		}
	}
	return -1
}

func (m *matcher) shortest(it *item, i, s int) int {
	for m.step(1) {
		if end := m.match(i+1, s); end >= 0 {
			return end
		}
		if s >= len(m.subject) || !it.set.has(m.subject[s]) {
			break
		}
		s++
	}
	return -1
}

// balanced matches from an opening byte to the closing one that balances it.
func (m *matcher) balanced(it *item, s int) int {
	if m.byteAt(s) != it.from || s >= len(m.subject) {
		return -1
	}
	depth := 1
	for at := s + 1; at < len(m.subject); at++ {
		switch m.subject[at] {
		case it.to:
			if depth--; depth == 0 {
				m.step((at - s) >> 3)
				return at + 1
			}
		case it.from:
			depth++
		}
	}
	m.step((len(m.subject) - s) >> 3)
	return -1
}

// byteAt is the byte at an offset, 0 outside the subject.
func (m *matcher) byteAt(s int) byte {
	if s < 0 || s >= len(m.subject) {
		return 0
	}
	return m.subject[s]
}
