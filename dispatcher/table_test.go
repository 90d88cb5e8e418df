package dispatcher

import (
	"fmt"
	"net/netip"
	"regexp"
	"testing"

	"dialyard/dispatcher/sip"
)

// inviteTo is an INVITE as the guard lets it through.
func inviteTo(t *testing.T, uri string, headers ...string) *sip.Message {
	t.Helper()
	text := "INVITE " + uri + " SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1\r\n" +
		"From: <sip:200@example.net>;tag=1\r\nTo: <sip:100@example.net>\r\n" +
		"Call-ID: 1@192.0.2.7\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
	for _, h := range headers {
		text += h + "\r\n"
	}
	m, refusal := sip.Scan([]byte(text + "Content-Length: 0\r\n\r\n"))
	if refusal != nil {
		t.Fatal(refusal)
	}
	return m
}

// tableOf has a plan for each route, named for its place: "a/1", "a/2".
func tableOf(routes ...Route) *Table {
	table := &Table{Plans: map[PlanName]Plan{}}
	for i, r := range routes {
		r.To = PlanName{"a", fmt.Sprint(i + 1)}
		table.Routes = append(table.Routes, r)
		table.Plans[r.To] = Plan{Version: uint32(i + 1)}
	}
	return table
}

// whole is a pattern as the configuration makes it: over the whole user part.
func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + pattern + `)\z`) }

func TestRoute(t *testing.T) {
	branch := netip.MustParsePrefix("192.0.2.0/24")
	table := tableOf(
		Route{FromIP: branch, Domain: "example.net", User: whole("00[1-9].*")},
		Route{User: whole("1|1[0-9]{2}")},
		Route{Domain: "Example.ORG"},
		Route{FromIP: netip.MustParsePrefix("2001:db8::/32")},
		Route{FromIP: branch},
	)
	for _, c := range []struct {
		uri, source string
		want        string // empty: no route
	}{
		{"sip:0049301@example.net", "192.0.2.7", "1"},
		{"sip:0049301@example.net", "198.51.100.1", ""},
		{"sip:0049301@EXAMPLE.net:5070;transport=tcp", "192.0.2.7", "1"},
		{"sip:0049301@example.net.evil.org", "192.0.2.7", "5"},
		{"sip:00049@example.net", "192.0.2.7", "5"},
		{"sip:1@anywhere.org", "198.51.100.1", "2"},
		{"sip:100@example.org", "198.51.100.1", "2"},
		{"sip:1000@example.org", "198.51.100.1", "3"},
		{"sip:9100@example.org", "198.51.100.1", "3"},
		{"sips:x@example.org", "192.0.2.7", "3"},
		{"sip:example.org", "198.51.100.1", "3"},
		{"tel:100", "198.51.100.1", "2"},
		{"tel:+4930100", "198.51.100.1", ""},
		{"sip:x@example.com", "2001:db8::1", "4"},
		{"sip:x@example.com", "2001:db9::1", ""},
		{"sip:x@example.com", "192.0.2.255", "5"},
		{"sip:x@example.com", "192.0.3.0", ""},
	} {
		name, plan, ok := table.route(inviteTo(t, c.uri), netip.MustParseAddr(c.source))
		if got := name.Plan; got != c.want || ok != (c.want != "") || fmt.Sprint(plan.Version) != name.Plan && ok {
			t.Errorf("%s from %s goes to %q version %d, %v; want %q", c.uri, c.source, got, plan.Version, ok, c.want)
		}
	}
}

// TestFirstRouteDecides, also when its plan is not there: a call is not handed to
// somebody else because of a plan that was forgotten.
func TestFirstRouteDecides(t *testing.T) {
	table := tableOf(Route{User: whole("100")}, Route{}, Route{User: whole("200")})
	from := netip.MustParseAddr("192.0.2.7")
	if name, _, ok := table.route(inviteTo(t, "sip:200@example.net"), from); name.Plan != "2" || !ok {
		t.Errorf("200 goes to %v, %v", name, ok)
	}
	delete(table.Plans, PlanName{"a", "1"})
	if name, _, ok := table.route(inviteTo(t, "sip:100@example.net"), from); name.Plan != "1" || ok {
		t.Errorf("100 goes to %v, %v", name, ok)
	}
}

func TestNoRoutes(t *testing.T) {
	if name, plan, ok := new(Table).route(inviteTo(t, "sip:100@example.net"), netip.MustParseAddr("192.0.2.7")); ok {
		t.Errorf("100 goes to %v %v", name, plan)
	}
}

func TestTrusts(t *testing.T) {
	table := &Table{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("2001:db8::/64")}}
	for source, want := range map[string]bool{
		"127.0.0.1": true, "127.255.255.255": true, "128.0.0.1": false,
		"2001:db8::1": true, "2001:db8:0:1::1": false, "::1": false,
	} {
		if table.trusts(netip.MustParseAddr(source)) != want {
			t.Errorf("%s is trusted: %v", source, !want)
		}
	}
	if new(Table).trusts(netip.MustParseAddr("127.0.0.1")) {
		t.Error("nobody is named, and 127.0.0.1 is trusted")
	}
}

// TestTableKeepsCounters: an account that stays as it is goes on counting; one with
// other limits begins anew.
func TestTableKeepsCounters(t *testing.T) {
	d := New(Options{})
	d.SetTable(&Table{Accounts: map[string]*Account{"a": {Runs: 5}, "b": {Rate: 5}, "gone": {}}})
	a, b := d.Table().Accounts["a"], d.Table().Accounts["b"]
	d.SetTable(&Table{Accounts: map[string]*Account{"a": {Runs: 5}, "b": {Rate: 6}, "new": {}}})
	now := d.Table().Accounts
	if now["a"] != a || now["b"] == b || now["b"].Rate != 6 || len(now) != 3 {
		t.Errorf("the accounts are now %v", now)
	}
}
