package sip

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// inviteText is a request with nothing wrong, of a kind for every rule.
const inviteText = "INVITE sip:100@front.example.net SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP a.example.net:5070;branch=z9hG4bK-c1;rport\r\n" +
	"Via: SIP/2.0/TCP phone.example.org;branch=z9hG4bK-p1\r\n" +
	"Max-Forwards: 70\r\n" +
	"From: \"Ann\" <sip:ann@example.org>;tag=from1\r\n" +
	"To: <sip:100@front.example.net>\r\n" +
	"Call-ID: c1@a.example.net\r\n" +
	"CSeq: 7 INVITE\r\n" +
	"Contact: <sip:ann@a.example.net:5070>\r\n" +
	"Content-Type: application/sdp\r\n" +
	"Content-Length: 5\r\n" +
	"\r\n" +
	"v=0\r\n"

// altered is inviteText with one passage replaced.
func altered(t testing.TB, passage, by string) string {
	t.Helper()
	if strings.Count(inviteText, passage) != 1 {
		t.Fatalf("%q is not one passage of the request", passage)
	}
	return strings.Replace(inviteText, passage, by, 1)
}

// requestText is a request without a body, as plain as can be.
func requestText(method, branch, sentBy string) string {
	return method + " sip:100@front.example.net SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP " + sentBy + ";branch=" + branch + "\r\n" +
		"From: <sip:ann@example.org>;tag=from1\r\n" +
		"To: <sip:100@front.example.net>\r\n" +
		"Call-ID: " + branch + "@" + sentBy + "\r\n" +
		"CSeq: 1 " + method + "\r\n" +
		"Content-Length: 0\r\n\r\n"
}

// scanned is the message of a text that must pass the guard.
func scanned(t rapid.TB, text string) *Message {
	t.Helper()
	m, refusal := Scan([]byte(text))
	if refusal != nil {
		t.Fatalf("%v:\n%s", refusal, text)
	}
	return m
}
