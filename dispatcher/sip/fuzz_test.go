package sip

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// FuzzScan holds what doc.go promises of any octets: a message that passes has
// one reading, and every answer that leaves can be read back.
func FuzzScan(f *testing.F) {
	f.Add([]byte(inviteText))
	for _, method := range []string{"OPTIONS", "ACK", "CANCEL", "BYE"} {
		f.Add([]byte(requestText(method, "z9hG4bK-1", "[::1]:5060")))
	}
	for _, row := range refused {
		f.Add([]byte(altered(f, row.passage, row.by)))
	}
	for _, row := range unanswerable {
		f.Add([]byte(altered(f, row.passage, row.by)))
	}
	files, err := filepath.Glob(tortureDir() + "/rfc4475/*.dat")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, refusal := Scan(data)
		switch {
		case (m == nil) == (refusal == nil):
			t.Fatalf("message %v, refusal %v", m, refusal)
		case refusal != nil:
			checkRefusal(t, refusal)
		default:
			checkMessage(t, m)
			checkBoundary(t, m, data)
			checkAnswer(t, m)
		}
	})
}

// checkMessage holds the guarantees of doc.go.
func checkMessage(t rapid.TB, m *Message) {
	t.Helper()
	for _, n := range []Name{From, To, CallID, CSeq} {
		if m.count(n) != 1 || m.Get(n) == "" {
			t.Errorf("%d %s: %q", m.count(n), n, m.Get(n))
		}
	}
	if m.count(Via) == 0 || m.SentBy == "" || m.count(ContentLength) > 1 || len(m.Headers) > maxHeaders {
		t.Errorf("%d Via, sent by %q, %d Content-Length, %d headers", m.count(Via), m.SentBy, m.count(ContentLength), len(m.Headers))
	}
	for _, h := range m.Headers {
		if !IsToken(h.Text) || !clean(h.Value) || h.Value != strings.Trim(h.Value, " \t") {
			t.Errorf("header %q: %q", h.Text, h.Value)
		}
	}
	for line := range strings.SplitSeq(m.Block(), "\r\n") {
		if !clean(line) {
			t.Errorf("line %q", line)
		}
	}
	if !m.IsRequest() {
		return
	}
	if !strings.HasPrefix(strings.ToLower(m.Branch), strings.ToLower(branchCookie)) || !strings.HasSuffix(m.Get(CSeq), m.Method) || parameter(m.Get(From), "tag") == "" {
		t.Errorf("branch %q, %s, CSeq: %s, From: %s", m.Branch, m.Method, m.Get(CSeq), m.Get(From))
	}
	if !IsToken(m.Method) || !clean(m.URI) || strings.ContainsAny(m.URI, " \t<>\"") {
		t.Errorf("%q %q", m.Method, m.URI)
	}
}

// checkBoundary: the stream, which cuts messages out before they are scanned,
// finds the same end of the body. Two readings are how requests are smuggled.
func checkBoundary(t rapid.TB, m *Message, data []byte) {
	t.Helper()
	head := data[:bytes.Index(data, []byte("\r\n\r\n"))+4]
	length := contentLength(head)
	if m.Has(ContentLength) && length != len(m.Body) || !m.Has(ContentLength) && length != -1 {
		t.Errorf("a body of %d octets is %d on a stream", len(m.Body), length)
	}
}

// checkAnswer: an answer has the lines it should and reads back as a response of
// the same transaction.
func checkAnswer(t rapid.TB, m *Message) {
	t.Helper()
	r := Reply{Status: 404, Reason: "not\r\nhere", Headers: []Field{{"X-Note", "a\nb"}, {"X\r\n", "c"}}}
	text := string(r.Encode(m, source, "t1"))
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	if want := 1 + m.count(Via) + 4 + 2; strings.Count(head, "\r\n")+1 != want || body != "" {
		t.Fatalf("not %d lines:\n%s", want, text)
	}
	for line := range strings.SplitSeq(head, "\r\n") {
		if !clean(line) {
			t.Fatalf("line %q", line)
		}
		if len(line) > maxLine {
			return // longer by what was added to it; a peer may refuse it
		}
	}
	answer, refusal := Scan([]byte(text))
	switch {
	case refusal != nil:
		t.Fatalf("%v:\n%s", refusal, text)
	case answer.IsRequest() || answer.Status != 404 || answer.Branch != m.Branch || answer.SentBy != m.SentBy:
		t.Errorf("%d to %s at %s, not %s at %s", answer.Status, answer.Branch, answer.SentBy, m.Branch, m.SentBy)
	case answer.Get(CallID) != m.Get(CallID) || answer.Get(CSeq) != m.Get(CSeq) || answer.Get(From) != m.Get(From):
		t.Errorf("another transaction:\n%s", text)
	}
}

func checkRefusal(t rapid.TB, r *Refusal) {
	t.Helper()
	if strings.ContainsAny(r.Why, "\"\\") || !clean(r.Why) {
		t.Errorf("words for the Warning: %q", r.Why)
	}
	text := string(r.Encode(source))
	if text == "" {
		return
	}
	head, body, found := strings.Cut(text, "\r\n\r\n")
	if !found || body != "" || r.Status < 400 || r.Reply.Method == "ACK" || !r.Reply.IsRequest() {
		t.Errorf("refused %d:\n%s", r.Status, text)
	}
	for line := range strings.SplitSeq(head, "\r\n") {
		if !clean(line) {
			t.Errorf("line %q", line)
		}
	}
}

// FuzzVia: an answered Via is one line that still names the same transaction, and
// no longer asks for rport.
func FuzzVia(f *testing.F) {
	for _, value := range []string{
		"SIP/2.0/UDP a.test:5060;branch=z9hG4bK-1;rport", "SIP/2.0/UDP [::1];rport;branch=z9hG4bK-1", "SIP / 2.0/ TCP\ta.test",
		"SIP/2.0/UDP a.test;x=\"a;b,\\\"\";branch=1, SIP/2.0/TCP b.test;rport", "SIP/2.0/UDP a.test;;rport=;RPORT ;branch=\"1",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		v, ok := parseVia(value)
		if !ok || !clean(value) {
			return
		}
		rest := value[endOfVia(value):]
		line := string(v.answered(nil, rest, source))
		text, whole := strings.CutSuffix(line, "\r\n")
		text, named := strings.CutPrefix(text, "Via: ")
		if !whole || !named || !clean(text) || !strings.HasSuffix(text, rest) {
			t.Fatalf("%q", line)
		}
		again, ok := parseVia(text)
		if !ok || again.sentBy != v.sentBy || again.branch != v.branch || again.rport {
			t.Errorf("%q is answered %q: sent by %q, branch %q, rport %v", value, text, again.sentBy, again.branch, again.rport)
		}
	})
}

// FuzzParseAddress: what is read from an address says the same when it is written
// in full and read again, and its URI could stand in a start line.
func FuzzParseAddress(f *testing.F) {
	for _, value := range []string{
		"sip:ann@example.org;tag=1", "\"A \\\"n\\\" n\" <sips:ann:pw@[2001:db8::1]:5061;lr?x=y>;tag=1", "Ånn <tel:+1-201;ext=5>", "<isbn:2983792873>",
		"<sip:a?b@example.org>", "\"a\" b \"c\" <sip:x>", "<sip:a@b@c>",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		a, err := ParseAddress(value)
		if err != nil || !clean(value) {
			return
		}
		if u := a.URI.Text; u == "" || strings.ContainsAny(u, " \t<>\"") {
			t.Fatalf("%q has the URI %q", value, u)
		}
		scheme, _, _ := strings.Cut(strings.ToLower(a.URI.Text), ":")
		if (scheme == "sip" || scheme == "sips") && (a.URI.Host == "" || a.URI.Host != strings.ToLower(a.URI.Host)) {
			t.Fatalf("%q has the host %q", value, a.URI.Host)
		}
		name := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name)
		full := `"` + name + `" <` + a.URI.Text + `>`
		if again, err := ParseAddress(full); err != nil || again != a {
			t.Errorf("%q reads %+v; written %q it reads %+v, %v", value, a, full, again, err)
		}
	})
}
