package sip

import (
	"testing"

	parser "github.com/emiago/sipgo/sip"
	"pgregory.net/rapid"
)

func TestParseAddress(t *testing.T) {
	for _, row := range []struct{ value, name, user, host string }{
		{"sip:ann@example.org", "", "ann", "example.org"},
		{"sip:ann@example.org;tag=1", "", "ann", "example.org"},
		{"<sip:ann@example.org>;tag=1", "", "ann", "example.org"},
		{"Ann <sip:ann@example.org>", "Ann", "ann", "example.org"},
		{"Ann of House<sips:ann@example.org:5061;lr>", "Ann of House", "ann", "example.org"},
		{"\"Ann; <sip:evil@test>\" <sip:ann@example.org>", "Ann; <sip:evil@test>", "ann", "example.org"},
		{"\"a \\\"b\\\" \\\\\" <sip:ann@example.org>", "a \"b\" \\", "ann", "example.org"},
		{"\"\" <sip:ann@example.org>", "", "ann", "example.org"},
		{"Ånn <sip:ann@example.org>", "Ånn", "ann", "example.org"},
		{"<sip:+1%40x;phone=y@Example.ORG>", "", "+1%40x;phone=y", "example.org"},
		{"<sip:example.org>", "", "", "example.org"},
		{"<sip:ann:secret@example.org>", "", "ann", "example.org"},
		{"<sip:ann?x=y@example.org?Route=%3Csip:evil%3E>", "", "ann?x=y", "example.org"},
		{"<sip:ann@[2001:DB8::1]:5060>", "", "ann", "[2001:db8::1]"},
		{"<tel:+1-201-555-0123;ext=5>", "", "+1-201-555-0123", ""},
		{"<isbn:2983792873>", "", "", ""},
	} {
		a, err := ParseAddress(row.value)
		if err != nil || a.Name != row.name || a.URI.User != row.user || a.URI.Host != row.host {
			t.Errorf("%s: %+v, %v", row.value, a, err)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, value := range []string{
		"", "<>", "ann@example.org", "\"Ann <sip:ann@example.org>", "<sip:ann@example.org", "Ann, Bob <sip:ann@example.org>",
		"\"Ann\" sip:ann@example.org", "\"a\" b <sip:ann@example.org>", "<sip:ann@example.org >", "<sip:an n@example.org>",
		"<sip:ann@example.org\x00>", "<sip:ann@>", "<sip:>", "<sip:ann@a@b>", "<sip:ann@[::1>", "<sip:ann@[::1]x>", "<sip:ann@[1.2.3.4]>",
		"<sip:[::1]@example.org>", "<sip:ann@exa<mple.org>", "<sip:ann@example.org:port>", "< isbn:1>", "<i bn:1>",
	} {
		if a, err := ParseAddress(value); err == nil {
			t.Errorf("%q is taken for %+v", value, a)
		}
	}
}

// TestURIHasNoHeaders: nobody smuggles a header in through a URI.
func TestURIHasNoHeaders(t *testing.T) {
	for text, want := range map[string]string{
		"sip:ann@example.org?Replaces=x":       "sip:ann@example.org",
		"sip:example.org;lr?Route=%3Csip:x%3E": "sip:example.org;lr",
		"sip:an?n@example.org;a=b?c=d":         "sip:an?n@example.org;a=b",
		"tel:+12015550123?x=y":                 "tel:+12015550123",
	} {
		u, err := ParseURI(text)
		if err != nil || u.Text != want {
			t.Errorf("%s: %+v, %v", text, u, err)
		}
	}
}

func TestPlainURIReadsAsSipgoDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`sip:[a-zA-Z0-9.+_-]{0,6}@?[a-z0-9.-]{0,8}(:[0-9]{0,6})?`).Draw(t, "uri")
		fast, ok := plainURI(text)
		if !ok {
			return
		}
		var slow parser.Uri
		if err := parser.ParseUri(text, &slow); err != nil || slow.User != fast.User || slow.Host != fast.Host {
			t.Fatalf("%s: plain %+v, sipgo %+v %v", text, fast, slow, err)
		}
	})
}
