package sip

import "time"

// InviteServer is the server side of an INVITE (RFC 3261 §17.2.1 with the
// Accepted state of RFC 6026 §7.1).
//
//	      INVITE
//	        │            Repeat: resend
//	        ▼           ┌──┐
//	   Proceeding ──────┘  │
//	    │   │  Provisional: send
//	    │   │
//	    │   └─ Success: send ─────────▶ Accepted ── Timer L ──▶ Terminated
//	    │ Failure: send, Timers G, H        Repeat: absorbed    (timeout, if there
//	    ▼                                   resend until Ack     was no Ack)
//	Completed ── Timer H: timeout ────▶ Terminated
//	    │  Repeat, Timer G: resend
//	    │ Ack
//	    ▼
//	Confirmed ── Timer I ─────────────▶ Terminated
//
// The 2xx is repeated here, after T1 at first and T2 at last (RFC 3261 §13.3.1.4),
// although the RFC makes that the user's duty: it saves each call a timer.
type InviteServer struct {
	life
	success bool // it was answered 2xx
	acked   bool // and that was acknowledged
}

// NewInviteServer begins in Proceeding, as an INVITE has arrived. reliable says
// whether the transport repeats by itself (TCP, TLS, WS).
func NewInviteServer(reliable bool) *InviteServer {
	return &InviteServer{life: life{state: Proceeding, reliable: reliable}}
}

// Step takes one input.
func (t *InviteServer) Step(now time.Time, in Input) Output {
	switch t.state {
	case Proceeding:
		return t.proceeding(now, in)
	case Completed:
		return t.completed(now, in)
	case Confirmed:
		if _, end := t.due(now); in == Tick && end {
			t.terminate()
		}
	case Accepted:
		return t.accepted(now, in)
	}
	return 0
}

func (t *InviteServer) proceeding(now time.Time, in Input) Output {
	switch in {
	case Repeat:
		return Resend
	case Provisional:
		return Send
	case Success:
		t.state, t.success = Accepted, true
		t.repeatAfter(now, T1)
		t.endAfter(now, giveUp) // Timer L
		return Send
	case Failure:
		t.state = Completed
		if !t.reliable {
			t.repeatAfter(now, T1) // Timer G
		}
		t.endAfter(now, giveUp) // Timer H
		return Send
	case Broken:
		t.terminate()
		return Failed
	}
	return 0
}

func (t *InviteServer) completed(now time.Time, in Input) Output {
	switch in {
	case Repeat:
		return Resend
	case Ack:
		t.state = Confirmed
		t.stop()
		if t.endAfter(now, linger(t.reliable, T4)); t.reliable { // Timer I
			t.terminate()
		}
	case Tick:
		again, end := t.due(now)
		if end {
			t.terminate()
			return TimedOut
		}
		if again {
			t.repeatAfter(now, min(2*t.interval, T2))
			return Resend
		}
	case Broken:
		t.terminate()
		return Failed
	}
	return 0
}

func (t *InviteServer) accepted(now time.Time, in Input) Output {
	again, end := t.due(now)
	switch {
	case in == Ack:
		t.acked, t.again = true, time.Time{}
		return Deliver
	case in != Tick:
	case end:
		t.terminate()
		if !t.acked {
			return TimedOut
		}
	case again:
		t.repeatAfter(now, min(2*t.interval, T2))
		return Resend
	}
	return 0
}

// NonInviteServer is the server side of any other request (RFC 3261 §17.2.2).
//
//	Trying ── Provisional: send ──▶ Proceeding     Repeat in Trying: absorbed
//	   │                               │           Repeat later: resend
//	   └────── final: send ──────▶ Completed ── Timer J ──▶ Terminated
type NonInviteServer struct{ life }

// NewNonInviteServer begins in Trying.
func NewNonInviteServer(reliable bool) *NonInviteServer {
	return &NonInviteServer{life: life{state: Trying, reliable: reliable}}
}

// Step takes one input.
func (t *NonInviteServer) Step(now time.Time, in Input) Output {
	switch {
	case t.state == Terminated:
		return 0
	case in == Broken:
		t.terminate()
		return Failed
	case in == Repeat && t.state != Trying:
		return Resend
	case t.state == Completed:
		if _, end := t.due(now); in == Tick && end {
			t.terminate()
		}
		return 0
	case in == Provisional:
		t.state = Proceeding
		return Send
	case in == Success || in == Failure:
		t.state = Completed
		t.endAfter(now, linger(t.reliable, giveUp)) // Timer J
		if t.reliable {
			t.terminate()
		}
		return Send
	}
	return 0
}
