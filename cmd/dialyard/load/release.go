package load

import (
	"errors"
	"time"
)

// hold keeps an answered call until its BYE is due.
func (l *ledger) hold(now time.Duration, f *flight, d dialog) {
	f.phase = held
	l.held.push(now, f.call, d.to, d.remote, d.routes)
	l.tally.mostHeld = max(l.tally.mostHeld, l.held.waiting)
}

// hangUp moves a call on whose BYE, due at the instant, is sent now.
func (l *ledger) hangUp(now, due time.Duration, f *flight, d dialog) {
	f.phase, f.bye = hangingUp, due
	l.tally.byes++
	l.byes.push(now, f.call, d.to, d.remote, d.routes)
}

// release calls send for up to limit calls that have been held long enough, and for the BYEs that go out
// again. A call which the server has ended meanwhile is passed over.
func (l *ledger) release(now time.Duration, limit int, send func(call uint32, d dialog)) {
	for ; limit > 0; limit-- {
		e, ok := l.held.pop(now)
		if !ok {
			break
		}
		if f := l.find(e.call); f != nil && f.phase == held {
			d := e.dialog()
			l.hangUp(now, e.due, f, d)
			send(e.call, d)
		}
	}
	l.byes.tick(now, func(e entry) bool {
		f := l.find(e.call)
		if f == nil || f.phase != hangingUp {
			return false
		}
		l.tally.byesRepeated++
		send(e.call, e.dialog())
		return true
	})
}

// dialog is what hold and hangUp put into the entry.
func (e entry) dialog() dialog {
	return dialog{to: e.texts[0], remote: e.texts[1], routes: e.texts[2]}
}

// byeAnswered ends a call whose BYE was answered. An answer again changes nothing.
func (l *ledger) byeAnswered(now time.Duration, f *flight, status int) error {
	switch {
	case f.phase != hangingUp && f.phase != ended, status >= 300:
		return errByeRefused
	case f.phase == hangingUp && status >= 200:
		f.phase = ended
		l.tally.byeAnswered(now - f.bye)
		l.endAt(f.call, endCaller)
	}
	return nil
}

var (
	errCutOff       = errors.New("call ended by the server")
	errNothingToEnd = errors.New("BYE from the server for no call that is answered")
)

// cutOff takes a BYE of the server. One that crosses ours is none of its doing; with errNothingToEnd
// there is no such dialog.
func (l *ledger) cutOff(call uint32) error {
	f := l.find(call)
	if f == nil {
		return errNothingToEnd
	}
	switch f.phase {
	case held:
		f.phase = ended
		l.tally.cutOff++
		l.endAt(call, endCaller)
		return errCutOff
	case hangingUp, ended:
		return nil
	}
	return errNothingToEnd
}

// endAt notes that a call is over at one side, and counts it when it is over at both.
func (l *ledger) endAt(call uint32, side ends) {
	f := l.find(call)
	if f == nil || f.ends&side != 0 {
		return
	}
	if f.ends |= side; f.ends == endBoth {
		l.tally.released++
	}
}
