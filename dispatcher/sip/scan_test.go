package sip

import (
	"strings"
	"testing"
)

// TestLenience holds what is odd and yet right: none of it may be refused.
func TestLenience(t *testing.T) {
	for _, row := range []struct{ name, passage, by string }{
		{"compact names", "Call-ID: ", "I:"},
		{"blanks around the colon", "Call-ID: ", "Call-ID \t :  "},
		{"tab in CSeq", "7 INVITE", "7\tINVITE"},
		{"zeros before CSeq", "7 INVITE", "0007   INVITE"},
		{"largest CSeq", "7 INVITE", "2147483647 INVITE"},
		{"hops used up", "Max-Forwards: 70", "Max-Forwards: 0"},
		{"no Max-Forwards", "Max-Forwards: 70\r\n", ""},
		{"no Content-Length", "Content-Length: 5\r\n", ""},
		{"most headers", "Max-Forwards: 70\r\n", strings.Repeat("X: y\r\n", maxHeaders-9)},
		{"most Via", "Max-Forwards: 70", strings.Repeat("Via: SIP/2.0/UDP p;branch=z9hG4bK\r\n", maxVias-2) + "Max-Forwards: 70"},
		{"longest branch", "z9hG4bK-c1", "z9hG4bK" + strings.Repeat("b", maxID-7)},
		{"cookie in another case", "z9hG4bK-c1", "Z9HG4BK-c1"},
		{"Via with a tab", "Via: SIP/2.0/UDP a.", "Via: SIP/2.0/UDP\ta."},
		{"Via with blanks around its slashes", "Via: SIP/2.0/UDP a.", "Via: SIP / 2.0/\r\n UDP a."},
		{"Via of a transport nobody knows", "Via: SIP/2.0/UDP a.", "Via: SIP/2.0/X25 a."},
		{"every octet a Call-ID may have", "c1@a.example.net", `a-.!%*_+` + "`'~()<>:\\\"/[]?{}@z"},
		{"name in UTF-8 without quotes", "\"Ann\"", "Ånn Ö"},
		{"folded name", "\"Ann\" <", "\"Ann\r\n  \t of\r\n house\" <"},
		{"no name", "\"Ann\" <sip:ann@example.org>", "<sip:ann@example.org>"},
		{"no brackets", "\"Ann\" <sip:ann@example.org>;tag", "sip:ann@example.org;tag"},
		{"From tag in capitals", ";tag=from1", "; TAG = from1"},
		{"tel URI", "sip:100@front.example.net SIP", "tel:+1-201-555-0123 SIP"},
		{"SIPS URI in capitals", "sip:100@front.example.net SIP", "SIPS:100@front.example.net SIP"},
		{"question mark in the user", "sip:100@front.example.net SIP", "sip:10?0@front.example.net SIP"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := scanned(t, altered(t, row.passage, row.by))
			if m.Method != "INVITE" || m.Caller.URI.User != "ann" {
				t.Errorf("%s from %s", m.Method, m.Caller.URI.User)
			}
		})
	}
}

// TestScanReads holds the parts of a message, long and compact, folded or not.
func TestScanReads(t *testing.T) {
	compactText := strings.NewReplacer(
		"Via:", "v:", "From:", "F :", "To:", "t:", "Call-ID:", "i:", "Content-Type:", "c:",
		"Contact:", "m:", "Content-Length:", "L:\r\n\t", "\"Ann\" ", "\"Ann\"\r\n ",
	).Replace(inviteText)
	for name, text := range map[string]string{"long": inviteText, "compact": compactText} {
		t.Run(name, func(t *testing.T) {
			m := scanned(t, text)
			got := []string{
				m.Method, m.URI, m.Branch, m.SentBy, m.Get(CallID), m.Get(ContentType), m.Get(Contact), m.ToTag(),
				m.Caller.Name, m.Caller.URI.Text, m.Callee.URI.User, m.Target.Host, m.Body,
			}
			want := []string{
				"INVITE", "sip:100@front.example.net", "z9hG4bK-c1", "a.example.net:5070", "c1@a.example.net",
				"application/sdp", "<sip:ann@a.example.net:5070>", "",
				"Ann", "sip:ann@example.org", "100", "front.example.net", "v=0\r\n",
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("got %q, want %q", got[i], want[i])
				}
			}
			if m.Seq != 7 || !m.IsRequest() || m.count(Via) != 2 {
				t.Errorf("CSeq %d, request %v, %d Via", m.Seq, m.IsRequest(), m.count(Via))
			}
		})
	}
}

// TestBodyIsCut: what stands behind Content-Length is no part of the message.
func TestBodyIsCut(t *testing.T) {
	for body, passage := range map[string]string{
		"v=0\r\n": "Content-Length: 5",
		"v=":      "Content-Length: 2",
		"":        "Content-Length: 00",
	} {
		m := scanned(t, altered(t, "Content-Length: 5", passage)+"INVITE sip:smuggled@example.net SIP/2.0\r\n\r\n")
		if m.Body != body {
			t.Errorf("%s gives the body %q", passage, m.Body)
		}
	}
}

// TestScanReadsResponses: a peer may leave the phrase out, and may use UTF-8 in it.
func TestScanReadsResponses(t *testing.T) {
	for line, want := range map[string]string{
		"SIP/2.0 200 OK":   "OK",
		"SIP/2.0 603 ":     "",
		"SIP/2.0 180 läut": "läut",
	} {
		m := scanned(t, altered(t, "INVITE sip:100@front.example.net SIP/2.0", line))
		if m.IsRequest() || m.Reason != want || m.Method != "INVITE" {
			t.Errorf("%s: %d %q to %s", line, m.Status, m.Reason, m.Method)
		}
	}
}

// TestScanKeepsNothing: the caller uses its buffer again at once.
func TestScanKeepsNothing(t *testing.T) {
	data := []byte(inviteText)
	m, _ := Scan(data)
	clear(data)
	if m.Get(CallID) != "c1@a.example.net" || m.Body != "v=0\r\n" || m.Find("contact") == "" {
		t.Errorf("the message reads from the caller's buffer: %+v", m)
	}
}
