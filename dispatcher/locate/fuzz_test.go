package locate

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// FuzzRead holds what doc.go promises of any reply that a name server can send.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"a.test. 60 A 192.0.2.1", "a.test. 0 AAAA ::ffff:0.0.0.0", "a.test. 9 CNAME b.test.", "a.test. 9 CNAME a.test.",
		"a.test. 9 SRV 1 2 3 .", "a.test. 9 SRV 1 2 3 b\\ .test.", `a.test. 9 NAPTR 1 2 "s" "SIP+D2U" "" b.test.`,
	} {
		rr, err := dns.NewRR(text)
		if err != nil {
			f.Fatal(err)
		}
		for _, k := range []kind{kindA, kindAAAA, kindSRV, kindNAPTR} {
			m := reply(query(question{"a.test", k}))
			m.Answer = []dns.RR{rr, rr}
			m.Ns = []dns.RR{soa(1 << 31)}
			wire, err := m.Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(wire, uint16(k))
		}
	}
	life := lifetime{least: 5 * time.Second, most: time.Hour, negative: time.Minute}
	f.Fuzz(func(t *testing.T, wire []byte, k uint16) {
		m := new(dns.Msg)
		if m.Unpack(wire) != nil {
			return
		}
		isReply(query(question{"a.test", kind(k)}), m)
		r, err := read(question{"a.test", kind(k)}, m, life)
		if err != nil {
			return
		}
		if r.ttl < life.least || r.ttl > life.most {
			t.Errorf("kept for %v", r.ttl)
		}
		if len(r.addrs) > maxAddrs || len(r.srv) > maxSRV || len(r.naptr) > maxNAPTR {
			t.Errorf("%d addresses, %d SRV, %d NAPTR", len(r.addrs), len(r.srv), len(r.naptr))
		}
		for _, addr := range r.addrs {
			checkAddr(t, addr)
		}
		names := []string{r.alias}
		for _, s := range r.srv {
			names = append(names, s.target)
		}
		for _, n := range r.naptr {
			names = append(names, n.to)
		}
		for _, name := range names {
			if folded, ok := canonicalName(name); name != "" && (!ok || folded != name) {
				t.Errorf("name %q", name)
			}
		}
	})
}

// FuzzTarget: whatever a URI says, a literal is an address that can be sent to,
// and one reading of a host is as good as its canonical form.
func FuzzTarget(f *testing.F) {
	for _, host := range []string{"192.0.2.1", "[2001:db8::1]", "2001:db8::1", "[192.0.2.1]", "::ffff:10.0.0.1", "fe80::1%eth0",
		"A.test.", "0.0.0.0", "1.2.3", "[", "[]", "..", "a..b", "xn--a.test", "LOCALHOST", "ff02::1", "é.test", "a b"} {
		f.Add(host, uint16(0), "", false)
		f.Add(host, uint16(5070), "TCP", true)
	}
	f.Fuzz(func(t *testing.T, host string, port uint16, transport string, secure bool) {
		to := Target{secure, host, port, transport}
		hop, ok := Literal(to)
		if ok {
			checkAddr(t, hop.Addr.Addr())
			if hop.Addr.Port() == 0 || port != 0 && hop.Addr.Port() != port || secure && hop.Transport != tls || strings.ContainsAny(hop.Name, "[]") {
				t.Errorf("%+v of %+v", hop, to)
			}
		}
		canonical, err := to.canonical()
		if err != nil {
			if ok {
				t.Errorf("%+v is a literal, but %v", to, err)
			}
			return
		}
		if twice, err := canonical.canonical(); err != nil || twice != canonical {
			t.Errorf("%+v, then %+v, %v", canonical, twice, err)
		}
		if again, okAgain := Literal(canonical); okAgain != ok || again != hop {
			t.Errorf("%+v is %+v, its canonical form %+v", to, hop, again)
		}
	})
}

// FuzzHosts: a hosts file of any content is read, and holds addresses only.
func FuzzHosts(f *testing.F) {
	f.Add([]byte("127.0.0.1 localhost a.test # c\n::1 b\n\r\n\x00\n1.2.3.4"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for name, addrs := range readHosts(bytes.NewReader(text)) {
			if folded, ok := canonicalName(name); !ok || folded != name || len(addrs) == 0 || len(addrs) > maxAddrs {
				t.Errorf("%q: %v", name, addrs)
			}
			for _, addr := range addrs {
				checkAddr(t, addr)
			}
		}
	})
}

func checkAddr(t *testing.T, addr netip.Addr) {
	t.Helper()
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || addr.Is4In6() || addr.Zone() != "" {
		t.Errorf("address %s", addr)
	}
}
