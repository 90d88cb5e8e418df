package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A transfer is a call of Alice to Bob, one of whom refers the other to Carol, whom
// the server calls itself.
type transfer struct {
	t                 *testing.T
	s                 *server
	alice, bob, carol *agent
	refers, stays     *dialogue
	by, other         string // the sides of these in the record
	caller, callee    *dialogue
}

// newTransfer connects Alice to Bob.
func newTransfer(t *testing.T, by string, changes ...setup) *transfer {
	t.Helper()
	return newTransferOf(t, "{name: test, transfer: call}", by, changes...)
}

// newTransferOf does so for an account with keys of the test's.
func newTransferOf(t *testing.T, account, by string, changes ...setup) *transfer {
	t.Helper()
	x := &transfer{t: t, alice: newAgent(t, "alice"), bob: newAgent(t, "bob"), carol: newAgent(t, "carol"), by: by, other: "callee"}
	x.s = startServer(t, append([]setup{settings("accounts: [" + account + "]"), dials("dial", x.bob.uri())}, changes...)...)
	for _, a := range x.all() {
		a.speaksTo(x.s)
	}
	x.caller, x.callee = x.alice.connects(x.bob, "plan-dial")
	x.refers, x.stays = x.caller, x.callee
	if by == "callee" {
		x.refers, x.stays, x.other = x.callee, x.caller, "caller"
	}
	return x
}

func (x *transfer) all() []*agent { return []*agent{x.alice, x.bob, x.carol} }

// refer asks for the transfer and is told that it is tried.
func (x *transfer) refer() {
	x.t.Helper()
	x.refers.ask("REFER", "", "Refer-To: <"+x.carol.uri()+">")
	if m := x.refers.answer(202, "REFER"); uriIn(m.head("Contact")) == "" {
		x.t.Error("the 202 has no Contact")
	}
	x.notified(100)
}

// notified waits for what the party that refers is told next (RFC 3515 §2.4.4).
func (x *transfer) notified(code int) *message {
	x.t.Helper()
	return notified(x.refers, code)
}

func notified(refers *dialogue, code int) *message {
	refers.t.Helper()
	m := refers.asked("NOTIFY")
	refers.reply(m, 200, "")
	state := "active;expires="
	if code >= 200 {
		state = "terminated"
	}
	switch event, _, _ := strings.Cut(m.head("Event"), ";"); {
	case event != "refer", !strings.HasPrefix(m.head("Subscription-State"), state), !strings.HasPrefix(m.head("Content-Type"), "message/sipfrag"):
		refers.t.Errorf("NOTIFY of %d: %s", code, m.text)
	case !strings.HasPrefix(m.body(), fmt.Sprintf("SIP/2.0 %d ", code)):
		refers.t.Errorf("NOTIFY tells %q, want %d", m.body(), code)
	}
	return m
}

// rings lets the new party ring, who is called without an offer by the one that stays.
func (x *transfer) rings() *dialogue {
	x.t.Helper()
	c := x.carol.called()
	if c.invite.body() != "" || !strings.Contains(c.invite.head("From"), "sip:"+x.caller.name+"@") && x.stays == x.caller {
		x.t.Errorf("the new party is called by\n%s", c.invite.text)
	}
	if tagOf(c.remote) == "" || c.invite.head("Max-Forwards") == "" || uriIn(c.invite.head("Contact")) == "" {
		x.t.Errorf("the INVITE is not complete:\n%s", c.invite.text)
	}
	c.reply(c.invite, 180, "")
	return c
}

// joins lets the new party answer and take the place of the one that refers.
func (x *transfer) joins(c *dialogue) {
	x.t.Helper()
	x.offers(c)
	x.takes(c)
}

// offers lets the new party answer; its session is offered to the one that stays.
func (x *transfer) offers(c *dialogue) {
	c.reply(c.invite, 200, sdp(c.name))
}

// takes lets the one that stays accept the new party's session.
func (x *transfer) takes(c *dialogue) {
	x.t.Helper()
	m := x.stays.asked("INVITE")
	if !describes(m, c.name) {
		x.t.Errorf("%s is offered %q, want the session of %s", x.stays.name, m.body(), c.name)
	}
	x.stays.reply(m, 200, sdp(x.stays.name))
	x.stays.asked("ACK")
	if m := c.asked("ACK"); !describes(m, x.stays.name) {
		x.t.Errorf("%s is answered with %q, want the session of %s", c.name, m.body(), x.stays.name)
	}
}

// over compares the record when nothing is left.
func (x *transfer) over(endedBy, statuses string) {
	x.t.Helper()
	expect(x.t, x.s.oneRecord(1), 200, endedBy, statuses)
	nothingLeft(x.all()...)
}

func TestBlindTransfer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		by     string
		newOne bool // hangs up in the end
	}{{"callee", true}, {"callee", false}, {"caller", true}, {"caller", false}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			x := newTransfer(t, c.by)
			x.refer()
			n := x.rings()
			x.notified(180)
			x.joins(n)
			x.notified(200)
			x.refers.hungUp()
			converses(n, x.stays)
			converses(x.stays, n)
			if c.newOne {
				n.hangsUp()
				x.stays.hungUp()
				x.over(c.by, "200 200")
			} else {
				x.stays.hangsUp()
				n.hungUp()
				x.over(x.other, "200 200")
			}
		})
	}
}

// TestSippTransfers: another make of user agent comes through a transfer too.
func TestSippTransfers(t *testing.T) {
	t.Parallel()
	joins := newCallee(t, "transfer_uas_joins")
	refers := newCallee(t, "transfer_uas_refers", "-key", "target", joins.uri())
	s := startServer(t, dials("dial", refers.uri()), settings("accounts: [{name: test, transfer: call}]"))
	s.dial("transfer_uac_stays", "dial").wait()
	refers.wait()
	joins.wait()
	expect(t, s.oneRecord(1), 200, "caller", "200 200")
}

// TestTransferAfterTransfer: the new party may refer on, and is then replaced itself.
func TestTransferAfterTransfer(t *testing.T) {
	t.Parallel()
	x := newTransfer(t, "callee")
	x.refer()
	n := x.rings()
	x.notified(180)
	x.joins(n)
	x.notified(200)
	x.refers.hungUp()
	dave := newAgent(t, "dave")
	dave.speaksTo(x.s)
	n.ask("REFER", "", "Refer-To: <"+dave.uri()+">")
	n.answer(202, "REFER")
	notified(n, 100)
	d := dave.called()
	d.reply(d.invite, 200, sdp("dave"))
	x.takes(d)
	notified(n, 200)
	n.hungUp()
	converses(d, x.stays)
	d.hangsUp()
	x.stays.hungUp()
	x.over("callee", "200 200 200")
	nothingLeft(dave)
}

// TestOneChangeAtATime: while the new party's session is offered, and while a transfer
// is under way, there is no room for another (RFC 3261 §14.2).
func TestOneChangeAtATime(t *testing.T) {
	t.Parallel()
	x := newTransfer(t, "callee")
	x.refer()
	n := x.rings()
	x.notified(180)
	x.refers.ask("REFER", "", "Refer-To: <"+x.alice.uri()+">")
	x.refers.answer(491, "REFER")
	converses(x.stays, x.refers)
	x.offers(n)
	m := x.stays.asked("INVITE")
	for _, d := range []*dialogue{x.stays, x.refers} {
		d.ask("INVITE", sdp(d.name))
		d.answer(491, "INVITE")
	}
	x.stays.reply(m, 200, sdp(x.stays.name))
	x.stays.asked("ACK")
	n.asked("ACK")
	x.notified(200)
	x.refers.hungUp()
	n.hangsUp()
	x.stays.hungUp()
	x.over("callee", "200 200")
}

// TestReferToNowhere: what cannot be called is refused before anything is promised.
func TestReferToNowhere(t *testing.T) {
	t.Parallel()
	x := newTransfer(t, "caller")
	for _, header := range []string{
		"Subject: no Refer-To", "Refer-To: <>", "Refer-To: <tel:+441632960000>", "Refer-To: <http://example.net/>",
		"Refer-To: <sip:carol@127.0.0.1", "Refer-To: <sip:carol@127.0.0.1?Replaces=%zz>",
	} {
		x.refers.ask("REFER", "", header)
		m := x.refers.hear("an answer", func(m *message) bool { return m.status() >= 200 && m.method() == "REFER" })
		if m.status() < 400 || m.status() >= 500 {
			t.Errorf("%s: %s", header, m.start())
		}
	}
	converses(x.caller, x.callee)
	x.caller.hangsUp()
	x.callee.hungUp()
	x.over("caller", "200")
}

// TestTransferBeforeTheACK: a party whose 2xx is not acknowledged yet may not have seen
// it. A new session can be offered to it only when it has (RFC 3261 §14.1).
func TestTransferBeforeTheACK(t *testing.T) {
	t.Parallel()
	x := newTransfer(t, "callee")
	x.caller.hangsUp()
	x.callee.hungUp()
	x.caller = x.alice.calls("plan-dial")
	x.callee = x.bob.called()
	x.callee.reply(x.callee.invite, 200, sdp("bob"))
	x.caller.answer(200, "INVITE")
	x.callee.asked("ACK")
	x.refers, x.stays = x.callee, x.caller
	x.refer()
	n := x.rings()
	x.notified(180)
	x.offers(n)
	time.Sleep(200 * time.Millisecond) // for what must not come
	acknowledged := time.Now()
	x.caller.ask("ACK", "")
	m := x.stays.asked("INVITE")
	if early := acknowledged.Sub(m.at); early > 0 {
		t.Errorf("the new session is offered %v before the ACK", early)
	}
	x.stays.reply(m, 200, sdp("alice"))
	x.stays.asked("ACK")
	n.asked("ACK")
	x.notified(200)
	x.refers.hungUp()
	n.hangsUp()
	x.stays.hungUp()
	expect(t, x.s.oneRecord(2), 200, "callee", "200 200")
	nothingLeft(x.all()...)
}

// TestTransferAtAGateway: the party that stays is behind a gateway, which may ask who
// offers it a new session as it may in any other INVITE (RFC 3261 §22.3).
func TestTransferAtAGateway(t *testing.T) {
	t.Parallel()
	x := &transfer{t: t, alice: newAgent(t, "alice"), bob: newAgent(t, "bob"), carol: newAgent(t, "carol")}
	x.s = startServer(t, settings("accounts: [{name: test, transfer: call}]"), plan("dial", toCarrier),
		carrier(fmt.Sprintf(`uris: ["sip:%s"], username: dialyard, password: secret`, x.bob.address)))
	for _, a := range x.all() {
		a.speaksTo(x.s)
	}
	x.refers, x.stays = x.alice.connects(x.bob, "plan-dial")
	x.refer()
	n := x.carol.called()
	x.offers(n)
	x.stays.reply(x.stays.asked("INVITE"), 407, "", `Proxy-Authenticate: Digest realm="carrier", nonce="5f2a", algorithm=MD5, qop="auth"`)
	x.stays.asked("ACK")
	m := x.stays.asked("INVITE")
	if !describes(m, "carol") || m.head("Proxy-Authorization") == "" {
		t.Errorf("the session is offered again by\n%s", m.text)
	}
	x.stays.reply(m, 200, sdp("bob"))
	x.stays.asked("ACK")
	n.asked("ACK")
	x.notified(200)
	x.refers.hungUp()
	n.hangsUp()
	x.stays.hungUp()
	x.over("caller", "200 200")
}
