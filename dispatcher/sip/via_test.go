package sip

import (
	"net/netip"
	"strings"
	"testing"
)

// TestAnsweredVia holds the Via lines of an answer against those of the request:
// received and rport of RFC 3261 §18.2.1 and RFC 3581 §4, in the topmost only.
func TestAnsweredVia(t *testing.T) {
	const b = ";branch=z9hG4bK-1"
	for _, row := range []struct{ name, source, via, want string }{
		{"the host is the source", "192.0.2.9:5060", "SIP/2.0/UDP 192.0.2.9" + b, "SIP/2.0/UDP 192.0.2.9" + b},
		{"the host and port are", "192.0.2.9:5060", "SIP/2.0/UDP 192.0.2.9:5060" + b, "SIP/2.0/UDP 192.0.2.9:5060" + b},
		{"the host is a name", "192.0.2.9:5060", "SIP/2.0/UDP a.test" + b, "SIP/2.0/UDP a.test" + b + ";received=192.0.2.9"},
		{"another address", "192.0.2.9:5060", "SIP/2.0/UDP 10.0.0.1:5060" + b, "SIP/2.0/UDP 10.0.0.1:5060" + b + ";received=192.0.2.9"},
		{"asks for rport", "192.0.2.9:4711", "SIP/2.0/UDP 192.0.2.9;rport" + b, "SIP/2.0/UDP 192.0.2.9" + b + ";rport=4711;received=192.0.2.9"},
		{"rport last and in capitals", "192.0.2.9:4711", "SIP/2.0/UDP a.test" + b + "; RPORT ", "SIP/2.0/UDP a.test" + b + ";rport=4711;received=192.0.2.9"},
		{"rport in the middle", "192.0.2.9:4711", "SIP/2.0/UDP a.test;ttl=1;rport" + b, "SIP/2.0/UDP a.test;ttl=1" + b + ";rport=4711;received=192.0.2.9"},
		{"rport with a value", "192.0.2.9:4711", "SIP/2.0/UDP 192.0.2.9;rport=1" + b, "SIP/2.0/UDP 192.0.2.9;rport=1" + b},
		{"rport only within quotes", "192.0.2.9:4711", "SIP/2.0/UDP 192.0.2.9;x=\";rport\"" + b, "SIP/2.0/UDP 192.0.2.9;x=\";rport\"" + b},
		{"semicolon within quotes", "192.0.2.9:4711", "SIP/2.0/UDP a.test;x=\"a;b\";rport" + b, "SIP/2.0/UDP a.test;x=\"a;b\"" + b + ";rport=4711;received=192.0.2.9"},
		{"escaped quote within quotes", "192.0.2.9:4711", "SIP/2.0/UDP a.test;x=\"\\\";rport\"" + b, "SIP/2.0/UDP a.test;x=\"\\\";rport\"" + b + ";received=192.0.2.9"},
		{"several in one header", "192.0.2.9:4711", "SIP/2.0/UDP a.test;rport" + b + ", SIP/2.0/TCP p;rport;branch=2", "SIP/2.0/UDP a.test" + b + ";rport=4711;received=192.0.2.9, SIP/2.0/TCP p;rport;branch=2"},
		{"comma within quotes", "192.0.2.9:5060", "SIP/2.0/UDP a.test;x=\"a,b\"" + b + ",SIP/2.0/TCP p", "SIP/2.0/UDP a.test;x=\"a,b\"" + b + ";received=192.0.2.9,SIP/2.0/TCP p"},
		{"several headers", "192.0.2.9:5060", "SIP/2.0/UDP a.test" + b + "\r\nv: SIP/2.0/UDP p;rport", "SIP/2.0/UDP a.test" + b + ";received=192.0.2.9\r\nVia: SIP/2.0/UDP p;rport"},
		{"IPv6", "[2001:db8::9]:5060", "SIP/2.0/UDP [2001:db8::9]:5060" + b, "SIP/2.0/UDP [2001:db8::9]:5060" + b},
		{"another IPv6", "[2001:db8::9]:4711", "SIP/2.0/TCP [2001:db8::1];rport" + b, "SIP/2.0/TCP [2001:db8::1]" + b + ";rport=4711;received=2001:db8::9"},
		{"IPv6 with a zone", "[fe80::9%eth0]:5060", "SIP/2.0/UDP a.test" + b, "SIP/2.0/UDP a.test" + b + ";received=fe80::9"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.9]:5060", "SIP/2.0/UDP a.test" + b, "SIP/2.0/UDP a.test" + b + ";received=192.0.2.9"},
		{"folded", "192.0.2.9:5060", "SIP/2.0/UDP a.test\r\n ;ttl=1\r\n\t" + b, "SIP/2.0/UDP a.test ;ttl=1 " + b + ";received=192.0.2.9"},
		{"empty parameter", "192.0.2.9:4711", "SIP/2.0/UDP a.test;;rport" + b, "SIP/2.0/UDP a.test;" + b + ";rport=4711;received=192.0.2.9"},
	} {
		t.Run(row.name, func(t *testing.T) {
			vias := "Via: SIP/2.0/UDP a.example.net:5070;branch=z9hG4bK-c1;rport\r\nVia: SIP/2.0/TCP phone.example.org;branch=z9hG4bK-p1\r\n"
			m := scanned(t, altered(t, vias, "Via: "+row.via+"\r\n"))
			r := Reply{Status: 404}
			answer := string(r.Encode(m, netip.MustParseAddrPort(row.source), "t1"))
			got, _, _ := strings.Cut(answer[strings.Index(answer, "Via: "):], "\r\nFrom: ")
			if want := "Via: " + row.want; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestTopVia holds what names a transaction.
func TestTopVia(t *testing.T) {
	for _, row := range []struct{ value, sentBy, branch string }{
		{"SIP/2.0/UDP a.test;branch=z9", "a.test", "z9"},
		{"SIP/2.0/UDP a.test:5060 ; Branch = z9 ;x", "a.test:5060", "z9"},
		{"sip/2.0/udp a.test", "a.test", ""},
		{"SIP/2.0/UDP [::1]:5060;branch=z9", "[::1]:5060", "z9"},
		{"SIP/2.0/UDP a.test;branch=z9, SIP/2.0/UDP b.test;branch=other", "a.test", "z9"},
		{"SIP/2.0/UDP a.test;x=\",;branch=quoted\";branch=z9", "a.test", "z9"},
		{"SIP/7.0/UDP a.test;branch=z9", "a.test", "z9"},
		{"SIP / 2.0 / UDP\ta.test;branch=z9", "a.test", "z9"},
	} {
		v, ok := parseVia(row.value)
		if !ok || v.sentBy != row.sentBy || v.branch != row.branch {
			t.Errorf("%s: %v, sent by %q, branch %q", row.value, ok, v.sentBy, v.branch)
		}
	}
	for _, value := range []string{
		"", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 a.test", "SIP//UDP a.test", "SIP/2 0/UDP a.test", "SIPS/2.0/UDP a.test", "SIP/2.0/U{P a.test",
		"SIP/2.0/UDP ;branch=z9", "SIP/2.0/UDP a b;branch=z9", "SIP/2.0/UDP <a.test>", "SIP/2.0/UDP \"a.test\"", ",SIP/2.0/UDP a.test",
	} {
		if v, ok := parseVia(value); ok {
			t.Errorf("%q is taken as sent by %q", value, v.sentBy)
		}
	}
}
