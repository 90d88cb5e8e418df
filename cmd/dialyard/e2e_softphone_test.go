package main_test

import (
	"testing"
	"time"
)

// TestSoftphonesTalk is two real telephones: they talk, one puts the other on hold and
// takes it back, and hangs up.
func TestSoftphonesTalk(t *testing.T) {
	caller, callee := newSoftphone(t, "alice"), newSoftphone(t, "bob")
	s := startServer(t, dials("dial", "sip:bob@"+callee.address))
	s.talk(caller, callee)
	before := s.holds(caller, callee)
	time.Sleep(time.Second)
	if _, after := caller.packets(); after > before+2 {
		t.Errorf("%d packets came from the callee on hold", after-before)
	}
	s.resumes(caller, callee)
	sent, heard := caller.packets()
	theirs, ours := callee.packets()
	t.Logf("packets: caller sent %d and heard %d, callee sent %d and heard %d", sent, heard, theirs, ours)
	if heard < theirs*9/10 || ours < sent*9/10 {
		t.Error("packets got lost")
	}
	caller.do("hangup", "")
	expect(t, s.oneRecord(1), 200, "caller", "200")
	for _, p := range []*softphone{caller, callee} {
		p.quit()
		if l := p.loudness(); l < 2000 || l > 8000 {
			t.Errorf("what was heard has a mean amplitude of %.0f, the tone one of 5000", l)
		}
	}
}

// TestSoftphonesTalkAcrossACrash: the telephones notice nothing of another server
// between hold and resume.
func TestSoftphonesTalkAcrossACrash(t *testing.T) {
	caller, callee := newSoftphone(t, "alice"), newSoftphone(t, "bob")
	s := startServer(t, dials("dial", "sip:bob@"+callee.address))
	s.talk(caller, callee)
	s.holds(caller, callee)
	s.crash()
	s.start()
	s.waitReady()
	s.resumes(caller, callee)
	callee.do("hangup", "")
	expect(t, s.oneRecord(1), 200, "callee", "200")
}

// talk has the caller call, and both hear 100 packets: a packet is 20 ms.
func (s *server) talk(caller, callee *softphone) {
	s.t.Helper()
	caller.do("dial", "sip:plan-dial@"+s.sip)
	s.eventually(10*time.Second, "both have heard 100 packets", func() bool {
		_, atCaller := caller.packets()
		_, atCallee := callee.packets()
		return atCaller >= 100 && atCallee >= 100
	})
}

// holds puts the callee on hold and returns how many packets the caller has heard when
// the last of them has come.
func (s *server) holds(caller, callee *softphone) (heard int) {
	s.t.Helper()
	caller.do("hold", "")
	s.eventually(3*time.Second, "the callee is held", func() bool { return callee.direction() == "recvonly" })
	time.Sleep(200 * time.Millisecond)
	_, heard = caller.packets()
	return heard
}

// resumes takes the callee back, until the caller has heard a second of it.
func (s *server) resumes(caller, callee *softphone) {
	s.t.Helper()
	_, before := caller.packets()
	caller.do("resume", "")
	s.eventually(5*time.Second, "the caller hears the callee again", func() bool {
		_, heard := caller.packets()
		return heard >= before+50 && callee.direction() == "sendrecv"
	})
}
