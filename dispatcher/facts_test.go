package dispatcher

import (
	"net/netip"
	"strings"
	"testing"

	"dialyard/dispatcher/sip"
)

// TestFactsOfStrangers: who the caller is, and what speaks in this program's name,
// is believed from trusted peers only.
func TestFactsOfStrangers(t *testing.T) {
	said := []string{
		"P-Asserted-Identity: <sip:ceo@example.net>", "p-asserted-identity: <tel:+49301>", "Diversion: <sip:1@example.net>",
		"REMOTE-PARTY-ID: <sip:2@example.net>", "X-Dialyard-Account: demo", "x-dialyard-probe: w1~1~2~3",
	}
	harmless := []string{"X-Dialyardish: 1", "X-Dialyard: 2", "P-Asserted-Identity-Note: 3", "Subject: Diversion: none"}
	m := inviteTo(t, "sip:100@example.net", append(said, harmless...)...)
	peer := sip.Peer{Transport: "udp", Addr: netip.MustParseAddrPort("192.0.2.7:5060")}
	strange, trusted := facts(m, peer, false), facts(m, peer, true)
	for _, line := range said {
		if strings.Contains(strange.Headers, line) || !strings.Contains(trusted.Headers, line) {
			t.Errorf("%q: a stranger's is passed on, or a trusted peer's is not", line)
		}
	}
	for _, line := range append(harmless, "Call-ID: 1@192.0.2.7", "From: <sip:200@example.net>;tag=1") {
		if !strings.Contains(strange.Headers, line+"\r\n") || !strings.Contains(trusted.Headers, line+"\r\n") {
			t.Errorf("%q is missing", line)
		}
	}
}

func TestFacts(t *testing.T) {
	m := inviteTo(t, "sip:100@Example.NET;user=phone?Route=evil")
	f := facts(m, sip.Peer{Transport: "tcp", Addr: netip.MustParseAddrPort("[2001:db8::1]:5060")}, true)
	for what, c := range map[string]struct{ got, want string }{
		"R-URI":      {f.Ruri, "sip:100@Example.NET;user=phone"},
		"R-URI user": {f.RuriUser, "100"},
		"R-URI host": {f.RuriHost, "example.net"},
		"From":       {f.FromUri, "sip:200@example.net"},
		"From user":  {f.FromUser, "200"},
		"To user":    {f.ToUser, "100"},
		"Call-ID":    {f.CallId, "1@192.0.2.7"},
		"source":     {f.Source, "tcp:[2001:db8::1]:5060"},
	} {
		if c.got != c.want {
			t.Errorf("the %s is %q, want %q", what, c.got, c.want)
		}
	}
}
