package store

import "container/list"

// The room for asks. An account may have as many waiting as half of what is free,
// so that however many accounts flood there is room for one more.
const (
	keepsLimit      = 4096 // of all accounts: 64 MiB if all of them are the largest values
	keepsLimitOfOne = 256
)

// A keepQueue holds what is asked and not yet begun, in a line for each account.
// The lines are served in turn. It is pure; its desk guards it with a mutex.
type keepQueue struct {
	lines   map[string]*keepLine
	turns   *list.List // of *keepLine, the next first; none is empty
	waiting int
}

type keepLine struct {
	asks *list.List // of *keepAsk, oldest first
	turn *list.Element
}

func newKeepQueue() keepQueue {
	return keepQueue{lines: map[string]*keepLine{}, turns: list.New()}
}

// add says whether there was room.
func (q *keepQueue) add(a *keepAsk) bool {
	room := min(keepsLimitOfOne, (keepsLimit-q.waiting+1)/2)
	line := q.lines[a.account]
	if line == nil {
		if room <= 0 {
			return false
		}
		line = &keepLine{asks: list.New()}
		line.turn = q.turns.PushBack(line)
		q.lines[a.account] = line
	}
	if line.asks.Len() >= room {
		return false
	}
	a.place = line.asks.PushBack(a)
	q.waiting++
	return true
}

// take removes up to n asks, one of each line in turn.
func (q *keepQueue) take(n int) []*keepAsk {
	asks := make([]*keepAsk, 0, min(n, q.waiting))
	for len(asks) < cap(asks) {
		line := q.turns.Front().Value.(*keepLine)
		q.turns.MoveToBack(line.turn)
		a := line.asks.Front().Value.(*keepAsk)
		q.remove(a)
		asks = append(asks, a)
	}
	return asks
}

// remove takes out an ask that waits, and does nothing with one that does not.
func (q *keepQueue) remove(a *keepAsk) {
	if a.place == nil {
		return
	}
	line := q.lines[a.account]
	line.asks.Remove(a.place)
	a.place = nil
	q.waiting--
	if line.asks.Len() == 0 {
		q.turns.Remove(line.turn)
		delete(q.lines, a.account)
	}
}
