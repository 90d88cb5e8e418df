package dispatcher

import (
	"net/netip"
	"regexp"
	"strings"
	"time"

	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/sip"
)

// A Table is what decides which plan takes a call. It is immutable; a change of
// routes or plans is a new Table.
type Table struct {
	Routes   []Route
	Plans    map[PlanName]Plan
	Accounts map[string]*Account
	Trusted  []netip.Prefix // peers whose identity and X-Dialyard headers are believed
	Limits   Limits

	Gateways  map[GatewayName]*gateway.Gateway
	Forbidden []netip.Prefix // addresses that no leg may be sent to
}

// A GatewayName names a gateway of an account.
type GatewayName struct{ Account, Gateway string }

// A PlanName names a plan of an account.
type PlanName struct{ Account, Plan string }

// A Plan is the live version of a plan: its number and the hash of its bundle.
type Plan struct {
	Version uint32
	Bundle  string
}

// Limits bound each run; zero means the worker's default.
type Limits struct {
	Wall, CPU time.Duration
	LogLines  int
}

// A Route sends the requests that match to a plan. What is zero matches all.
type Route struct {
	FromIP netip.Prefix
	Domain string         // host of the Request-URI, any case
	User   *regexp.Regexp // over the whole user part
	To     PlanName
}

// match reports whether the route takes this request.
func (r *Route) match(m *sip.Message, source netip.Addr) bool {
	return (!r.FromIP.IsValid() || r.FromIP.Contains(source)) &&
		(r.Domain == "" || strings.EqualFold(r.Domain, m.Target.Host)) &&
		(r.User == nil || r.User.MatchString(m.Target.User))
}

// route finds the first route that takes the request; ok is false if there is none
// or its plan does not exist.
func (t *Table) route(m *sip.Message, source netip.Addr) (PlanName, Plan, bool) {
	for i := range t.Routes {
		if r := &t.Routes[i]; r.match(m, source) {
			plan, ok := t.Plans[r.To]
			return r.To, plan, ok
		}
	}
	return PlanName{}, Plan{}, false
}

// trusts reports whether a source's word about identity is believed.
func (t *Table) trusts(source netip.Addr) bool {
	for _, p := range t.Trusted {
		if p.Contains(source) {
			return true
		}
	}
	return false
}
