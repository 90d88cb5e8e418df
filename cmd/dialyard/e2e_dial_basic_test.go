package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestDialledCallHungUpByCaller is the plainest call, and what of it each side
// may see: nothing of the other one's dialog.
func TestDialledCallHungUpByCaller(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_answer")
	s := startServer(t, dials("dial", callee.uri()))
	caller := s.dial("dial_uac_call", "dial")
	caller.wait()
	callee.wait()
	r := s.oneRecord(1)
	expect(t, r, 200, "caller", "200")
	if d := r.Duration(); d < 150*time.Millisecond || d > 5*time.Second {
		t.Errorf("connected for %v, want about 200ms", d)
	}
	leg := r.Legs[0]
	if leg.Called != callee.uri() || leg.Address != "udp:"+callee.address || leg.Rang.IsZero() || leg.Answer.IsZero() || leg.End.IsZero() {
		t.Errorf("leg: %+v", leg)
	}
	theirs, own := field(caller.sent("INVITE")[0], "Call-ID"), callee.got("INVITE", "Call-ID")
	if r.CallID != theirs || leg.CallID != own || own == "" || own == theirs {
		t.Errorf("Call-ID of the call %q, in its record %q; of the leg %q, in its record %q", theirs, r.CallID, own, leg.CallID)
	}
	for _, request := range callee.received("") {
		hidden(t, request, theirs, field(caller.sent("INVITE")[0], "Contact"))
	}
	for _, answer := range caller.received("SIP/2.0 2") {
		hidden(t, answer, own, field(callee.sent("SIP/2.0 200")[0], "Contact"))
	}
}

// hidden fails the test if a message shows the dialog on the other side: its
// Call-ID, its Contact, or a Via but the one that belongs to this hop.
func hidden(t *testing.T, message, callID, contact string) {
	t.Helper()
	address := contact[strings.Index(contact, "@")+1 : strings.Index(contact, ";")]
	head, _, _ := strings.Cut(message, "\n\n")
	for _, secret := range []string{callID, address, "Record-Route"} {
		if strings.Contains(head, secret) {
			t.Errorf("it shows %q:\n%s", secret, message)
		}
	}
	if n := strings.Count(head, "\nVia: "); n != 1 {
		t.Errorf("%d Via, want 1:\n%s", n, message)
	}
}

func TestDialledCallHungUpByCallee(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_bye")
	s := startServer(t, dials("dial", callee.uri()))
	caller := s.dial("dial_uac_hears_bye", "dial")
	caller.wait()
	callee.wait()
	expect(t, s.oneRecord(1), 200, "callee", "200")
	if reason := caller.got("BYE", "Reason"); !strings.Contains(reason, "Normal call clearing") {
		t.Errorf("Reason of the BYE: %q, want the callee's", reason)
	}
}

func TestEarlyMediaReachesTheCaller(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_early")
	s := startServer(t, dials("dial", callee.uri()))
	caller := s.dial("dial_uac_early", "dial")
	caller.wait()
	callee.wait()
	expect(t, s.oneRecord(1), 200, "caller", "200")
	if early, final := caller.got("SIP/2.0 183", "To"), caller.got("SIP/2.0 200", "To"); early != final {
		t.Errorf("To of the 183 is %q, of the 200 %q: one dialog must have one tag", early, final)
	}
}

// TestEarlyMediaOfAnotherLeg: the caller heard the media of one leg and another one
// answers. That is another dialog to the caller (RFC 3261 §12.1, §13.2.2.4).
func TestEarlyMediaOfAnotherLeg(t *testing.T) {
	t.Parallel()
	early, other := newCallee(t, "dial_uas_early_cancelled"), newCallee(t, "dial_uas_answer")
	s := startServer(t, plan("dial", fmt.Sprintf("call:dial({%q, {target = %q, delay = 0.3}})", early.uri(), other.uri())))
	caller := s.dial("dial_uac_early", "dial")
	caller.wait()
	early.wait()
	other.wait()
	expect(t, s.oneRecord(1), 200, "caller", "487 200")
	if early, final := caller.got("SIP/2.0 183", "To"), caller.got("SIP/2.0 200", "To"); early == final {
		t.Errorf("183 and 200 have the tag of one dialog in %q", final)
	}
}

func TestDialledOverTCP(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, caller, callee string }{{"both", "t1", "t1"}, {"caller", "t1", "u1"}, {"callee", "u1", "t1"}} {
		t.Run(c.name, func(t *testing.T) {
			answers, hangsUp := newCallee(t, "dial_uas_answer", "-t", c.callee), newCallee(t, "dial_uas_bye", "-t", c.callee)
			transport := map[string]string{"t1": "tcp", "u1": "udp"}[c.callee]
			s := startServer(t, dials("answers", answers.uri()+";transport="+transport), dials("hangs-up", hangsUp.uri()+";transport="+transport))
			s.dial("dial_uac_call", "answers", "-t", c.caller).wait()
			answers.wait()
			r := s.oneRecord(1)
			expect(t, r, 200, "caller", "200")
			if want := transport + ":" + answers.address; r.Legs[0].Address != want {
				t.Errorf("leg sent to %s, want %s", r.Legs[0].Address, want)
			}
			s.dial("dial_uac_hears_bye", "hangs-up", "-t", c.caller).wait()
			hangsUp.wait()
			expect(t, s.oneRecord(2), 200, "callee", "200")
		})
	}
}
