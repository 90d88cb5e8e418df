package main_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// TestCancelAtOnce: INVITE and CANCEL arrive together, so that the run is given up
// while it begins. sipp cannot send two requests without listening in between. The leg
// begins later: one that was sent already would be waited for, 32 s as nobody answers.
func TestCancelAtOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, plan("dial", `call:dial("sip:nobody@127.0.0.1:9", {delay = 60})`))
	conn, err := net.Dial("udp", s.sip)
	s.must(err)
	defer conn.Close()
	s.must(conn.SetDeadline(time.Now().Add(5 * time.Second)))
	const calls = 20
	for i := range calls {
		for _, method := range []string{"INVITE", "CANCEL"} {
			_, err := conn.Write([]byte(strings.ReplaceAll(fmt.Sprintf(bareRequest, method, i), "\n", "\r\n")))
			s.must(err)
		}
		finals := map[string]string{}
		for len(finals) < 2 {
			status, method := readAnswer(t, conn)
			if status >= "200" {
				finals[method] = status
			}
		}
		if finals["CANCEL"] != "200" || finals["INVITE"] != "487" {
			t.Errorf("answers: %v, want 487 to INVITE and 200 to CANCEL", finals)
		}
		_, err := conn.Write([]byte(strings.ReplaceAll(fmt.Sprintf(bareRequest, "ACK", i), "\n", "\r\n")))
		s.must(err)
	}
	s.oneRecord(calls)
	for _, r := range s.records() {
		if r.Status != 487 || r.EndedBy != "caller" {
			t.Errorf("record: %d, ended by %s", r.Status, r.EndedBy)
		}
	}
	s.eventually(3*time.Second, "no run is left on a worker", func() bool { return s.workerRuns() == 0 })
}

const bareRequest = `%[1]s sip:plan-dial@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKatonce%[2]d;rport
From: <sip:a@127.0.0.1>;tag=%[2]d
To: <sip:plan-dial@127.0.0.1>
Call-ID: at-once-%[2]d
CSeq: 1 %[1]s
Max-Forwards: 70
Content-Length: 0

`

// readAnswer reads the status of the next response and the method it answers.
func readAnswer(t *testing.T, conn net.Conn) (status, method string) {
	t.Helper()
	buffer := make([]byte, 4096)
	n, err := conn.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(buffer[:n]), "\r\n", "\n")
	_, status, _ = strings.Cut(text, " ")
	_, method, _ = strings.Cut(field(text, "CSeq"), " ")
	return status[:3], method
}

// TestCancelBeforeRinging: the caller is answered at once, the leg is cancelled when
// it has said a word (RFC 3261 §9.1, §9.2).
func TestCancelBeforeRinging(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_cancelled_slow")
	s := startServer(t, dials("dial", callee.uri()))
	s.dial("dial_uac_cancel_trying", "dial").wait()
	if n := len(callee.received("CANCEL")); n != 0 {
		t.Error("the caller had to wait for the callee")
	}
	callee.wait()
	expect(t, s.oneRecord(1), 487, "caller", "487")
}

func TestCancelWhileRinging(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_cancelled")
	s := startServer(t, dials("dial", callee.uri()))
	s.dial("dial_uac_cancel_ringing", "dial").wait()
	callee.wait()
	expect(t, s.oneRecord(1), 487, "caller", "487")
}

// TestAnswerAfterCancel: a leg's 200 that crosses the CANCEL is acknowledged and
// hung up (RFC 3261 §9.1, §15); the caller has long had its 487.
func TestAnswerAfterCancel(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_late")
	s := startServer(t, dials("dial", callee.uri()))
	s.dial("dial_uac_cancel_ringing", "dial").wait()
	callee.wait()
	r := s.oneRecord(1)
	expect(t, r, 487, "caller", "200")
	if r.Legs[0].Answer.IsZero() {
		t.Error("the record does not say that the leg answered")
	}
}

// TestCancelCrossesAnswer: the caller's CANCEL meets the 200 on its way.
func TestCancelCrossesAnswer(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_answer")
	s := startServer(t, dials("dial", callee.uri()))
	s.dial("dial_uac_cancel_crossing", "dial").wait()
	callee.wait()
	expect(t, s.oneRecord(1), 200, "caller", "200")
}

// TestByeInAnEarlyDialog ends the call as CANCEL does (RFC 3261 §15, §15.1.2).
func TestByeInAnEarlyDialog(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_cancelled")
	s := startServer(t, dials("dial", callee.uri()))
	s.dial("dial_uac_early_bye", "dial").wait()
	callee.wait()
	expect(t, s.oneRecord(1), 487, "caller", "487")
}
