package load

import (
	"encoding/binary"
	"time"
)

const (
	chunkSize  = 64 << 10 // bytes
	recordHead = 8 + 4 + 3*2
)

// queue holds what is due a fixed delay after it was pushed, so first in is first out and the head is the
// only timer. The texts are copied into chunks that are used again: 100,000 waiting calls cost their bytes
// and no object each.
//
// A record is the due instant, the call, the lengths of three texts and the texts.
type queue struct {
	delay   time.Duration
	early   time.Duration // taken off every due instant
	waiting int
	chunks  [][]byte // the first is read, the last is written
	read    int      // bytes of the first chunk which are done with
	spare   []byte
}

// entry is a record. Its texts stay valid until the next call of next or pop.
type entry struct {
	call  uint32
	due   time.Duration
	texts [3][]byte
}

// push lets the call wait. The texts, together less than a chunk and each at most 64 KiB, are copied.
func (q *queue) push(now time.Duration, call uint32, a, b, c []byte) {
	chunk := q.room(recordHead + len(a) + len(b) + len(c))
	p := *chunk
	p = binary.LittleEndian.AppendUint64(p, uint64(now+q.delay))
	p = binary.LittleEndian.AppendUint32(p, call)
	for _, text := range [...][]byte{a, b, c} {
		p = binary.LittleEndian.AppendUint16(p, uint16(len(text)))
	}
	p = append(p, a...)
	p = append(p, b...)
	*chunk = append(p, c...)
	q.waiting++
}

// room is a chunk at the end which has n free bytes.
func (q *queue) room(n int) *[]byte {
	last := len(q.chunks) - 1
	if last >= 0 && cap(q.chunks[last])-len(q.chunks[last]) >= n {
		return &q.chunks[last]
	}
	chunk := q.spare
	q.spare = nil
	if chunk == nil {
		chunk = make([]byte, 0, chunkSize)
	}
	q.chunks = append(q.chunks, chunk)
	return &q.chunks[last+1]
}

// next is when the head is due. It is false for an empty queue.
func (q *queue) next() (due time.Duration, ok bool) {
	if q.waiting == 0 {
		return 0, false
	}
	q.tidy()
	return time.Duration(binary.LittleEndian.Uint64(q.chunks[0][q.read:])) - q.early, true
}

// within is the lesser of d and the time from now until the head is due.
func (q *queue) within(now, d time.Duration) time.Duration {
	if due, ok := q.next(); ok {
		return min(d, due-now)
	}
	return d
}

// pop takes the head off if it is due by now.
func (q *queue) pop(now time.Duration) (e entry, ok bool) {
	due, ok := q.next()
	if !ok || due > now {
		return entry{}, false
	}
	p := q.chunks[0][q.read:]
	e.due, e.call = due, binary.LittleEndian.Uint32(p[8:])
	at := recordHead
	for i := range e.texts {
		end := at + int(binary.LittleEndian.Uint16(p[12+2*i:]))
		e.texts[i] = p[at:end:end]
		at = end
	}
	q.read += at
	q.waiting--
	return e, true
}

// tidy makes the first chunk the one with the head, and keeps one chunk without any for later.
func (q *queue) tidy() {
	if q.read < len(q.chunks[0]) {
		return
	}
	q.spare = q.chunks[0][:0]
	q.chunks = q.chunks[1:]
	q.read = 0
}

// hurry makes the head due now, and what is behind it as much earlier.
func (q *queue) hurry(now time.Duration) {
	if due, ok := q.next(); ok && due > now {
		q.early += due - now
	}
}
