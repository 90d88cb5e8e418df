package sip

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestReferTo reads what may stand in a Refer-To (RFC 3515 §2.1): a name-addr or a bare
// URI, its Replaces escaped as RFC 3891 §4 shows it, or partly, or not at all.
func TestReferTo(t *testing.T) {
	whole := Replaces{CallID: "425928@bobster.example.org", ToTag: "7743", FromTag: "6472"}
	for _, row := range []struct {
		value, uri string
		replaces   Replaces
	}{
		{"<sip:carol@example.net>", "sip:carol@example.net", Replaces{}},
		{"sip:carol@example.net", "sip:carol@example.net", Replaces{}},
		{"  <sip:carol@example.net>  ", "sip:carol@example.net", Replaces{}},
		{`"Carol, \"the\" <one>" <sip:carol@example.net>;x=1`, "sip:carol@example.net", Replaces{}},
		{"Carol <sips:carol@example.net:5061;transport=tcp>", "sips:carol@example.net:5061;transport=tcp", Replaces{}},
		{"<sip:example.net>", "sip:example.net", Replaces{}},
		{"<sip:[2001:db8::1]:5070>", "sip:[2001:db8::1]:5070", Replaces{}},
		{"<sip:what?now@example.net>", "sip:what?now@example.net", Replaces{}},
		{"<sip:carol@example.net?Replaces=425928%40bobster.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472>", "sip:carol@example.net", whole},
		{"<sip:carol@example.net;method=INVITE?Replaces=425928%40bobster.example.org%3bto-tag%3d7743%3bfrom-tag%3d6472>", "sip:carol@example.net;method=INVITE", whole},
		{"<sip:carol@example.net?REPLACES=425928@bobster.example.org;TO-TAG=7743;From-Tag=6472>", "sip:carol@example.net", whole},
		{"<sip:carol@example.net?Subject=a%26b&Replaces=425928%40bobster.example.org%3Bfrom-tag%3D6472%3Bto-tag%3D7743&Priority=urgent>", "sip:carol@example.net", whole},
		{"<sip:carol@example.net?Replaces=425928%40bobster.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472%3Bearly-only>", "sip:carol@example.net", whole},
		{"<sip:example.net?Replaces=425928%40bobster.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472>", "sip:example.net", whole},
		{"<sip:what?now@example.net?Replaces=425928%40bobster.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472>", "sip:what?now@example.net", whole},
		{"<sip:carol@example.net?Replaces=1%2B2%2525%3Bto-tag%3Da%2Bb%3Bfrom-tag%3D~>", "sip:carol@example.net", Replaces{"1+2%25", "a+b", "~"}},
		{"<sip:carol@example.net?Replaces=1+2%3Bto-tag%3Da+b%3Bfrom-tag%3Dc>", "sip:carol@example.net", Replaces{"1+2", "a+b", "c"}},
		{"<sip:carol@example.net?Subject=Replaces>", "sip:carol@example.net", Replaces{}},
		{"<sip:carol@example.net?Replaces>", "sip:carol@example.net", Replaces{}},
		{"<sip:carol@example.net?>", "sip:carol@example.net", Replaces{}},
	} {
		uri, replaces, err := ReferTo(row.value)
		if err != nil || uri.Text != row.uri || replaces != row.replaces {
			t.Errorf("%s\nis %s with %+v, %v\nwant %s with %+v", row.value, uri.Text, replaces, err, row.uri, row.replaces)
		}
	}
}

// TestReferToTel: such a number names nobody's host; who asks sees that by its absence.
func TestReferToTel(t *testing.T) {
	if uri, _, err := ReferTo("<tel:+441632960000>"); err != nil || uri.Host != "" || uri.User != "+441632960000" {
		t.Errorf("%+v, %v", uri, err)
	}
}

// hostileReferTos must be refused: half of one is worse than none.
var hostileReferTos = []string{
	"", " ", "<>", "carol", "<carol>", "<sip:>", "<sip:carol@>", "<sip:@>", "*", "<*>", "<http://example.net/>", "<mailto:carol@example.net>",
	"<sip:carol@example.net", `"Carol <sip:carol@example.net>`, "Carol, Bob <sip:carol@example.net>",
	"<sip:carol @example.net>", "<sip:carol@exa mple.net>", "<sip:carol@example.net SIP/2.0>", "<sip:carol@example.net\r\nVia: x>", "<sip:carol@example.net\x00>",
	"<<sip:carol@example.net>>",
	"<sip:carol@example.net?Replaces=%>", "<sip:carol@example.net?Replaces=a%2>", "<sip:carol@example.net?Replaces=%zz%3Bto-tag%3D1%3Bfrom-tag%3D2>",
}

// smuggling are Replaces that would be something else in a header of their own: a
// further header, a body, a second Replaces. No Call-ID and no tag holds such octets
// (RFC 3261 §25.1 callid, token).
var smuggling = []string{
	"a%0D%0AX-Evil%3A%201%3Bto-tag%3D1%3Bfrom-tag%3D2", "a%0A%20b%3Bto-tag%3D1%3Bfrom-tag%3D2", "a%00%3Bto-tag%3D1%3Bfrom-tag%3D2",
	"a%3Bto-tag%3D1%0D%0A%3Bfrom-tag%3D2", "a%3Bto-tag%3D1%3Bfrom-tag%3D2%0D%0A%0D%0Av%3D0", "a%7F%3Bto-tag%3D1%3Bfrom-tag%3D2",
	"a%20b%3Bto-tag%3D1%3Bfrom-tag%3D2", "a%3Bto-tag%3D1%3Bfrom-tag%3D2%2Cb", "a%09%3Bto-tag%3D1%3Bfrom-tag%3D2",
}

func TestHostileReferTo(t *testing.T) {
	for _, value := range hostileReferTos {
		if uri, replaces, err := ReferTo(value); err == nil {
			t.Errorf("%q is taken for %+v with %+v", value, uri, replaces)
		}
	}
	for _, escaped := range smuggling {
		if _, replaces, err := ReferTo("<sip:carol@example.net?Replaces=" + escaped + ">"); err == nil {
			t.Errorf("%q is taken for %q", escaped, replaces.String())
		}
	}
}

// TestReplacesReturns: what is written as a Refer-To reads as it was, whatever octets a
// Call-ID and tags may hold (RFC 3261 §25.1 word and token).
func TestReplacesReturns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.StringMatching("[0-9A-Za-z.!%*_+`'~-]{1,20}")
		word := rapid.StringMatching("[0-9A-Za-z.!%*_+`'~()<>:\\\\\"/\\[\\]?{}@-]{1,30}")
		want := Replaces{CallID: word.Draw(t, "Call-ID"), ToTag: token.Draw(t, "to-tag"), FromTag: token.Draw(t, "from-tag")}
		target := rapid.SampledFrom([]string{"sip:carol@example.net", "sips:example.net;transport=tcp", "sip:a?b@[::1]:5070", "sip:a%3Fb@x"}).Draw(t, "target")
		value := want.ReferTo(target)
		if uri, got, err := ReferTo(value); err != nil || uri.Text != target || got != want {
			t.Fatalf("%s\nis %s with %+v, %v", value, uri.Text, got, err)
		}
		if got, err := url.PathUnescape(between(value, "?Replaces=", ">")); err != nil || got != want.String() {
			t.Fatalf("%s holds %q, %v; want %q", value, got, err, want.String())
		}
	})
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// FuzzReferTo: whatever stands in a Refer-To, nothing panics, what is taken is a URI
// that can be called and Replaces that fit into a header, and both read back from what
// is written of them.
func FuzzReferTo(f *testing.F) {
	f.Add("<sip:carol@example.net?Replaces=1%40x%3Bto-tag%3D2%3Bfrom-tag%3D3>")
	f.Add("sip:carol@example.net;user=phone?Replaces=1;to-tag=2;from-tag=3&Replaces=4")
	f.Add(`"A, \"B\"" <sip:a?b@[::1]?replaces=%3B%3Bto-tag%3D%3B>;x`)
	for _, value := range hostileReferTos {
		f.Add(value)
	}
	for _, escaped := range smuggling {
		f.Add("<sip:carol@example.net?Replaces=" + escaped + ">")
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !clean(value) {
			return // the guard lets no such header pass
		}
		uri, replaces, err := ReferTo(value)
		if err != nil {
			return
		}
		if again, err := ParseURI(uri.Text); err != nil || again != uri {
			t.Errorf("%q is taken for %+v, which is %+v, %v", value, uri, again, err)
		}
		if !clean(uri.Text) || !clean(replaces.String()) || strings.ContainsAny(replaces.String(), " \t,") {
			t.Errorf("%q is taken for %q with %q", value, uri.Text, replaces.String())
		}
		if uri.Host == "" || replaces == (Replaces{}) {
			return
		}
		if again, same, err := ReferTo(replaces.ReferTo(uri.Text)); err != nil || again != uri || same != replaces {
			t.Errorf("%q is written as %s, which is %+v with %+v, %v", value, replaces.ReferTo(uri.Text), again, same, err)
		}
	})
}
