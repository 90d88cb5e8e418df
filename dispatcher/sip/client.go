package sip

import "time"

// InviteClient is the client side of an INVITE (RFC 3261 §17.1.1, RFC 6026 §7.2,
// and Timer C of §16.6).
//
//	Calling ── Provisional: deliver ──▶ Proceeding ── Timer C: timer-c
//	  │  Timer A: resend                  │
//	  │  Timer B: timeout ─▶ Terminated   │
//	  ├── Success: deliver ───────────────┴──▶ Accepted ── Timer M ──▶ Terminated
//	  │                                            Success: deliver
//	  └── Failure: ack, deliver ─────────────▶ Completed ── Timer D ─▶ Terminated
//	                                               Failure: ack
//
// A Provisional in Proceeding starts Timer C anew.
type InviteClient struct {
	life
	gaveUp bool // Timer C has fired; a Provisional no longer prolongs
}

// NewInviteClient begins in Calling; the shell sends the INVITE.
func NewInviteClient(now time.Time, reliable bool) *InviteClient {
	t := &InviteClient{life: life{state: Calling, reliable: reliable}}
	if !reliable {
		t.repeatAfter(now, T1) // Timer A
	}
	t.endAfter(now, giveUp) // Timer B
	return t
}

// Step takes one input.
func (t *InviteClient) Step(now time.Time, in Input) Output {
	switch t.state {
	case Calling, Proceeding:
		return t.waiting(now, in)
	case Completed:
		switch in {
		case Failure:
			return SendAck
		case Broken:
			t.terminate()
			return Failed
		}
	case Accepted:
		if in == Success {
			return Deliver
		}
	case Terminated:
		return 0
	}
	if _, end := t.due(now); in == Tick && end {
		t.terminate()
	}
	return 0
}

func (t *InviteClient) waiting(now time.Time, in Input) Output {
	switch in {
	case Provisional:
		t.state = Proceeding
		if !t.gaveUp {
			t.stop()
			t.endAfter(now, timerC)
		}
		return Deliver
	case Success:
		t.state = Accepted
		t.stop()
		t.endAfter(now, giveUp) // Timer M
		return Deliver
	case Failure:
		t.state = Completed
		t.stop()
		if t.endAfter(now, linger(t.reliable, timerD)); t.reliable {
			t.terminate()
		}
		return SendAck | Deliver
	case Broken:
		t.terminate()
		return Failed
	case Tick:
		return t.expire(now)
	}
	return 0
}

// GiveUp says that the CANCEL is on its way: the final answer must come within 64·T1
// (RFC 3261 §9.1).
func (t *InviteClient) GiveUp(now time.Time) {
	t.gaveUp = true
	t.endAfter(now, giveUp)
}

// expire handles Timers A, B and C.
func (t *InviteClient) expire(now time.Time) Output {
	again, end := t.due(now)
	switch {
	case end && t.state == Proceeding && !t.gaveUp:
		// The user sends CANCEL; if even that brings no final response the
		// next expiry ends the transaction (§9.1 gives it 64·T1).
		t.gaveUp = true
		t.endAfter(now, giveUp)
		return GaveUp
	case end:
		t.terminate()
		return TimedOut
	case again:
		t.repeatAfter(now, 2*t.interval)
		return Resend
	}
	return 0
}

// NonInviteClient is the client side of any other request (RFC 3261 §17.1.2).
//
//	Trying ── Provisional: deliver ──▶ Proceeding
//	   │  Timer E: resend                 │  Timer E: resend, each T2
//	   │  Timer F: timeout ─▶ Terminated  │  Timer F: timeout ─▶ Terminated
//	   └── final: deliver ────────────────┴──▶ Completed ── Timer K ──▶ Terminated
type NonInviteClient struct{ life }

// NewNonInviteClient begins in Trying; the shell sends the request.
func NewNonInviteClient(now time.Time, reliable bool) *NonInviteClient {
	t := &NonInviteClient{life: life{state: Trying, reliable: reliable}}
	if !reliable {
		t.repeatAfter(now, T1) // Timer E
	}
	t.endAfter(now, giveUp) // Timer F
	return t
}

// Step takes one input.
func (t *NonInviteClient) Step(now time.Time, in Input) Output {
	switch {
	case t.state == Terminated:
		return 0
	case t.state == Completed:
		if _, end := t.due(now); in == Tick && end {
			t.terminate()
		}
		return 0
	case in == Broken:
		t.terminate()
		return Failed
	case in == Provisional:
		t.state = Proceeding
		return Deliver
	case in == Success || in == Failure:
		t.state = Completed
		t.stop()
		if t.endAfter(now, linger(t.reliable, T4)); t.reliable { // Timer K
			t.terminate()
		}
		return Deliver
	case in == Tick:
		return t.expire(now)
	}
	return 0
}

// expire handles Timers E and F.
func (t *NonInviteClient) expire(now time.Time) Output {
	again, end := t.due(now)
	switch {
	case end:
		t.terminate()
		return TimedOut
	case again && t.state == Proceeding:
		t.repeatAfter(now, T2)
		return Resend
	case again:
		t.repeatAfter(now, min(2*t.interval, T2))
		return Resend
	}
	return 0
}
