package main_test

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
)

// A consultation is Alice's call with Bob and her second one with Carol, who are to be
// left to each other.
type consultation struct {
	t                 *testing.T
	s                 *server
	alice, bob, carol *agent
	first, second     *dialogue // Alice's
	bobs, carols      *dialogue // the far ends of these
}

// between says how the two calls came about.
type between struct {
	sameShard  bool
	carolCalls bool // the second call is Carol's to Alice
}

// newConsultation connects both calls; transfer is what the account allows.
func newConsultation(t *testing.T, transfer string, how between) *consultation {
	t.Helper()
	c := newConsultants(t, transfer)
	id := c.alice.token("call")
	c.first, c.bobs = connected(c.alice.callsAs(id, "plan-bob", sdp("alice")), c.bob)
	id = c.shardedLike(id, how.sameShard)
	if how.carolCalls {
		c.carols, c.second = connected(c.carol.callsAs(id, "plan-alice", sdp("carol")), c.alice)
	} else {
		c.second, c.carols = connected(c.alice.callsAs(id, "plan-carol", sdp("alice")), c.carol)
	}
	one, two := frontTag(c.first), frontTag(c.second)
	if (one[:2] == two[:2]) != how.sameShard {
		t.Fatalf("tags %s and %s, want them of one shard: %v", one, two, how.sameShard)
	}
	return c
}

// newConsultants are three agents and a server with a plan to reach each.
func newConsultants(t *testing.T, transfer string) *consultation {
	t.Helper()
	c := &consultation{t: t, alice: newAgent(t, "alice"), bob: newAgent(t, "bob"), carol: newAgent(t, "carol")}
	c.s = startServer(t, settings("accounts: [{name: test, transfer: "+transfer+"}]"),
		dials("alice", c.alice.uri()), dials("bob", c.bob.uri()), dials("carol", c.carol.uri()))
	for _, a := range c.all() {
		a.speaksTo(c.s)
	}
	return c
}

func (c *consultation) all() []*agent { return []*agent{c.alice, c.bob, c.carol} }

// frontTag is the tag by which the server knows a dialogue.
func frontTag(d *dialogue) string { return tagOf(d.remote) }

// shardedLike finds a Call-ID of the same shard as another's, or of a different one.
// The first two characters of a tag that the server makes name the shard, and a
// Call-ID leads to the same shard whatever the request.
func (c *consultation) shardedLike(id string, same bool) string {
	c.t.Helper()
	if !same && runtime.GOMAXPROCS(0) == 1 {
		c.t.Skip("there is but one shard")
	}
	want := c.shardOf(id)
	for range 64 {
		if id := c.alice.token("second"); (c.shardOf(id) == want) == same {
			return id
		}
	}
	c.t.Fatalf("no Call-ID for shard %s: %v", want, same)
	return ""
}

func (c *consultation) shardOf(id string) string {
	c.t.Helper()
	d := &dialogue{agent: c.alice, id: id, local: "<" + c.alice.uri() + ">;tag=" + c.alice.token("tag"), remote: "<sip:" + c.s.sip + ">", target: "sip:" + c.s.sip}
	d.ask("OPTIONS", "")
	return tagOf(d.answer(200, "OPTIONS").head("To"))[:2]
}

// replacing names a dialogue for a Refer-To, as its own agent knows it: the agent's tag
// is the one that the far end calls remote (RFC 3891 §6.1, RFC 5589 §7).
func replacing(d *dialogue) string {
	return replacesText(d.id, tagOf(d.remote), tagOf(d.local))
}

func replacesText(id, to, from string) string {
	return id + ";to-tag=" + to + ";from-tag=" + from
}

// farEnd is the Replaces that an agent at the far end takes for its own dialogue: the
// tag it made is the to-tag.
func farEnd(d *dialogue) string { return replacesText(d.id, tagOf(d.local), tagOf(d.remote)) }

// refer asks within the first call for the transfer to whom a Refer-To names.
func (c *consultation) refer(target, replaces string) {
	c.first.ask("REFER", "", "Refer-To: <"+target+"?Replaces="+url.QueryEscape(replaces)+">")
}

// over ends what is left of both calls and sees that nothing more came.
func (c *consultation) over() {
	c.t.Helper()
	c.s.oneRecord(2)
	for _, r := range c.s.records() {
		if r.Status != 200 || r.Duration() <= 0 {
			c.t.Errorf("record: %d, connected for %v", r.Status, r.Duration())
		}
	}
	nothingLeft(c.all()...)
}

var consultations = []between{{sameShard: true}, {sameShard: false}, {sameShard: true, carolCalls: true}, {sameShard: false, carolCalls: true}}

// TestAttendedTransferPassed: Bob is told of Carol's dialog in the words that Carol
// understands, for he will call her himself.
func TestAttendedTransferPassed(t *testing.T) {
	t.Parallel()
	for _, how := range consultations {
		t.Run(fmt.Sprintf("%+v", how), func(t *testing.T) {
			c := newConsultation(t, "pass", how)
			c.refer(c.second.target, replacing(c.second))
			m := c.bobs.asked("REFER")
			c.bobs.reply(m, 202, "")
			c.first.answer(202, "REFER")
			target, headers, _ := strings.Cut(uriIn(m.head("Refer-To")), "?")
			if want := "Replaces=" + url.QueryEscape(farEnd(c.carols)); target != c.carol.uri() || headers != want {
				t.Errorf("Refer-To: %s\nwant %s?%s", m.head("Refer-To"), c.carol.uri(), want)
			}
			c.bobs.ask("NOTIFY", "SIP/2.0 200 OK\r\n", "Event: refer", "Subscription-State: terminated;reason=noresource", "Content-Type: message/sipfrag;version=2.0")
			notified(c.first, 200)
			c.bobs.answer(200, "NOTIFY")
			c.first.hangsUp()
			c.bobs.hungUp()
			c.carols.hangsUp() // Bob's INVITE has replaced this dialog
			c.second.hungUp()
			c.over()
		})
	}
}

// TestAttendedTransferCalled: the server calls Carol with a Replaces that she knows
// her dialog by, and she gives that up.
func TestAttendedTransferCalled(t *testing.T) {
	t.Parallel()
	for _, how := range consultations {
		t.Run(fmt.Sprintf("%+v", how), func(t *testing.T) {
			c := newConsultation(t, "call", how)
			c.refer(c.second.target, replacing(c.second))
			c.first.answer(202, "REFER")
			notified(c.first, 100)
			n := c.carol.called()
			if got := n.invite.head("Replaces"); got != farEnd(c.carols) {
				t.Errorf("Replaces: %s, want %s", got, farEnd(c.carols))
			}
			n.reply(n.invite, 200, sdp("carol"))
			m := c.bobs.asked("INVITE")
			c.bobs.reply(m, 200, sdp("bob"))
			c.bobs.asked("ACK")
			n.asked("ACK")
			c.carols.hangsUp()
			c.second.hungUp()
			notified(c.first, 200)
			c.first.hungUp()
			converses(n, c.bobs)
			n.hangsUp()
			c.bobs.hungUp()
			c.over()
		})
	}
}

// TestReplacesOfNoCall: a dialog that the server would know, but does not, is not
// there any more.
func TestReplacesOfNoCall(t *testing.T) {
	t.Parallel()
	for _, transfer := range []string{"pass", "call"} {
		t.Run(transfer, func(t *testing.T) {
			c := newConsultation(t, transfer, between{sameShard: true})
			good := replacing(c.second)
			for _, unknown := range []string{
				strings.Replace(good, c.second.id, "another", 1),
				strings.Replace(good, tagOf(c.second.local), "another", 1),
				strings.Replace(good, tagOf(c.second.remote), "00000000000000", 1),
			} {
				c.refer(c.second.target, unknown)
				c.first.answer(404, "REFER")
			}
			c.end()
		})
	}
}

// TestReplacesOfACallThatIsOver: Carol hung up before Alice had acknowledged her 200,
// and Alice does not know it yet.
func TestReplacesOfACallThatIsOver(t *testing.T) {
	t.Parallel()
	c := newConsultants(t, "call")
	id := c.alice.token("call")
	c.first, c.bobs = connected(c.alice.callsAs(id, "plan-bob", sdp("alice")), c.bob)
	for _, same := range []bool{true, false} {
		c.second = c.alice.callsAs(c.shardedLike(id, same), "plan-carol", sdp("alice"))
		c.carols = c.carol.called()
		c.carols.reply(c.carols.invite, 200, sdp("carol"))
		c.carols.asked("ACK")
		c.second.answer(200, "INVITE")
		c.carols.hangsUp()
		c.refer(c.second.target, replacing(c.second))
		c.first.answer(404, "REFER")
		c.second.ask("ACK", "")
		c.second.hungUp()
	}
	c.first.hangsUp()
	c.bobs.hungUp()
	c.s.oneRecord(3)
	nothingLeft(c.all()...)
}

// TestReplacesOfAnotherServersCall: Alice's second call does not go through here.
// Whoever calls Carol in her name needs the Replaces as Alice gave it.
func TestReplacesOfAnotherServersCall(t *testing.T) {
	t.Parallel()
	const foreign = "4711@192.0.2.1;to-tag=carols-9;from-tag=alices-9"
	t.Run("pass", func(t *testing.T) {
		c := newConsultation(t, "pass", between{sameShard: true})
		c.refer(c.carol.uri(), foreign)
		m := c.bobs.asked("REFER")
		if want := "<" + c.carol.uri() + "?Replaces=" + url.QueryEscape(foreign) + ">"; m.head("Refer-To") != want {
			t.Errorf("Refer-To: %s, want it as it came: %s", m.head("Refer-To"), want)
		}
		c.bobs.reply(m, 603, "")
		c.first.answer(603, "REFER")
		c.end()
	})
	t.Run("call", func(t *testing.T) {
		c := newConsultation(t, "call", between{sameShard: true})
		c.refer(c.carol.uri(), foreign)
		c.first.answer(202, "REFER")
		notified(c.first, 100)
		n := c.carol.called()
		if got := n.invite.head("Replaces"); got != foreign {
			t.Errorf("Replaces: %q, want %q: without it Carol's phone rings anew", got, foreign)
		}
		n.reply(n.invite, 481, "")
		n.asked("ACK")
		notified(c.first, 481)
		c.end()
	})
}

// end hangs both calls up.
func (c *consultation) end() {
	c.t.Helper()
	c.first.hangsUp()
	c.bobs.hungUp()
	c.second.hangsUp()
	c.carols.hungUp()
	c.over()
}
