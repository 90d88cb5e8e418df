package dispatcher

import (
	"net/netip"
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/sip"
)

// simGatewayNames are the gateways of the account: one with two addresses that is
// pinged and at times silent, and one that wants credentials and takes few calls.
var simGatewayNames = []string{"g0", "g1"}

func (w *simWorld) gatewayConfigs() []gateway.Config {
	config := func(name string, uris ...string) gateway.Config {
		c := gateway.Config{Account: "a", Name: name}
		for i, u := range uris {
			c.URIs = append(c.URIs, gateway.URI{URI: u, Priority: i})
			w.gatewayPhone(netip.MustParseAddrPort(strings.TrimPrefix(u, "sip:")))
		}
		return c
	}
	first := config("g0", "sip:192.0.2.20:5060", "sip:192.0.2.21:5060")
	first.Ping = 5 * time.Second
	second := config("g1", "sip:192.0.2.30:5060")
	second.Username, second.Password, second.Calls = "me", "secret", 3
	return []gateway.Config{first, second}
}

// gatewayPhone makes the phone behind a gateway's address, once. That of a first
// address falls silent for a while.
func (w *simWorld) gatewayPhone(addr netip.AddrPort) {
	if w.phones[addr] != nil {
		return
	}
	p := newSimCallee(w, addr)
	p.challenges = addr.Addr().As4()[3] == 30
	from := w.upTo(w.span)
	to := from + w.upTo(12*time.Second) // less than Timer B: whoever repeats is heard
	p.mute = func() bool { return addr.Addr().As4()[3] == 20 && w.clock >= from && w.clock < to }
	ring, ignored := p.invited, map[string]time.Duration{}
	p.invited = func(a *simAsked) {
		branch := a.request.Branch
		since, again := ignored[branch]
		switch {
		case !p.mute():
			if c := w.owners[a.request.Get(sip.CallID)]; again && w.clock-since > 2*time.Second && c != nil {
				c.excuse("the gateway heard the INVITE when it was about to be given up")
			}
			ring(a)
			return
		case !again:
			ignored[branch] = w.clock
		}
		delete(p.asked, branch+"INVITE") // its repetition is heard anew
	}
}

// account is whose calls they are; some have limits.
func (w *simWorld) account() *Account {
	a := &Account{}
	if w.limited {
		a.Runs, a.Calls, a.Rate = 10, 20, 5
	}
	if w.patience != nil {
		a.Policy = w.patience
	}
	return a
}

// newSimPolicy draws how patient calls are.
func newSimPolicy(w *simWorld) *call.Policy {
	p := call.DefaultPolicy()
	p.Ring = w.between(10*time.Second, 180*time.Second)
	p.Transfer = pick(w, call.TransferNone, call.TransferPass)
	if w.chance(0.3) {
		p.Duration = w.between(time.Second, 60*time.Second)
	}
	if w.chance(0.3) {
		p.Legs = 1 + w.random.IntN(5)
	}
	if w.chance(0.3) {
		p.Fallback = "sip:" + simFallback + "@198.19.255.1:5060"
		newSimCallee(w, netip.MustParseAddrPort("198.19.255.1:5060")).mute = func() bool { return false }
	}
	return &p
}

// simFallback is the user that all calls fall back to.
const simFallback = "fallback"

// simUser is the user of a target, as a callee sees it.
func simUser(target string) string {
	user, _, _ := strings.Cut(strings.TrimPrefix(target, "sip:"), "@")
	return user
}
