package main_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"dialyard/dispatcher/call"
)

// patience is 64·T1: how long a SIP party waits for a word of its peer.
const patience = 32 * time.Second

// calm keeps the health probes from opening transactions of their own.
var calm = settings("health: {interval: 60s}")

// TestPatience has callers and callees at once who leave the server waiting, each in
// another way; to wait 64·T1 for one costs no more time than for all.
func TestPatience(t *testing.T) {
	t.Parallel()
	alice, bob, silent, rings, deaf := newAgent(t, "alice"), newAgent(t, "bob"), newAgent(t, "silent"), newAgent(t, "rings"), newAgent(t, "deaf")
	refers, joins := newAgent(t, "refers"), newAgent(t, "joins")
	s := startServer(t, calm, settings("accounts: [{name: test, transfer: call}]"), dials("unacked", bob.uri()), dials("refers", refers.uri()),
		dialsFor("silent", silent, 2), dialsFor("rings", rings, 1), dialsFor("deaf", deaf, 1))
	all := []*agent{alice, bob, silent, rings, deaf, refers, joins}
	for _, a := range all {
		a.speaksTo(s)
	}
	a, b := alice.neverAcknowledges(bob)
	answered := time.Now()
	stays, referring := alice.connects(refers, "plan-refers")
	joining := referring.referredTo(joins)
	stays.asked("INVITE") // and is not answered
	referring.hangsUp()
	neverAnswered := alice.calls("plan-silent")
	silent.called()
	stops, ringing := alice.ringsAt(rings, "plan-rings")
	neverStops, hears := alice.ringsAt(deaf, "plan-deaf")

	ringing.cancelled()
	stops.answer(408, "INVITE")
	hears.asked("CANCEL") // and is not answered
	neverStops.answer(408, "INVITE")
	neverAnswered.answer(408, "INVITE")
	if n := len(silent.all("INVITE ")); n != 3 {
		t.Errorf("the leg's INVITE was sent %d times in 2 s, want 3: at once and after T1 and 3·T1", n)
	}
	s.eventually(3*time.Second, "the record of the leg that was cancelled", func() bool { return len(s.records()) == 1 })

	for _, a := range all {
		a.waits = patience + 5*time.Second
	}
	for _, d := range []*dialogue{a, b} {
		if after := d.hungUp().at.Sub(answered); after < patience-time.Second || after > patience+2*time.Second {
			t.Errorf("%s hears BYE after %v, want 64·T1", d.name, after)
		}
	}
	joining.asked("ACK")
	joining.hungUp()
	stays.hungUp()
	s.eventually(10*time.Second, "five records", func() bool { return len(s.records()) == 5 })
	s.empty()
	s.eventually(10*time.Second, "no transaction is left", func() bool { return gauge(s.metrics(), "dialyard_transactions") == 0 })
	heardAgain(t, bob.all("ACK "), 1, 1)
	heardAgain(t, only(alice.all("SIP/2.0 200 "), a.id), 10, 12) // T1 after the first, then up to T2
	heardAgain(t, silent.all("INVITE "), 6, 7)                   // Timer A
	heardAgain(t, deaf.all("CANCEL "), 10, 12)                   // Timer E
	heardAgain(t, silent.all("CANCEL "), 0, 0)                   // RFC 3261 §9.1
	nothingLeft(all...)
	patienceRecords(t, s.records())
}

// patienceRecords compares what is written of each caller's call.
func patienceRecords(t *testing.T, records []call.Record) {
	t.Helper()
	for _, r := range records {
		took := r.Legs[0].End.Sub(r.Legs[0].Start)
		switch r.Plan {
		case "refers":
			expect(t, r, 200, "callee", "200 200")
		case "unacked":
			expect(t, r, 200, "system", "200")
			if d := r.Duration(); d < patience-time.Second || d > patience+2*time.Second {
				t.Errorf("unacked: connected for %v", d)
			}
		case "rings":
			expect(t, r, 408, "callee", "408")
			if took < time.Second || took > 2*time.Second {
				t.Errorf("rings: its leg took %v, want the ring time", took)
			}
		case "deaf", "silent":
			expect(t, r, 408, "callee", "408")
			if took < patience-time.Second || r.Seconds() > 5 {
				t.Errorf("%s: its leg took %v, want 64·T1; its caller waited %v s", r.Plan, took, r.Seconds())
			}
		}
	}
}

// dialsFor is a plan that lets an agent ring for so long.
func dialsFor(name string, a *agent, seconds int) setup {
	return plan(name, fmt.Sprintf("call:dial(%q, {timeout = %d})", a.uri(), seconds))
}

// neverAcknowledges has a call answered and keeps the ACK back.
func (a *agent) neverAcknowledges(callee *agent) (caller, called *dialogue) {
	a.t.Helper()
	caller = a.calls("plan-unacked")
	called = callee.called()
	called.reply(called.invite, 200, sdp(callee.name))
	caller.answer(200, "INVITE")
	called.asked("ACK")
	return caller, called
}

// referredTo asks for a transfer to an agent, who answers.
func (d *dialogue) referredTo(a *agent) *dialogue {
	d.t.Helper()
	d.ask("REFER", "", "Refer-To: <"+a.uri()+">")
	d.answer(202, "REFER")
	notified(d, 100)
	n := a.called()
	n.reply(n.invite, 200, sdp(a.name))
	return n
}

// ringsAt has a call ring.
func (a *agent) ringsAt(callee *agent, user string) (caller, called *dialogue) {
	a.t.Helper()
	caller = a.calls(user)
	called = callee.called()
	called.reply(called.invite, 180, "")
	caller.answer(180, "INVITE")
	return caller, called
}

// only are the messages of one Call-ID.
func only(messages []*message, id string) (found []*message) {
	for _, m := range messages {
		if m.head("Call-ID") == id && m.method() == "INVITE" {
			found = append(found, m)
		}
	}
	return found
}

// heardAgain holds how often something came against what is right, and that the pauses
// between never shrink.
func heardAgain(t *testing.T, messages []*message, least, most int) {
	t.Helper()
	var pauses []time.Duration
	for i := range messages[min(1, len(messages)):] {
		pauses = append(pauses, messages[i+1].at.Sub(messages[i].at).Round(10*time.Millisecond))
	}
	if n := len(messages); n < least || n > most {
		t.Errorf("heard %d times, want %d to %d; pauses %v", n, least, most, pauses)
	}
	for i := range pauses {
		if pauses[i] < 300*time.Millisecond || i > 0 && pauses[i] < pauses[i-1]-500*time.Millisecond {
			t.Errorf("pauses %v", pauses)
			return
		}
	}
}

// lossyCalls are made at once in TestPacketLoss.
const lossyCalls = 200

// lossySeed makes a failure come again, but for what the clock does to it.
const lossySeed = 20090401

// TestPacketLoss: on both ways to the server one message in ten is lost, some come
// twice, and some late. No callee is called twice, no call is stuck, all hear what was
// meant for them, and after 64·T1 nothing is left.
func TestPacketLoss(t *testing.T) {
	t.Parallel()
	s := startServer(t, calm, plan("lossy", `call:dial(call.headers["X-Target"])`))
	calls := make([]*lossyCall, lossyCalls)
	var talking sync.WaitGroup
	for i := range calls {
		c := newLossyCall(t, s, i)
		calls[i] = c
		talking.Go(c.talk)
	}
	talking.Wait()
	if t.Failed() {
		t.Logf("seed %d", lossySeed)
	}
	s.oneRecord(lossyCalls)
	over := time.Now()
	records := map[string]call.Record{}
	for _, r := range s.records() {
		records[r.CallID] = r
	}
	for i, c := range calls {
		c.compare(i, records)
	}
	s.eventually(patience+10*time.Second, "no transaction is left", func() bool { return gauge(s.metrics(), "dialyard_transactions") == 0 })
	t.Logf("%d messages of the server's came to %d calls, and the last transaction ended after %v",
		heardBy(calls), lossyCalls, time.Since(over).Round(time.Second))
}

// A lossyCall is one caller and one callee, each behind weather of its own.
type lossyCall struct {
	caller, callee *agent
	a              *dialogue
	random         *rand.Rand
	status         int
	endedBy        string
}

func newLossyCall(t *testing.T, s *server, i int) *lossyCall {
	seed := uint64(lossySeed + 2*i)
	c := &lossyCall{
		caller: newAgentIn(t, "caller", newWeather(seed)), callee: newAgentIn(t, "callee", newWeather(seed+1)),
		random: rand.New(rand.NewPCG(seed, 0)),
	}
	c.status, c.endedBy = 200, "caller"
	switch i % 10 {
	case 0, 1:
		c.status, c.endedBy = 486, "callee"
	case 2, 3:
		c.status = 487
	case 4, 5, 6:
		c.endedBy = "callee"
	}
	for _, a := range []*agent{c.caller, c.callee} {
		a.alone, a.waits = true, patience
		a.speaksTo(s)
	}
	return c
}

// talk is the whole of a call.
func (c *lossyCall) talk() {
	c.pause(3 * time.Second)
	c.a = c.caller.calls("plan-lossy", "X-Target: "+c.callee.uri())
	b := c.callee.called()
	b.reply(b.invite, 180, "")
	switch c.status {
	case 486:
		c.pause(100 * time.Millisecond)
		b.reply(b.invite, 486, "")
		c.a.answer(486, "INVITE")
		b.asked("ACK")
	case 487:
		c.a.hear("a provisional answer", func(m *message) bool { return m.status() > 0 && m.status() < 200 })
		c.pause(300 * time.Millisecond)
		c.a.ask("CANCEL", "")
		c.a.answer(200, "CANCEL")
		c.a.answer(487, "INVITE")
		b.cancelled()
	default:
		c.pause(300 * time.Millisecond)
		b.reply(b.invite, 200, sdp("callee"))
		c.a.answered()
		b.asked("ACK")
		c.pause(time.Second)
		first, second := c.a, b
		if c.endedBy == "callee" {
			first, second = b, c.a
		}
		first.hangsUp()
		second.hungUp()
	}
}

func (c *lossyCall) pause(most time.Duration) {
	time.Sleep(time.Duration(c.random.Int64N(int64(most))))
}

// compare holds what both ends heard and the record against what was to be.
func (c *lossyCall) compare(i int, records map[string]call.Record) {
	t := c.caller.t
	t.Helper()
	legs, finals := map[string]bool{}, map[string]bool{}
	for _, m := range c.callee.all("INVITE ") {
		legs[m.head("Call-ID")] = true
	}
	for _, m := range c.caller.all("SIP/2.0 ") {
		if m.method() == "INVITE" && m.status() >= 200 {
			finals[strings.TrimSpace(m.start())+tagOf(m.head("To"))] = true
		}
	}
	if len(legs) != 1 || len(finals) != 1 {
		t.Errorf("call %d: the callee was called %d times, the caller heard %v", i, len(legs), finals)
	}
	r, ok := records[c.a.id]
	if !ok {
		t.Errorf("call %d has no record", i)
		return
	}
	expect(t, r, c.status, c.endedBy, fmt.Sprint(c.status))
}

func heardBy(calls []*lossyCall) (n int) {
	for _, c := range calls {
		n += len(c.caller.all("")) + len(c.callee.all(""))
	}
	return n
}
