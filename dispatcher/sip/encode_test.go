package sip

import (
	"strings"
	"testing"
)

// wholeRequest uses every field of a Request.
func wholeRequest() *Request {
	return &Request{
		Method: "INVITE", URI: "sip:200@gw.example.net:5070", From: "\"Ann\" <sip:ann@front.example.net>;tag=own",
		To: "<sip:200@gw.example.net>", CallID: "c1", Seq: 4294967295, Hops: 69, Body: "v=0\r\n",
		Route:   []string{"<sip:p1.example.net;lr>", "<sip:p2.example.net;lr>"},
		Headers: []Field{{"Contact", "<sip:front.example.net>"}, {"Content-Type", "application/sdp"}},
	}
}

// TestOwnRequest holds a whole request, octet for octet.
func TestOwnRequest(t *testing.T) {
	got := string(wholeRequest().encode("udp", "[2001:db8::1]:5060", "z9hG4bK-1"))
	want := "INVITE sip:200@gw.example.net:5070 SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK-1;rport\r\n" +
		"Max-Forwards: 69\r\n" +
		"Route: <sip:p1.example.net;lr>\r\n" +
		"Route: <sip:p2.example.net;lr>\r\n" +
		"From: \"Ann\" <sip:ann@front.example.net>;tag=own\r\n" +
		"To: <sip:200@gw.example.net>\r\n" +
		"Call-ID: c1\r\n" +
		"CSeq: 4294967295 INVITE\r\n" +
		"Contact: <sip:front.example.net>\r\n" +
		"Content-Type: application/sdp\r\n" +
		"Content-Length: 5\r\n\r\n" +
		"v=0\r\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestOwnViaIsRead: an answer finds the sent-by and the branch that were sent.
func TestOwnViaIsRead(t *testing.T) {
	for _, sentBy := range []string{"198.51.100.1:5060", "[2001:db8::1]:5060", "[::1]:5060", "front.example.net", "front.example.net:5071"} {
		r := legRequest("OPTIONS", "o1")
		m := scanned(t, string(r.encode("tcp", sentBy, "z9hG4bK-1")))
		if m.SentBy != sentBy || m.Branch != "z9hG4bK-1" || !m.via.rport || !strings.HasPrefix(m.Get(Via), "SIP/2.0/TCP ") {
			t.Errorf("sent by %s: %s", sentBy, m.Get(Via))
		}
	}
}

// TestHopByHop: the CANCEL and the ACK of a refusal have of the INVITE what makes
// its proxies find it, and nothing more (RFC 3261 §9.1, §17.1.1.3).
func TestHopByHop(t *testing.T) {
	invite := wholeRequest()
	for _, row := range []struct {
		method, to string
		headers    []Field
		more       string
	}{
		{"CANCEL", invite.To, []Field{{"Reason", "SIP;cause=200"}}, "Reason: SIP;cause=200\r\n"},
		{"CANCEL", invite.To, nil, ""},
		{"ACK", "<sip:200@gw.example.net>;tag=theirs", nil, ""},
	} {
		got := string(invite.hopByHop(row.method, row.to, row.headers).encode("udp", "front.example.net", "z9hG4bK-1"))
		want := row.method + " sip:200@gw.example.net:5070 SIP/2.0\r\n" +
			"Via: SIP/2.0/UDP front.example.net;branch=z9hG4bK-1;rport\r\n" +
			"Max-Forwards: 70\r\n" +
			"Route: <sip:p1.example.net;lr>\r\n" +
			"Route: <sip:p2.example.net;lr>\r\n" +
			"From: \"Ann\" <sip:ann@front.example.net>;tag=own\r\n" +
			"To: " + row.to + "\r\n" +
			"Call-ID: c1\r\n" +
			"CSeq: 4294967295 " + row.method + "\r\n" +
			row.more +
			"Content-Length: 0\r\n\r\n"
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// TestNothingBreaksOutOfARequest puts each breakout wherever a Request takes text:
// what goes out has the lines it would have had without, and no control octet.
func TestNothingBreaksOutOfARequest(t *testing.T) {
	whole, _, _ := strings.Cut(string(wholeRequest().encode("udp", "front.example.net", "z9hG4bK-1")), "\r\n\r\n")
	lines := strings.Count(whole, "\r\n")
	for place, set := range map[string]func(*Request, string){
		"method":       func(r *Request, s string) { r.Method += s },
		"URI":          func(r *Request, s string) { r.URI += s },
		"From":         func(r *Request, s string) { r.From += s },
		"To":           func(r *Request, s string) { r.To += s },
		"Call-ID":      func(r *Request, s string) { r.CallID += s },
		"Route":        func(r *Request, s string) { r.Route[0] += s },
		"header value": func(r *Request, s string) { r.Headers[0].Value += s },
	} {
		t.Run(place, func(t *testing.T) {
			for _, text := range breakouts {
				r := wholeRequest()
				set(r, text)
				data := string(r.encode("udp", "front.example.net", "z9hG4bK-1"))
				head, body, _ := strings.Cut(data, "\r\n\r\n")
				if strings.Count(head, "\r\n") != lines || body != r.Body {
					t.Fatalf("%q makes another request:\n%s", text, data)
				}
				for line := range strings.SplitSeq(head, "\r\n") {
					if !clean(line) {
						t.Fatalf("%q goes out as %q", text, line)
					}
				}
			}
		})
	}
	for _, text := range breakouts { // a header whose name is none is left out
		r := wholeRequest()
		r.Headers[0].Name += text
		head, body, _ := strings.Cut(string(r.encode("udp", "front.example.net", "z9hG4bK-1")), "\r\n\r\n")
		if strings.Count(head, "\r\n") != lines-1 || body != r.Body {
			t.Errorf("the name %q makes a header:\n%s", text, head)
		}
	}
}

// TestURIStaysOneWord: a blank in a URI would end the Request-URI where the next
// reader finds it.
func TestURIStaysOneWord(t *testing.T) {
	for _, text := range []string{"sip:x SIP/2.0", "sip:x\ty", "sip:x\r\ny"} {
		r := wholeRequest()
		r.URI = text
		start, _, _ := strings.Cut(string(r.encode("udp", "front.example.net", "z9hG4bK-1")), "\r\n")
		if words := strings.Fields(start); len(words) != 3 {
			t.Errorf("%q makes the start line %q", text, start)
		}
	}
}

// TestReservedHeadersOfARequest: what stands in fields of its own cannot be set
// again, however it is spelt.
func TestReservedHeadersOfARequest(t *testing.T) {
	r := wholeRequest()
	for _, name := range []string{
		"Via", "v", "FROM", "f", "To", "t", "call-id", "I", "cseq", "CSEQ", "Content-Length", "L", "max-forwards",
		"route", "Record-Route", "RECORD-ROUTE", "", " ", "two words", "colon:", "Via ",
	} {
		r.Headers = append(r.Headers, Field{name, "evil"})
	}
	if got := string(r.encode("udp", "front.example.net", "z9hG4bK-1")); strings.Contains(got, "evil") {
		t.Errorf("a reserved header is set:\n%s", got)
	}
}
