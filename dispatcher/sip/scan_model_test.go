package sip

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// mixedLines are what the mixed messages are made of, good and bad.
var mixedLines = map[string][]string{
	"start": {"INVITE sip:100@a.test SIP/2.0", "ACK sip:100@a.test SIP/2.0", "INVITE tel:+1 SIP/2.0", "INVITE sip:1 0@a.test SIP/2.0", "INVITE sip:100@a.test SIP/3.0", "SIP/2.0 200 OK", "SIP/2.0 603"},
	"Via":   {"Via: SIP/2.0/UDP a.test;branch=z9hG4bK-1", "v:SIP/2.0/TCP [::1]:1;branch=z9hG4bK-2;rport, SIP/2.0/UDP b", "VIA : SIP/2.0/UDP a.test;x=\",\";branch=z9hG4bK\"", "Via:"},
	"From":  {"From: <sip:a@a.test>;tag=1", "f: \"x\\\"<\" <sip:a@a.test>;TAG=1", "FROM\t:sip:a@a.test;tag=1", "From: \"x <sip:a@a.test>;tag=1"},
	"To":    {"To: <sip:b@a.test>", "t: sip:b@a.test;tag=2", "To: \"y\" <tel:1>;x=\"", "To:"},
	"other": {"Call-ID: 1", "i: 2", "Call-ID: 3@\" ;", "CSeq: 1 INVITE", "cseq: 1\t ACK", "CSeq: 99999999999 INVITE", "Content-Length: 0", "l: 3", "Content-Length : 03", "Content-Length:", "Max-Forwards: 0", "Require: x", "X: \x00", "X: y\nContent-Length: 3", "X: y\rl: 3", ": z", "Ünknown: 1", "X Y: 1"},
	"fold":  {" Content-Length: 3", "\tl: 1", " ", " ;tag=3", " \"", ","},
}

// TestScanModel scans messages of mixed lines: some pass, most do not, and all
// keep what FuzzScan asks.
func TestScanModel(t *testing.T) {
	passed := 0
	rapid.Check(t, func(t *rapid.T) {
		text := mixedMessage(t)
		m, refusal := Scan([]byte(text))
		if refusal != nil {
			checkRefusal(t, refusal)
			return
		}
		passed++
		checkMessage(t, m)
		checkBoundary(t, m, []byte(text))
		checkAnswer(t, m)
	})
	if passed == 0 {
		t.Error("not one of the messages passes")
	}
}

// mixedMessage takes a good line of each kind as a rule, and now and then a bad
// one, one more or none; then folds and shuffles.
func mixedMessage(t *rapid.T) string {
	message := []string{
		"Via: SIP/2.0/UDP a.test;branch=z9hG4bK-1", "From: <sip:a@a.test>;tag=1", "To: <sip:b@a.test>", "Call-ID: 1", "CSeq: 1 INVITE", "Content-Length: 3",
	}
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		kind := rapid.SampledFrom([]string{"Via", "From", "To", "other", "fold"}).Draw(t, "kind")
		line := rapid.SampledFrom(mixedLines[kind]).Draw(t, "line")
		place := rapid.IntRange(0, len(message)-1).Draw(t, "place")
		if rapid.Bool().Draw(t, "replace") {
			message[place] = line
		} else {
			message[place] += "\r\n" + line
		}
	}
	start := mixedLines["start"][0]
	if rapid.IntRange(0, 3).Draw(t, "odd start") == 0 {
		start = rapid.SampledFrom(mixedLines["start"]).Draw(t, "start")
	}
	message = rapid.Permutation(message).Draw(t, "order")
	body := rapid.SampledFrom([]string{"abc", "abc\r\n\r\nINVITE", "", "a"}).Draw(t, "body")
	return start + "\r\n" + strings.Join(message, "\r\n") + "\r\n\r\n" + body
}
