package locate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// rfc3263 is a zone in which each domain shows one turn of the walk.
const rfc3263 = `
; NAPTR, with the transports in the zone's order, not ours
full.test.            NAPTR 50 50 "s" "SIPS+D2T" "" _sips._tcp.full.test.
full.test.            NAPTR 90 50 "s" "SIP+D2T"  "" _sip._tcp.full.test.
full.test.            NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.full.test.
_sips._tcp.full.test. SRV 0 1 5061 a.full.test.
_sip._tcp.full.test.  SRV 0 1 5060 a.full.test.
_sip._tcp.full.test.  SRV 1 1 5070 b.full.test.
_sip._udp.full.test.  SRV 0 1 5080 b.full.test.
full.test.            A 192.0.2.9
a.full.test.          A 192.0.2.1
a.full.test.          AAAA 2001:db8::1
b.full.test.          A 192.0.2.2
; preference decides within one order; flag a is a host; case does not matter
pref.test.            NAPTR 10 20 "A" "sip+d2u" "" b.full.test.
pref.test.            NAPTR 10 10 "S" "Sip+d2T" "" elsewhere.test.
elsewhere.test.       SRV 0 0 5999 A.Full.test.
; NAPTR of no use: an expression, another flag, another service
odd.test.             NAPTR 1 1 "s" "SIP+D2U" "!^.*$!x!" .
odd.test.             NAPTR 2 1 "u" "SIP+D2U" "" _sip._tcp.odd.test.
odd.test.             NAPTR 3 1 "s" "SIP+D2S" "" _sip._tcp.odd.test.
_sip._udp.odd.test.   SRV 0 1 5062 b.full.test.
; NAPTR names SRV records that are not there: the host, by NAPTR's transport
gone.test.            NAPTR 1 1 "s" "SIP+D2T" "" _sip._tcp.gone.test.
gone.test.            A 192.0.2.3
; no NAPTR: SRV of each transport, ours first
srv.test.             A 192.0.2.9
_sip._tcp.srv.test.   SRV 0 1 5070 b.full.test.
_sip._udp.srv.test.   SRV 5 1 5080 a.full.test.
_sip._udp.srv.test.   SRV 2 1 5081 b.full.test.
_sips._tcp.srv.test.  SRV 0 1 5061 b.full.test.
; not offered
never.test.           A 192.0.2.9
_sip._udp.never.test. SRV 0 0 0 .
half.test.            A 192.0.2.9
_sip._udp.half.test.  SRV 0 0 0 .
_sip._tcp.half.test.  SRV 0 0 5060 b.full.test.
; a target without an address does not hide the others
part.test.            A 192.0.2.9
_sip._udp.part.test.  SRV 0 0 5060 nobody.test.
_sip._udp.part.test.  SRV 1 0 5060 b.full.test.
_sip._udp.part.test.  SRV 2 0 0 a.full.test.
none.test.            A 192.0.2.9
_sip._udp.none.test.  SRV 0 0 5060 nobody.test.
; addresses
plain.test.           A 192.0.2.4
six.test.             AAAA 2001:db8::6
mapped.test.          AAAA ::ffff:127.0.0.1
void.test.            A 0.0.0.0
void.test.            A 224.0.1.75
void.test.            A 255.255.255.255
void.test.            AAAA ::
void.test.            AAAA ff02::1
; aliases
alias.test.           CNAME far.test.
far.test.             CNAME Plain.test.
loop.test.            CNAME pool.test.
pool.test.            CNAME loop.test.
_sip._udp.by.test.    CNAME _sip._udp.srv.test.
; one host behind two records is one hop
twice.test.           A 192.0.2.9
_sip._udp.twice.test. SRV 0 0 5060 plain.test.
_sip._udp.twice.test. SRV 1 0 5060 alias.test.
`

var walks = []struct {
	target     string
	transports string
	want       string // hops, or the error
}{
	{"full.test", "udp tcp", "tcp:192.0.2.1:5060 tcp:[2001:db8::1]:5060 tcp:192.0.2.2:5070"},
	{"full.test", "udp tcp tls", "tls:192.0.2.1:5061 tls:[2001:db8::1]:5061"},
	{"full.test", "udp", "udp:192.0.2.2:5080"},
	{"sips:full.test", "udp tcp tls", "tls:192.0.2.1:5061 tls:[2001:db8::1]:5061"},
	{"sips:full.test", "udp tcp", "transport not supported"},
	{"FULL.Test.;UDP", "udp tcp", "udp:192.0.2.2:5080"},
	{"full.test:5090", "udp tcp", "udp:192.0.2.9:5090"},
	{"full.test:5090;tcp", "udp tcp", "tcp:192.0.2.9:5090"},
	{"sips:full.test:5090", "udp tcp tls", "tls:192.0.2.9:5090"},
	{"sips:full.test:5090;udp", "udp tcp tls", "transport not supported"},
	{"full.test;sctp", "udp tcp tls", "transport not supported"},
	{"full.test;tls", "udp tcp", "transport not supported"},
	{"pref.test", "udp tcp", "tcp:192.0.2.1:5999 tcp:[2001:db8::1]:5999 udp:192.0.2.2:5060"},
	{"odd.test", "udp tcp", "udp:192.0.2.2:5062"},
	{"gone.test", "udp tcp", "tcp:192.0.2.3:5060"},
	{"srv.test", "udp tcp", "udp:192.0.2.2:5081 udp:192.0.2.1:5080 udp:[2001:db8::1]:5080 tcp:192.0.2.2:5070"},
	{"srv.test", "tcp udp", "tcp:192.0.2.2:5070 udp:192.0.2.2:5081 udp:192.0.2.1:5080 udp:[2001:db8::1]:5080"},
	{"sips:srv.test;tcp", "udp tcp tls", "tls:192.0.2.2:5061"},
	{"srv.test;tls", "udp tcp tls", "tls:192.0.2.2:5061"},
	{"never.test", "udp tcp", "no such host"},
	{"never.test;tcp", "udp tcp", "tcp:192.0.2.9:5060"},
	{"half.test", "udp tcp", "tcp:192.0.2.2:5060"},
	{"part.test", "udp tcp", "udp:192.0.2.2:5060"},
	{"none.test", "udp tcp", "no such host"},
	{"plain.test", "udp tcp", "udp:192.0.2.4:5060"},
	{"plain.test", "tcp", "transport not supported"}, // TCP is not guessed
	{"sips:plain.test", "tls", "tls:192.0.2.4:5061"},
	{"six.test", "udp tcp", "udp:[2001:db8::6]:5060"},
	{"mapped.test", "udp tcp", "udp:127.0.0.1:5060"},
	{"void.test", "udp tcp", "no such host"},
	{"alias.test", "udp tcp", "udp:192.0.2.4:5060"},
	{"loop.test", "udp tcp", "no answer from the name servers"},
	{"by.test", "udp tcp", "udp:192.0.2.2:5081 udp:192.0.2.1:5080 udp:[2001:db8::1]:5080"},
	{"twice.test", "udp tcp", "udp:192.0.2.4:5060"},
	{"nobody.test", "udp tcp", "no such host"},
	{"b.ad name.test", "udp tcp", "no such host"},
	{"127.1", "udp tcp", "no such host"},
	{"", "udp tcp", "no such host"},
	{"[2001:db8::7]", "udp tcp", "udp:[2001:db8::7]:5060"},
	{"192.0.2.7;tls", "tls", "tls:192.0.2.7:5061"},
	{"192.0.2.7;tcp", "udp", "transport not supported"},
	{"localhost", "udp tcp", "udp:127.0.0.1:5060"},
	{"a.LocalHost.:5070;tcp", "udp tcp", "tcp:127.0.0.1:5070"},
}

// TestWalk asks a real name server, then the cache, which must say the same.
func TestWalk(t *testing.T) {
	z := serve(t, rfc3263, nil)
	for _, row := range walks {
		r := asking(z)
		r.Transports = strings.Fields(row.transports)
		hops, err := r.Lookup(context.Background(), target(row.target))
		got := show(hops)
		for _, sentinel := range []error{ErrNoSuchHost, ErrNoTransport, ErrTemporary} {
			if errors.Is(err, sentinel) {
				got += sentinel.Error()
			}
		}
		if got != row.want {
			t.Errorf("%s by %s: %s (%v), want %s", row.target, row.transports, got, err, row.want)
		}
		asked := z.count("")
		cached, known := r.Cached(target(row.target))
		if known == errors.Is(err, ErrTemporary) || show(cached) != show(hops) || z.count("") != asked {
			t.Errorf("%s by %s: cached %t, %s", row.target, row.transports, known, show(cached))
		}
	}
}

// TestNameIsTheHost: a certificate is checked against what the caller asked for,
// not against what a zone says.
func TestNameIsTheHost(t *testing.T) {
	r := asking(serve(t, rfc3263, nil))
	hops, err := r.Lookup(context.Background(), target("SRV.test."))
	if err != nil || len(hops) == 0 || hops[0].Name != "srv.test" {
		t.Errorf("%v, %v", hops, err)
	}
}

// TestIPv4Only asks for no AAAA.
func TestIPv4Only(t *testing.T) {
	z := serve(t, rfc3263, nil)
	r := asking(z)
	r.IPv4Only = true
	hops, err := r.Lookup(context.Background(), target("full.test;udp"))
	if err != nil || show(hops) != "udp:192.0.2.2:5080" || z.count("AAAA b.full.test.") != 0 {
		t.Errorf("%s, %v, AAAA asked %d times", show(hops), err, z.count("AAAA b.full.test."))
	}
}

// TestNAPTRUnknown: a name server that has never heard of NAPTR, or fails at it,
// does not hide the domain. One that fails at SRV does: the host's own address
// may be that of a web server.
func TestNAPTRUnknown(t *testing.T) {
	refuse := func(kind uint16, rcode int) func(dns.ResponseWriter, *dns.Msg) bool {
		return func(w dns.ResponseWriter, asked *dns.Msg) bool {
			if asked.Question[0].Qtype != kind {
				return false
			}
			m := new(dns.Msg)
			w.WriteMsg(m.SetRcode(asked, rcode))
			return true
		}
	}
	for _, rcode := range []int{dns.RcodeNotImplemented, dns.RcodeServerFailure, dns.RcodeRefused, dns.RcodeFormatError} {
		hops, err := asking(serve(t, rfc3263, refuse(dns.TypeNAPTR, rcode))).Lookup(context.Background(), target("srv.test"))
		if err != nil || len(hops) != 4 {
			t.Errorf("NAPTR refused with %s: %s, %v", dns.RcodeToString[rcode], show(hops), err)
		}
		hops, err = asking(serve(t, rfc3263, refuse(dns.TypeSRV, rcode))).Lookup(context.Background(), target("srv.test"))
		if !errors.Is(err, ErrTemporary) {
			t.Errorf("SRV refused with %s: %s, %v", dns.RcodeToString[rcode], show(hops), err)
		}
	}
}

// TestChooseBound: a zone with a thousand NAPTR records does not make us ask a
// thousand questions.
func TestChooseBound(t *testing.T) {
	var records []naptr
	for i := range 1000 {
		records = append(records, naptr{1, uint16(1000 - i), "s", "sip+d2u", "x" + strings.Repeat("x", i%60) + ".test"})
	}
	was := slices.Clone(records)
	chosen := choose(records, func(string) bool { return true })
	if len(chosen) != maxServices || chosen[0].name != records[999].to {
		t.Errorf("%d chosen: %v", len(chosen), chosen)
	}
	if !slices.Equal(was, records) {
		t.Error("a shared answer was reordered")
	}
}
