package main_test

import (
	"fmt"
	"testing"
)

// TestTransferToTheBusy leaves everything as it was. The second REFER in a dialog
// tells its NOTIFYs from those of the first by an id (RFC 3515 §2.4.6).
func TestTransferToTheBusy(t *testing.T) {
	t.Parallel()
	x := newTransfer(t, "callee")
	for try := range 2 {
		x.refers.ask("REFER", "", "Refer-To: <"+x.carol.uri()+">")
		x.refers.answer(202, "REFER")
		m := x.notified(100)
		if want := fmt.Sprintf("refer;id=%d", x.refers.seq); try > 0 && m.head("Event") != want {
			t.Errorf("the NOTIFY of the second REFER has the Event %q, want %q", m.head("Event"), want)
		}
		n := x.carol.called()
		n.reply(n.invite, 486, "")
		n.asked("ACK")
		x.notified(486)
		converses(x.caller, x.callee)
		converses(x.callee, x.caller)
	}
	x.caller.hangsUp()
	x.callee.hungUp()
	x.over("caller", "200 486 486")
}

func TestTransferToNobody(t *testing.T) {
	t.Parallel()
	x := newTransfer(t, "caller", settings("dial: {ring: 1s}"))
	x.refer()
	n := x.rings()
	x.notified(180)
	n.cancelled()
	x.notified(408)
	converses(x.callee, x.caller)
	x.callee.hangsUp()
	x.caller.hungUp()
	x.over("callee", "200 408")
}

// TestTransferRefusedByWhomItConcerns: the one that stays does not take the new
// party's session.
func TestTransferRefusedByWhomItConcerns(t *testing.T) {
	t.Parallel()
	x := newTransfer(t, "callee")
	x.refer()
	n := x.rings()
	x.notified(180)
	x.offers(n)
	m := x.stays.asked("INVITE")
	x.stays.reply(m, 488, "")
	x.stays.asked("ACK")
	n.asked("ACK")
	n.hungUp()
	x.notified(488)
	converses(x.refers, x.stays)
	x.refers.hangsUp()
	x.stays.hungUp()
	x.over("callee", "200 200")
}

// TestReferringPartyLeavesAtOnce: many phones hang up when they have their 202.
func TestReferringPartyLeavesAtOnce(t *testing.T) {
	t.Parallel()
	for _, answers := range []bool{true, false} {
		t.Run(fmt.Sprintf("answers %v", answers), func(t *testing.T) {
			x := newTransfer(t, "callee")
			x.refer()
			x.refers.hangsUp()
			n := x.carol.called()
			if answers {
				x.joins(n)
				converses(x.stays, n)
				x.stays.hangsUp()
				n.hungUp()
				x.over("caller", "200 200")
				return
			}
			n.reply(n.invite, 486, "")
			n.asked("ACK")
			x.stays.hungUp()
			x.over("callee", "200 486")
		})
	}
}

// TestHangingUpDuringATransfer: nobody is left for the new party to talk to.
func TestHangingUpDuringATransfer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		both, late bool
	}{{"both", true, false}, {"the one that stays", false, false}, {"an answer that crosses", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			x := newTransfer(t, "caller")
			x.refer()
			n := x.rings()
			x.notified(180)
			if c.both {
				x.refers.hangsUp()
			}
			x.stays.hangsUp()
			if !c.both {
				x.refers.hungUp()
			}
			if c.late {
				n.reply(n.asked("CANCEL"), 200, "")
				n.reply(n.invite, 200, sdp("carol"))
				n.asked("ACK")
				n.hungUp()
				x.over("callee", "200 200")
				return
			}
			n.cancelled()
			x.over("callee", "200 487")
		})
	}
}

// TestHangingUpWhileASessionIsOffered: the new party has answered and is hung up with
// the others, whatever the one that stays still says to its session.
func TestHangingUpWhileASessionIsOffered(t *testing.T) {
	t.Parallel()
	for _, says := range []int{487, 200} {
		t.Run(fmt.Sprint(says), func(t *testing.T) {
			x := newTransfer(t, "callee")
			x.refer()
			n := x.rings()
			x.notified(180)
			x.offers(n)
			m := x.stays.asked("INVITE")
			x.stays.hangsUp()
			x.refers.hungUp()
			body := ""
			if says == 200 {
				body = sdp(x.stays.name)
			}
			x.stays.reply(m, says, body)
			x.stays.asked("ACK")
			n.asked("ACK")
			n.hungUp()
			x.over("caller", "200 200")
		})
	}
}
