package dialplans

import (
	"strings"
	"testing"

	"dialyard/proto"
)

// TestENUM reads what zones hold, and should not hold.
func TestENUM(t *testing.T) {
	record := func(order, preference uint32, service, regexp string) *proto.DNSRecord {
		return &proto.DNSRecord{Value: ".", Priority: order, Weight: preference, Flags: "u", Service: service, Regexp: regexp}
	}
	for name, c := range map[string]struct {
		records []*proto.DNSRecord
		want    string
	}{
		"none":                                 {nil, ""},
		"by preference":                        {[]*proto.DNSRecord{record(1, 2, "E2U+sip", "!^.*$!sip:b@c!"), record(1, 1, "E2U+sip", "!^.*$!sip:a@c!")}, "sip:a@c sip:b@c"},
		"one order":                            {[]*proto.DNSRecord{record(2, 1, "E2U+sip", "!^.*$!sip:b@c!"), record(1, 2, "E2U+sip", "!^.*$!sip:a@c!")}, "sip:a@c"},
		"next order if the first is of no use": {[]*proto.DNSRecord{record(1, 1, "E2U+sip", "!^x$!sip:a@c!"), record(1, 2, "E2U+email", "!^.*$!mailto:a@c!"), record(2, 1, "E2U+sip", "!^.*$!sip:b@c!")}, "sip:b@c"},
		"given once":                           {[]*proto.DNSRecord{record(1, 1, "E2U+sip", "!^.*$!sip:a@c!"), record(1, 2, "E2U+sip", "!^.*$!sip:a@c!")}, "sip:a@c"},
		"not terminal":                         {[]*proto.DNSRecord{{Value: "other.example.net", Service: "E2U+sip"}}, ""},
		"other services":                       {[]*proto.DNSRecord{record(1, 1, "E2U+tel", "!^.*$!sip:a@c!"), record(1, 1, "sip", "!^.*$!sip:a@c!"), record(1, 1, "E2U+x-sip", "!^.*$!sip:a@c!"), record(1, 1, "", "")}, ""},
		"with subtypes":                        {[]*proto.DNSRecord{record(1, 1, "E2U+voice:tel+SIP:x", "!^.*$!sips:a@c!")}, "sips:a@c"},
		"other schemes":                        {[]*proto.DNSRecord{record(1, 1, "E2U+sip", "!^.*$!http://a@c!"), record(1, 1, "E2U+sip", "!^.*$!tel:+1!"), record(1, 1, "E2U+sip", "!^.*$!sip:a b@c!"), record(1, 1, "E2U+sip", "!^.*$!sip:a@c\r\nX: y!")}, ""},
		"nonsense":                             {[]*proto.DNSRecord{nil, record(1, 1, "E2U+sip", "!("), record(1, 1, "E2U+sip", strings.Repeat("!", 500)), {}}, ""},
	} {
		cost := 0
		got := strings.Join(enumURIs("+442079460000", c.records, func(n int) { cost += n }), " ")
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if c.want != "" && cost == 0 {
			t.Errorf("%s cost nothing", name)
		}
	}
}

// TestSubstitutionExpressions applies expressions of RFC 3402 §3.2 and what is
// none to the number +442079460000.
func TestSubstitutionExpressions(t *testing.T) {
	for expression, want := range map[string]string{
		`!^.*$!sip:info@example.net!`:                    "sip:info@example.net",
		`!^\+44(.*)$!sip:0\1@example.net!`:               "sip:02079460000@example.net",
		`/^\+44(20)(.*)$/sip:\2-\1@example.net/`:         "sip:79460000-20@example.net",
		`!^(\+44)?(x)?.*$!sip:\1\2@example.net!`:         "sip:+44@example.net",
		`!^\+44(.*)$!sip:\1\!\\@example.net!`:            `sip:2079460000!\@example.net`,
		`#^\+(.*)$#sip:\1\#@example.net#I`:               "sip:442079460000#@example.net",
		`!^(\+4|\+44)!sip:\1@example.net!`:               "sip:+44@example.net", // the longest, as in POSIX
		`!^[[:digit:]+]{13}$!sip:a@example.net!`:         "sip:a@example.net",
		`!^x$!sip:a@example.net!`:                        "",
		`!^.*$!sip:\1@example.net!`:                      "", // no such group
		`!^.*$!sip:\0@example.net!`:                      "",
		`!^.*$!sip:a@example.net!g`:                      "", // no such flag
		`!^.*$!sip:a@example.net`:                        "", // not closed
		`!^.*$`:                                          "",
		`1^.*$1sip:a@example.net1`:                       "", // no delimiter
		`i^.*$isip:a@example.neti`:                       "",
		`\^.*$\sip:a@example.net\`:                       "",
		``:                                               "",
		`!(!a!`:                                          "",
		`!(?=a)!a!`:                                      "",
		`!^(.)(.)\1!a!`:                                  "", // RE2 has no back-references
		`!(a{1,1000}){1,1000}!a!`:                        "",
		`!` + strings.Repeat("a", 600) + `!a!`:           "",
		`!^(.*)$!` + strings.Repeat(`\1`, 50) + `!`:      "",
		`!(((((.*)*)*)*)*)*$!sip:backtrack@example.net!`: "sip:backtrack@example.net",
	} {
		got, err := rewriteByNAPTR("+442079460000", expression)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s gives %q, %v; want %q", expression, got, err, want)
		}
	}
}

// FuzzENUM takes any expression: no panic, and nothing but URIs that a verb takes.
func FuzzENUM(f *testing.F) {
	for _, seed := range []string{`!^.*$!sip:info@example.net!`, `!^\+44(.*)$!sip:\1@example.net!i`, `!\!\\!\`, `!(`, "!^.*$!sip:a\nb!"} {
		f.Add("+4420", seed)
	}
	f.Fuzz(func(t *testing.T, number, expression string) {
		records := []*proto.DNSRecord{{Flags: "u", Service: "E2U+sip", Regexp: expression}}
		for _, uri := range enumURIs(number, records, func(int) {}) {
			if err := checkTarget(uri); err != nil {
				t.Errorf("%q gives %q: %v", expression, uri, err)
			}
		}
	})
}
