package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// refused are requests with one thing wrong, told as a change of inviteText. why
// names the rule that must catch it.
var refused = []struct {
	name, passage, by string
	status            int
	why               string
}{
	{"lone LF ends a line", "application/sdp\r\n", "application/sdp\n", 400, "bad header line"},
	{"lone CR in a value", "application/sdp", "application\r/sdp", 400, "bad header line"},
	{"NUL in a value", "application/sdp", "application\x00/sdp", 400, "bad header line"},
	{"DEL in a value", "application/sdp", "application\x7f/sdp", 400, "bad header line"},
	{"escape octet in a value", "application/sdp", "\x1b[2J", 400, "bad header line"},
	{"line without colon", "Max-Forwards: 70", "Max-Forwards 70", 400, "bad header line"},
	{"line without name", "Max-Forwards: 70", ": 70", 400, "bad header line"},
	{"blank in a name", "Max-Forwards: 70", "Max Forwards: 70", 400, "bad header name"},
	{"bracket in a name", "Max-Forwards: 70", "Max<Forwards>: 70", 400, "bad header name"},
	{"line too long", "application/sdp", strings.Repeat("n", maxLine), 400, "bad header line"},
	{"folds into a line too long", "Max-Forwards: 70\r\n", "X: a\r\n" + strings.Repeat(" "+strings.Repeat("b", 1000)+"\r\n", 9), 400, "bad header line"},
	{"too many headers", "Content-Length: 5\r\n", strings.Repeat("X: y\r\n", maxHeaders), 400, "more than 100 headers"},

	{"other version", " SIP/2.0\r\nVia", " SIP/7.0\r\nVia", 505, ""},
	{"newer version", " SIP/2.0\r\nVia", " SIP/2.00\r\nVia", 505, ""},
	{"HTTP", " SIP/2.0\r\nVia", " HTTP/1.1\r\nVia", 400, "start line is not METHOD URI SIP/2.0"},
	{"version in lower case", " SIP/2.0\r\nVia", " sip/2.0\r\nVia", 400, "start line is not METHOD URI SIP/2.0"},
	{"blank at the end of the start line", " SIP/2.0\r\nVia", " SIP/2.0 \r\nVia", 400, "start line is not METHOD URI SIP/2.0"},
	{"two blanks before the URI", "INVITE sip:", "INVITE  sip:", 400, "bad Request-URI"},
	{"tab before the URI", "INVITE sip:", "INVITE \tsip:", 400, ""},
	{"URI in brackets", "sip:100@front.example.net SIP", "<sip:100@front.example.net> SIP", 400, "bad Request-URI"},
	{"quote in the URI", "sip:100@front.example.net SIP", "sip:\"1\"@front.example.net SIP", 400, "bad Request-URI"},
	{"NUL in the URI", "sip:100@front.example.net SIP", "sip:\x00@front.example.net SIP", 400, "bad octet in the start line"},
	{"method is no token", "INVITE sip:", "INV{TE sip:", 400, "bad octet in the start line"},
	{"URI too long", "sip:100@front.example.net SIP", "sip:" + strings.Repeat("1", maxURI) + "@front.example.net SIP", 414, ""},
	{"URI without scheme", "sip:100@front.example.net SIP", "100 SIP", 400, "Request-URI without scheme"},
	{"http URI", "sip:100@front.example.net SIP", "http://front.example.net SIP", 416, ""},
	{"unknown scheme", "sip:100@front.example.net SIP", "soap.beep:x SIP", 416, ""},
	{"URI without host", "sip:100@front.example.net SIP", "sip: SIP", 400, "bad Request-URI"},
	{"URI with user and no host", "sip:100@front.example.net SIP", "sip:100@ SIP", 400, "bad Request-URI"},
	{"URI with a port of letters", "sip:100@front.example.net SIP", "sip:100@front.example.net:sip SIP", 400, "bad Request-URI"},

	{"two From", "To: <", "f: <sip:b@example.org>;tag=2\r\nTo: <", 400, "second From"},
	{"two To", "To: <", "t: <sip:200@front.example.net>\r\nTo: <", 400, "second To"},
	{"two Call-ID", "Call-ID: c1", "i: c2@a.example.net\r\nCall-ID: c1", 400, "second Call-ID"},
	{"two CSeq", "CSeq: 7", "cseq: 8 INVITE\r\nCSeq: 7", 400, "second CSeq"},
	{"two Max-Forwards", "Max-Forwards: 70", "Max-Forwards: 70\r\nMAX-FORWARDS: 71", 400, "second Max-Forwards"},
	{"two Content-Length", "Content-Length: 5", "l: 0\r\nContent-Length: 5", 400, "second Content-Length"},
	{"two equal Content-Length", "Content-Length: 5", "Content-Length : 5\r\nContent-Length: 5", 400, "second Content-Length"},

	{"CSeq of another method", "7 INVITE", "7 OPTIONS", 400, "CSeq names another method"},
	{"CSeq in lower case", "7 INVITE", "7 invite", 400, "CSeq names another method"},
	{"CSeq without method", "7 INVITE", "7", 400, "CSeq names another method"},
	{"CSeq of 2^31", "7 INVITE", "2147483648 INVITE", 400, "CSeq number is not below 2^31"},
	{"CSeq below zero", "7 INVITE", "-1 INVITE", 400, "CSeq number is not below 2^31"},
	{"CSeq without number", "7 INVITE", "INVITE", 400, "CSeq number is not below 2^31"},
	{"Max-Forwards of 256", "Max-Forwards: 70", "Max-Forwards: 256", 400, "Max-Forwards is not 0 to 255"},
	{"Max-Forwards below zero", "Max-Forwards: 70", "Max-Forwards: -1", 400, "Max-Forwards is not 0 to 255"},
	{"empty Max-Forwards", "Max-Forwards: 70", "Max-Forwards:", 400, "Max-Forwards is not 0 to 255"},

	{"no From tag", ";tag=from1", "", 400, "no From tag"},
	{"From tag in the display name", "\"Ann\" <sip:ann@example.org>;tag=from1", "\";tag=from1\" <sip:ann@example.org>", 400, "no From tag"},
	{"From tag in the URI", "<sip:ann@example.org>;tag=from1", "<sip:ann@example.org;tag=from1>", 400, "no From tag"},
	{"From without closing quote", "\"Ann\"", "\"Ann", 400, ""},
	{"From without closing bracket", "ann@example.org>;tag", "ann@example.org;tag", 400, ""},
	{"comma in a bare display name", "\"Ann\"", "Ann, Bob", 400, "bad From"},
	{"To without closing quote", "To: <", "To: \"x <", 400, "bad To"},
	{"blank in the To URI", "To: <sip:100@", "To: <sip:1 00@", 400, "bad To"},
	{"blank in the Call-ID", "c1@a.example.net", "c1 @a.example.net", 400, "bad Call-ID"},
	{"two Call-IDs in one", "c1@a.example.net", "c1,c2", 400, "bad Call-ID"},

	{"branch of RFC 2543", "z9hG4bK-c1", "1", 400, "Via branch is not of RFC 3261"},
	{"branch that is only the cookie", "z9hG4bK-c1", "z9hG4bK", 400, "Via branch is not of RFC 3261"},
	{"no branch", ";branch=z9hG4bK-c1", "", 400, "Via branch is not of RFC 3261"},
	{"branch in a quoted parameter", ";branch=z9hG4bK-c1", ";x=\";branch=z9hG4bK-c1\"", 400, "Via branch is not of RFC 3261"},
	{"branch too long", "z9hG4bK-c1", "z9hG4bK" + strings.Repeat("b", maxID-6), 400, "branch, tag or Call-ID over 256 octets"},
	{"From tag too long", "tag=from1", "tag=" + strings.Repeat("t", maxID+1), 400, "branch, tag or Call-ID over 256 octets"},
	{"To tag too long", "To: <sip:100@front.example.net>", "To: <sip:100@front.example.net>;tag=" + strings.Repeat("t", maxID+1), 400, "branch, tag or Call-ID over 256 octets"},
	{"Call-ID too long", "c1@a.example.net", strings.Repeat("c", maxID+1), 400, "branch, tag or Call-ID over 256 octets"},
	{"too many Via", "Max-Forwards: 70", strings.Repeat("Via: SIP/2.0/UDP p;branch=z9hG4bK\r\n", maxVias) + "Max-Forwards: 70", 400, "more than 32 Via"},

	{"unknown extension", "Max-Forwards: 70", "Require: 100rel\r\nMax-Forwards: 70", 420, ""},
	{"body torn", "Content-Length: 5", "Content-Length: 6", 400, "body shorter than Content-Length"},
	{"Content-Length below zero", "Content-Length: 5", "Content-Length: -5", 400, "bad Content-Length"},
	{"Content-Length with a sign", "Content-Length: 5", "Content-Length: +5", 400, "bad Content-Length"},
	{"Content-Length in hex", "Content-Length: 5", "Content-Length: 0x5", 400, "bad Content-Length"},
	{"Content-Length of 2^31", "Content-Length: 5", "Content-Length: 2147483648", 400, "bad Content-Length"},
	{"empty Content-Length", "Content-Length: 5", "Content-Length:", 400, "bad Content-Length"},
}

var source = netip.MustParseAddrPort("192.0.2.9:5071")

// TestRefused sees each of them refused by its rule and answered with words that
// say so.
func TestRefused(t *testing.T) {
	for _, row := range refused {
		t.Run(row.name, func(t *testing.T) {
			_, refusal := Scan([]byte(altered(t, row.passage, row.by)))
			if refusal == nil {
				t.Fatal("it passes")
			}
			if refusal.Status != row.status || row.why != "" && refusal.Why != row.why {
				t.Fatalf("refused with %d (%s), want %d (%s)", refusal.Status, refusal.Why, row.status, row.why)
			}
			answer := string(refusal.Encode(source))
			want := []string{fmt.Sprintf("SIP/2.0 %d ", row.status), ";tag="}
			if refusal.Why != "" {
				want = append(want, fmt.Sprintf("\r\nWarning: 399 dialyard %q\r\n", refusal.Why))
			}
			for _, passage := range want {
				if !strings.Contains(answer, passage) {
					t.Errorf("no %q in the answer:\n%s", passage, answer)
				}
			}
		})
	}
}

// unanswerable are messages that are dropped in silence: there is nothing to
// answer, or nothing to answer with.
var unanswerable = []struct{ name, passage, by string }{
	{"no Via", "Via: SIP/2.0/UDP a.example.net:5070;branch=z9hG4bK-c1;rport\r\nVia: SIP/2.0/TCP phone.example.org;branch=z9hG4bK-p1\r\n", ""},
	{"no From", "From: \"Ann\" <sip:ann@example.org>;tag=from1\r\n", ""},
	{"no To", "To: <sip:100@front.example.net>\r\n", ""},
	{"NUL in the Call-ID", "c1@a.example.net", "c1\x00@a.example.net"},
	{"From over 8 KiB", "\"Ann\"", `"` + strings.Repeat("n", maxLine) + `"`},
	{"no Call-ID", "Call-ID: c1@a.example.net\r\n", ""},
	{"no CSeq", "CSeq: 7 INVITE\r\n", ""},
	{"empty Call-ID", "Call-ID: c1@a.example.net\r\n", "Call-ID:\r\n"},
	{"Via without protocol", "Via: SIP/2.0/UDP a.", "Via: a."},
	{"Via of another protocol", "Via: SIP/2.0/UDP a.", "Via: HTTP/1.1/TCP a."},
	{"Via without transport", "Via: SIP/2.0/UDP a.", "Via: SIP/2.0/ a."},
	{"Via without host", "Via: SIP/2.0/UDP a.example.net:5070;", "Via: SIP/2.0/UDP ;"},
	{"ACK with something wrong", "INVITE sip:100@front.example.net SIP/2.0", "ACK sip:100@front.example.net SIP/7.0"},
	{"start line of one word", "INVITE sip:100@front.example.net SIP/2.0", "INVITE"},
	{"status below 100", "INVITE sip:100@front.example.net SIP/2.0", "SIP/2.0 099 Low"},
	{"status above 699", "INVITE sip:100@front.example.net SIP/2.0", "SIP/2.0 700 High"},
	{"status of four digits", "INVITE sip:100@front.example.net SIP/2.0", "SIP/2.0 0200 OK"},
	{"status with a sign", "INVITE sip:100@front.example.net SIP/2.0", "SIP/2.0 +20 OK"},
	{"response with two Call-ID", "INVITE sip:100@front.example.net SIP/2.0", "SIP/2.0 200 OK\r\ni: other"},
	{"response with a torn body", "INVITE sip:100@front.example.net SIP/2.0", "SIP/2.0 200 OK\r\nX: y\r\n\r\n"},
	{"header without end", "\r\n\r\nv=0\r\n", "\r\n"},
}

func TestUnanswerable(t *testing.T) {
	for _, row := range unanswerable {
		t.Run(row.name, func(t *testing.T) {
			_, refusal := Scan([]byte(altered(t, row.passage, row.by)))
			if refusal == nil {
				t.Fatal("it passes")
			}
			if answer := refusal.Encode(source); answer != nil {
				t.Errorf("it is answered:\n%s", answer)
			}
		})
	}
}

func TestOversizedMessage(t *testing.T) {
	text := strings.TrimSuffix(altered(t, "Content-Length: 5", "Content-Length: 65000"), "v=0\r\n")
	for _, row := range []struct {
		size   int
		refuse bool
	}{{MaxMessage, false}, {MaxMessage + 1, true}} {
		m, refusal := Scan([]byte(text + strings.Repeat("a", row.size-len(text))))
		if refused := refusal != nil; refused != row.refuse {
			t.Errorf("a message of %d octets: %v", row.size, refusal)
		}
		if m != nil && len(m.Body) != 65000 {
			t.Errorf("its body has %d octets", len(m.Body))
		}
	}
}

// TestUnsupportedIsTold sees every option a request demands and nobody knows come
// back (RFC 3261 §8.2.2.3), and none demanded of an ACK or a CANCEL.
func TestUnsupportedIsTold(t *testing.T) {
	demand := "Require: 100rel, timer\r\nRequire: \"x\r\n y\"\r\nCSeq: "
	_, refusal := Scan([]byte(altered(t, "CSeq: ", demand)))
	if refusal == nil {
		t.Fatal("it passes")
	}
	answer := scanned(t, string(refusal.Encode(source)))
	if got, want := answer.Find("Unsupported"), `100rel, "x y"`; answer.Status != 420 || got != want {
		t.Errorf("answered %d, Unsupported: %s; want %s", answer.Status, got, want)
	}
	for _, method := range []string{"ACK", "CANCEL"} {
		text := strings.Replace(requestText(method, "z9hG4bK-1", "a.test"), "CSeq: ", demand, 1)
		scanned(t, text)
	}
}

// TestRefusalRepeats: a stateless answer is the same for each repetition (RFC
// 3261 §8.2.7).
func TestRefusalRepeats(t *testing.T) {
	text := []byte(altered(t, "7 INVITE", "8 OPTIONS"))
	_, first := Scan(text)
	_, second := Scan(text)
	if a, b := first.Encode(source), second.Encode(source); a == nil || string(a) != string(b) {
		t.Errorf("first\n%s\nthen\n%s", a, b)
	}
}

// TestKnownExtensionsPass: what the front passes on from end to end may be demanded.
func TestKnownExtensionsPass(t *testing.T) {
	for _, demand := range []string{"timer", "Timer, REPLACES", "norefersub,histinfo", "timer\r\nRequire: replaces", "", ","} {
		scanned(t, altered(t, "CSeq: ", "Require: "+demand+"\r\nCSeq: "))
	}
	for demand, unknown := range map[string]string{
		"timers": "timers", "timer,,path": "path", "Gruu ,timer": "Gruu", "timer\r\nRequire: outbound": "outbound", "x;timer": "x;timer",
	} {
		_, refusal := Scan([]byte(altered(t, "CSeq: ", "Require: "+demand+"\r\nCSeq: ")))
		if refusal == nil || refusal.Status != 420 || refusal.Unsupported != unknown {
			t.Errorf("%q: %+v, want %s", demand, refusal, unknown)
		}
	}
}

// TestOffered: of what a peer supports, only what is passed on is passed on.
func TestOffered(t *testing.T) {
	for tags, want := range map[string]string{
		"": "", "100rel": "", "timer": "timer", "100rel, Timer ,replaces,,path": "Timer, replaces", "timer;x": "",
	} {
		if got := Offered(tags); got != want {
			t.Errorf("%q: %q, want %q", tags, got, want)
		}
	}
}
