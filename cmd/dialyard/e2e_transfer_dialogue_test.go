package main_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A dialogue is one call of an agent's, as that agent sees it.
type dialogue struct {
	*agent
	id            string   // Call-ID
	local, remote string   // From and To of what the agent asks
	target        string   // where it asks
	seq           int      // of its last request
	via           string   // of its INVITE
	invite        *message // that opened it, if the other side did
	accepted      *message // the 2xx to the agent's last INVITE
}

// sdp is a session description that says whose it is.
func sdp(whose string) string {
	return strings.ReplaceAll("v=0\no="+whose+" 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n", "\n", "\r\n")
}

// describes reports whether a message carries that description and no other.
func describes(m *message, whose string) bool { return strings.Contains(m.body(), "\no="+whose+" ") }

// calls begins a call with an offer.
func (a *agent) calls(user string, headers ...string) *dialogue {
	return a.callsAs(a.token("call"), user, sdp(a.name), headers...)
}

// callsAs begins a call with a Call-ID and a body of the test's.
func (a *agent) callsAs(id, user, body string, headers ...string) *dialogue {
	d := &dialogue{
		agent: a, id: id, local: "<" + a.uri() + ">;tag=" + a.token("tag"),
		remote: "<sip:" + user + "@" + a.front.String() + ">", target: "sip:" + user + "@" + a.front.String(),
	}
	d.ask("INVITE", body, headers...)
	return d
}

// ask sends a request within the dialogue. One other than ACK is repeated until it
// is answered.
func (d *dialogue) ask(method, body string, headers ...string) {
	if method != "ACK" && method != "CANCEL" {
		d.seq++
	}
	via := fmt.Sprintf("SIP/2.0/UDP %s;branch=z9hG4bK%s;rport", d.address, d.token("branch"))
	switch method {
	case "INVITE":
		d.via = via
	case "CANCEL":
		via = d.via
	}
	seq := strconv.Itoa(d.seq)
	data := wire(method+" "+d.target+" SIP/2.0", body, append([]string{
		"Via: " + via, "Max-Forwards: 70", "From: " + d.local, "To: " + d.remote, "Call-ID: " + d.id, "CSeq: " + seq + " " + method,
		"Contact: <" + d.uri() + ">",
	}, headers...)...)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch method {
	case "ACK":
		d.replies[d.accepted.key()] = data
		d.transmit(data)
	case "INVITE":
		d.repeat(method+d.id+seq, d.id, data, time.Minute)
	default:
		d.repeat(method+d.id+seq, d.id, data, 4*time.Second)
	}
}

// answer waits for an answer to a request of the agent's, past provisional ones.
func (d *dialogue) answer(status int, method string) *message {
	d.t.Helper()
	m := d.hear(fmt.Sprintf("%d to %s", status, method), func(m *message) bool {
		return m.head("Call-ID") == d.id && m.method() == method && (m.status() == status || m.status() >= 200)
	})
	if m.status() != status {
		d.fatalf("%s heard %q to its %s, want %d", d.name, m.start(), method, status)
	}
	if method == "INVITE" && status < 300 {
		d.remote = m.head("To")
		d.target = uriIn(m.head("Contact"))
		d.accepted = m
	}
	return m
}

func uriIn(value string) string {
	_, uri, _ := strings.Cut(value, "<")
	uri, _, _ = strings.Cut(uri, ">")
	return uri
}

// answered waits for the 200 to the agent's INVITE and acknowledges it.
func (d *dialogue) answered() *message {
	d.t.Helper()
	m := d.answer(200, "INVITE")
	d.ask("ACK", "")
	return m
}

// called waits for a call.
func (a *agent) called() *dialogue {
	a.t.Helper()
	m := a.hear("a call", func(m *message) bool {
		return strings.HasPrefix(m.text, "INVITE ") && tagOf(m.head("To")) == ""
	})
	return &dialogue{
		agent: a, id: m.head("Call-ID"), local: m.head("To") + ";tag=" + a.token("tag"), remote: m.head("From"),
		target: uriIn(m.head("Contact")), invite: m,
	}
}

// asked waits for a request of the other side's.
func (d *dialogue) asked(method string) *message {
	d.t.Helper()
	return d.hear(method, func(m *message) bool {
		return strings.HasPrefix(m.text, method+" ") && m.head("Call-ID") == d.id
	})
}

// reply answers a request; a final answer to INVITE is repeated until its ACK.
func (d *dialogue) reply(m *message, status int, body string, headers ...string) {
	to := m.head("To")
	if tagOf(to) == "" {
		to = d.local
	}
	headers = append([]string{
		"Via: " + m.head("Via"), "From: " + m.head("From"), "To: " + to, "Call-ID: " + d.id, "CSeq: " + m.head("CSeq"), "Contact: <" + d.uri() + ">",
	}, headers...)
	data := wire(fmt.Sprintf("SIP/2.0 %d Told", status), body, headers...)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.replies[m.key()] = data
	if m.method() == "INVITE" && status >= 200 {
		d.repeat("INVITE answered"+d.id+m.seq(), d.id, data, 4*time.Second)
		return
	}
	d.transmit(data)
}

// hangsUp says BYE and waits until that is taken.
func (d *dialogue) hangsUp() {
	d.t.Helper()
	d.ask("BYE", "")
	d.answer(200, "BYE")
}

// hungUp waits for BYE and takes it.
func (d *dialogue) hungUp() *message {
	d.t.Helper()
	m := d.asked("BYE")
	d.reply(m, 200, "")
	return m
}

// cancelled waits for CANCEL and gives the call up.
func (d *dialogue) cancelled() *message {
	d.t.Helper()
	m := d.asked("CANCEL")
	d.reply(m, 200, "")
	d.reply(d.invite, 487, "")
	d.asked("ACK")
	return m
}

// connects lets a caller's call be rung and answered.
func (a *agent) connects(callee *agent, user string, headers ...string) (caller, called *dialogue) {
	a.t.Helper()
	return connected(a.calls(user, headers...), callee)
}

func connected(caller *dialogue, callee *agent) (*dialogue, *dialogue) {
	caller.t.Helper()
	called := callee.called()
	called.reply(called.invite, 180, "")
	caller.answer(180, "INVITE")
	called.reply(called.invite, 200, sdp(callee.name))
	caller.answered()
	called.asked("ACK")
	return caller, called
}

// converses has one party change the session and the other one take that.
func converses(asks, takes *dialogue) {
	asks.t.Helper()
	asks.ask("INVITE", sdp(asks.name))
	m := takes.asked("INVITE")
	if !describes(m, asks.name) {
		takes.t.Errorf("%s is offered %q, want the session of %s", takes.name, m.body(), asks.name)
	}
	takes.reply(m, 200, sdp(takes.name))
	if m := asks.answered(); !describes(m, takes.name) {
		asks.t.Errorf("%s is answered with %q, want the session of %s", asks.name, m.body(), takes.name)
	}
	takes.asked("ACK")
}
