package load

import (
	"errors"
	"strings"
	"testing"
)

// redirect is a usual answer to call 0x2a of run 0xbeef.
const redirect = "SIP/2.0 302 Moved Temporarily\r\n" +
	"Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bK0000beef0000002ai;rport=40001\r\n" +
	"From: <sip:load@127.0.0.1:40001>;tag=0000beef0000002a\r\n" +
	"To: <sip:100@127.0.0.1:5060>;tag=srv\r\n" +
	"Call-ID: 0000beef0000002a@load\r\n" +
	"CSeq: 1 INVITE\r\n" +
	"Contact: \"Gateway\" <sip:gw1@127.0.0.1;q=1>;q=0.5\r\n" +
	"Content-Length: 0\r\n\r\n"

func TestScanResponse(t *testing.T) {
	compact := strings.NewReplacer("Via:", "v:", "To:", "T :", "Call-ID:", "i:\t", "Contact:", "m:").Replace(redirect)
	for _, text := range []string{redirect, compact, redirect + "body"} {
		r, err := scanResponse([]byte(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if r.run != 0xbeef || r.call != 0x2a || r.kind != kindInvite || r.status != 302 {
			t.Errorf("run %x call %x kind %c status %d", r.run, r.call, r.kind, r.status)
		}
		if string(r.dialog.to) != "<sip:100@127.0.0.1:5060>;tag=srv" || string(r.dialog.remote) != "sip:gw1@127.0.0.1;q=1" {
			t.Errorf("to %q contact %q", r.dialog.to, r.dialog.remote)
		}
	}
}

func TestScanResponseRefuses(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		want           error
	}{
		{"a request", "SIP/2.0 302 Moved Temporarily", "INVITE sip:a@b SIP/2.0", errNotResponse},
		{"another version", "SIP/2.0 302", "SIP/3.0 302", errNotResponse},
		{"a status of four digits", "302 ", "3020 ", errNotResponse},
		{"status 99", "302 ", "099 ", errNotResponse},
		{"status 700", "302 ", "700 ", errNotResponse},
		{"bare line feeds", "\r\n", "\n", errNotResponse},
		{"no empty line", "\r\n\r\n", "\r\n", errHeader},
		{"a folded line", "\r\nCSeq", "\r\n CSeq", errHeader},
		{"a line without colon", "\r\nCSeq:", "\r\nCSeq", errHeader},
		{"no To", "To:", "Two:", errHeader},
		{"two Vias", "From:", "Via:", errHeader},
		{"two Call-IDs", "From:", "i:", errHeader},
		{"another call's branch", "2ai", "2bi", errIdentity},
		{"an ACK's branch", "2ai", "2aa", errIdentity},
		{"a branch of the old kind", "z9hG4bK", "", errIdentity},
		{"another method", "1 INVITE", "1 BYE", errIdentity},
		{"a foreign Call-ID", "@load", "@other", errIdentity},
		{"no To tag", ";tag=srv", "", errNoTag},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.ReplaceAll(redirect, c.old, c.new)
			if text == redirect {
				t.Fatal("the case changes nothing")
			}
			if _, err := scanResponse([]byte(text)); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestProvisionalNeedsNoTag(t *testing.T) {
	text := strings.Replace(strings.Replace(redirect, "302", "100", 1), ";tag=srv", "", 1)
	if r, err := scanResponse([]byte(text)); err != nil || r.status != 100 {
		t.Errorf("status %d, %v", r.status, err)
	}
}

func TestAddressURI(t *testing.T) {
	for value, want := range map[string]string{
		"<sip:a@b;x=1>;y=2": "sip:a@b;x=1",
		"sip:a@b;y=2":       "sip:a@b",
		"sip:a@b, sip:c@d":  "sip:a@b",
		"<sip:a@b":          "",
		"":                  "",
	} {
		if got := string(addressURI([]byte(value))); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestScanningAllocatesNothing(t *testing.T) {
	datagram := []byte(redirect)
	if allocs := testing.AllocsPerRun(100, func() { scanResponse(datagram) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// FuzzScanResponse holds the scanner to its promises: no panic, statuses in range, and identifiers which
// really stand in the datagram.
func FuzzScanResponse(f *testing.F) {
	f.Add([]byte(redirect))
	f.Add([]byte(strings.Replace(redirect, "302", "100", 1)))
	f.Add([]byte(strings.NewReplacer("2ai", "2ab", "1 INVITE", "2 BYE", "Via:", "v:").Replace(redirect)))
	f.Add([]byte("SIP/2.0 200 OK\r\n:\r\n\r\n"))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		r, err := scanResponse(datagram)
		if err != nil {
			return
		}
		id := string(appendNumber(appendNumber(nil, r.run), r.call))
		text := string(datagram)
		switch {
		case r.status < 100 || r.status > 699:
			t.Errorf("status %d", r.status)
		case !strings.Contains(text, id+callIDHost) || !strings.Contains(text, branchCookie+id+string(rune(r.kind))):
			t.Errorf("identity %s is not in the datagram", id)
		case !strings.Contains(text, string(r.dialog.to)) || !strings.Contains(text, string(r.dialog.remote)):
			t.Error("a value is not in the datagram")
		}
	})
}
