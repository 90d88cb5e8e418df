package dialplans

import (
	"strings"
	"testing"

	"dialyard/proto"
)

// TestDialStrings takes dial strings apart; the called user is 441632960000.
func TestDialStrings(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"100@gw1", "100@gw1"},
		{"100@gw1&101@gw1", "100@gw1 & 101@gw1"},
		{"a@gw1&b@gw2|c@gw3[rt=20]", "a@gw1 & b@gw2 | c@gw3[ring=20s]"},
		{" a@gw1 & b@gw2 | c@gw3 [ rt = 20 , dt = 1.5 ] ", "a@gw1 & b@gw2 | c@gw3[ring=20s; delay=1.5s]"},
		{"a@gw[RT=20,cd=3600]&b@gw", "a@gw[ring=20s; max=3600s] & b@gw"},
		{"a@gw[dt=0]", "a@gw"},
		{"a@gw[rm=n]|b@gw[rm=m]", "a@gw[follow] | b@gw[return]"},
		{"a@gw[tr=n]|b@gw[tr=p]|c@gw[tr=c]", "a@gw[transfer=none] | b@gw[transfer=pass] | c@gw[transfer=call]"},
		{"a@gw[fd=Smith & Sons | Co,fu=100,fh=example.net]", `a@gw[from="Smith & Sons | Co",100,example.net]`},
		{"a@gw[fu=${dst},fd=for ${dst:9}]", `a@gw[from="for 000",441632960000,]`},
		{"${dst}@gw", "441632960000@gw"},
		{"0${dst:2}@gw & sip:+${dst}@example.net", "01632960000@gw & sip:+441632960000@example.net"},
		{"sip:100@[2001:db8::1]:5070;transport=tcp[rt=5]", "sip:100@[2001:db8::1]:5070;transport=tcp[ring=5s]"},
		{"100@[2001:db8::1][rt=5]", "sip:100@[2001:db8::1][ring=5s]"},
		{"sip:[::1]", "sip:[::1]"},
		{"sip:example.net", "sip:example.net"},
		{"SIPS:100@example.net", "SIPS:100@example.net"},

		{"", `the target "" is empty or longer than 512 bytes`},
		{"a@gw&", `the target "" is empty or longer than 512 bytes`},
		{"a@gw||b@gw", `the target "" is empty or longer than 512 bytes`},
		{"[rt=20]", `the target "" is empty or longer than 512 bytes`},
		{"a@gw[rt=20", `the options of "a@gw" are not closed with a ]`},
		{"a@gw[rt=20]b@gw", `the options of "a@gw" are followed by "b@gw" instead of & or |`},
		{"a@gw[rt=20][dt=1]", `the options of "a@gw" are followed by "[dt=1]" instead of & or |`},
		{"a@gw[]", `"" is not an option of a leg, or given twice; there are rt dt cd rm tr fd fu fh, as in [rt=20,fu=100]`},
		{"a@gw[xx=1]", `"xx=1" is not an option of a leg, or given twice; there are rt dt cd rm tr fd fu fh, as in [rt=20,fu=100]`},
		{"a@gw[rt=1,rt=2]", `"rt=2" is not an option of a leg, or given twice; there are rt dt cd rm tr fd fu fh, as in [rt=20,fu=100]`},
		{"a@gw[rt]", `"rt" is not an option of a leg, or given twice; there are rt dt cd rm tr fd fu fh, as in [rt=20,fu=100]`},
		{"a@gw[rt=soon]", `option rt: "soon" is not a number of seconds`},
		{"a@gw[rt=1e1]", `option rt: "1e1" is not a number of seconds`},
		{"a@gw[rt=NaN]", `option rt: "NaN" is not a number of seconds`},
		{"a@gw[rt=181]", `option rt: the ring time is more than 0 to 180 seconds, not 181`},
		{"a@gw[rt=0]", `option rt: the ring time is more than 0 to 180 seconds, not 0`},
		{"a@gw[dt=120.5]", `option dt: the delay is 0 to 120 seconds, not 120.5`},
		{"a@gw[rm=x]", `option rm: "x" is not one of m, n`},
		{"a@gw[fu=a@b]", `option fu: "a@b" is not the user of a URI`},
		{"a@gw[fh=a_b]", `option fh: "a_b" is not a host`},
		{"a@gw[fd=a\x00b]", `option fd: the name of from contains a line break or control character at byte 2`},
		{"${dst:12}@gw", `${dst:12} leaves nothing of "441632960000"`},
		{"${dst:-1}@gw", `a dial string knows ${dst} and ${dst:N}, not "${dst:-1}@gw"`},
		{"${src}@gw", `a dial string knows ${dst} and ${dst:N}, not "${src}@gw"`},
		{"${dst@gw", `a dial string knows ${dst} and ${dst:N}, not "${dst@gw"`},
		{"sip:a&b@gw", `the target "sip:a" of a dial string has no user; in a user & is written %26`},
		{strings.Repeat("a@gw&", 20) + "a@gw", "21 legs or more, a dial has at most 20"},
		{strings.Repeat("x", maxDialString+1), "the dial string is 8193 bytes long, the limit is 8192"},
	} {
		got, err := parseDialString(c.text, "441632960000", nil)
		text := describeGroups(got)
		if err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("%.40q:\n got %s\nwant %s", c.text, text, c.want)
		}
	}
}

// TestCalledUserIsNoSyntax puts users that a caller may dial into dial strings.
func TestCalledUserIsNoSyntax(t *testing.T) {
	for called, want := range map[string]string{
		"100&00123":           "100&00123@gw",
		"100|00123":           "100%7C00123@gw",
		"100[rt=1]":           "100%5Brt=1%5D@gw",
		"100@evil.example|1":  "100%40evil.example%7C1@gw",
		"*21*100#":            "*21*100%23@gw",
		"${dst}":              "$%7Bdst%7D@gw",
		"a%20b":               "a%20b@gw",
		"a%20b%":              "a%20b%25@gw",
		"J\u00fcrgen":         "J%C3%BCrgen@gw",
		"1;phone-context=+44": "1%3Bphone-context=+44@gw",
	} {
		got, err := parseDialString("${dst}@gw", called, nil)
		if text := describeGroups(got); err != nil || text != want {
			t.Errorf("%q: %s, want %s (%v)", called, text, want, err)
		}
	}
}

func TestDialTargets(t *testing.T) {
	for target, want := range map[string]string{
		"100@gw":                   "100@gw",
		"100@gw_1-b":               "100@gw_1-b",
		"100@gw.example.net":       "sip:100@gw.example.net",
		"100@192.0.2.1:5070":       "sip:100@192.0.2.1:5070",
		"100@gw:5060":              "sip:100@gw:5060",
		"sip:100@gw":               "100@gw",
		"100@localhost":            "sip:100@localhost",
		"sip:100@localhost;lr":     "sip:100@localhost;lr",
		"100@[::1":                 `the target "100@[::1" has no good host`,
		"100@[1.2]":                `the target "100@[1.2]" has no good host`,
		"100@a.b:65536":            `the target "100@a.b:65536" has no good host`,
		"sip:gw":                   "sip:gw",
		"sips:100@gw":              `the target "sips:100@gw" has no good host; a gateway is dialled as user@gateway`,
		"1;x=y@gw":                 `the target "1;x=y@gw" has no user before the @, or one that a gateway cannot be given`,
		"a?b@gw":                   `the target "a?b@gw" has no user before the @, or one that a gateway cannot be given`,
		"sip:a%26b@example.net":    "sip:a%26b@example.net",
		"sip:a?b;c=d@example.net":  "sip:a?b;c=d@example.net",
		"100":                      `the target "100" has no host; write it as user@host, user@gateway or as a sip: URI`,
		"tel:+442079460000":        `the target "tel:+442079460000" says no gateway; a number is dialled as number@gateway`,
		"http://x@y":               `the target "http://x@y" is not a sip: or sips: URI`,
		"alice:secret@example.net": `the target "alice:secret@example.net" is not a sip: or sips: URI`,
		"@gw":                      `the target "@gw" has no user before the @, or one that a gateway cannot be given`,
		"a b@gw":                   `the target "a b@gw" has no user before the @, or one that a gateway cannot be given`,
		"a b@gw.net":               `the target "a b@gw.net" has no user before the @, or one with a character that no user may have`,
		"<sip:a@b>":                `the target "<sip:a@b>" is not a sip: or sips: URI`,
		"a@":                       `the target "a@" has no host or gateway behind the @`,
		"a@b@c":                    `the target "a@b@c" has no host or gateway behind the @`,
		"a@b@c.d":                  `the target "a@b@c.d" has no good host`,
		"a@gw;transport=tcp":       `the target "a@gw;transport=tcp" has no host or gateway behind the @`,
		"sip:":                     `the target "sip:" has no good host`,
		"sip:a@b.c?Subject=x":      `the target "sip:a@b.c?Subject=x" is more than a plain URI: leave out headers (?), brackets and quotes`,
		"sip:a@b.c>":               `the target "sip:a@b.c>" is more than a plain URI: leave out headers (?), brackets and quotes`,
		"sip:a@b.c;method=BYE":     `the target "sip:a@b.c;method=BYE" has a parameter "method"; a dial is always an INVITE`,
		"sip:a@b.c;x=\"1\"":        `the target "sip:a@b.c;x=\"1\"" is more than a plain URI: leave out headers (?), brackets and quotes`,
		"sip:a@b.c;x=\u00fc":       `the target "sip:a@b.c;x=ü" has a parameter with a character that none may have`,
		"sip:a@b.c:0":              `the target "sip:a@b.c:0" has no good host`,
		"sip:a@b.c\r\nX: y":        `the target "sip:a@b.c\r\nX: y" has no good host`,
	} {
		got, err := dialTarget(target)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", target, got, want)
		}
	}
}

// FuzzDialString holds to what the dispatcher relies on, whatever is written or
// dialled.
func FuzzDialString(f *testing.F) {
	for _, text := range []string{"a@gw1&b@gw2|c@gw3[rt=20]", "${dst:1}@gw[fd=x,fu=${dst},fh=b.c]", "sip:a@[::1]:5060;x=[1][dt=1]", "[", "a@[|"} {
		f.Add(text, "100")
		f.Add(text, "1&2|3@x[")
	}
	f.Fuzz(func(t *testing.T, text, called string) {
		groups, err := parseDialString(text, called, &proto.DialLeg{RingMs: 1000})
		if err != nil {
			return
		}
		legs, err := countLegs(groups)
		if err != nil || legs < 1 {
			t.Fatalf("%q gives %d legs, %v", text, legs, err)
		}
		// The called user is replaced after the string has been taken apart.
		plain, err := parseDialString(text, "100", nil)
		if err == nil && shape(plain) != shape(groups) {
			t.Fatalf("%q called for %q has another shape", text, called)
		}
		for _, group := range groups {
			for _, leg := range group.Legs {
				checkFuzzedLeg(t, leg)
			}
		}
	})
}

func checkFuzzedLeg(t *testing.T, leg *proto.DialLeg) {
	again, err := dialTarget(leg.Target)
	if err != nil || again != leg.Target {
		t.Fatalf("the target %q is not one: %q %v", leg.Target, again, err)
	}
	for _, c := range []byte(leg.Target) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`<>"\{}`, c) >= 0 {
			t.Fatalf("the target %q has the byte %q", leg.Target, c)
		}
	}
	if leg.RingMs < 1 || leg.RingMs > 180_000 || leg.DelayMs > 120_000 || checkFrom(leg) != nil {
		t.Fatalf("the leg is out of bounds: %v", leg)
	}
}

// shape is how many legs each group has.
func shape(groups []*proto.DialGroup) string {
	var b strings.Builder
	for _, group := range groups {
		b.WriteString(strings.Repeat("&", len(group.Legs)) + "|")
	}
	return b.String()
}
