package sip

import (
	"slices"
	"strings"
	"testing"
)

// FuzzDialog builds dialogs from what a peer may answer and ask: whatever stands in
// its Contact, Record-Route and To, nothing panics, the dialog holds no control
// octet, and each request within it is one that the guard would let pass.
func FuzzDialog(f *testing.F) {
	for _, row := range []struct{ contact, routes, to string }{
		{"<sip:200@10.0.0.2>", "<sip:p1;lr>, <sip:p2;lr>", "<sip:200@x>;tag=a"},
		{"\"A, \\\"B\" <sip:a,b@x;y=\"z\">;q=1, <sip:c@[::1]:5060>", "\"P\" <sip:p1>,<sip:p2;LR>", "\"x;tag=b\" <sip:200@x>;TAG=a"},
		{"*", "<>", "sip:200@x;tag=a"},
		{"<tel:+1>, <mailto:x@y>, sip:d@", "garbage", "\"open <sip:200@x>;tag=a"},
		{"<sip:x SIP/2.0>", "<sip:x SIP/2.0>", "<sip:200@x>"},
		{"<sip:a@x?Route=%0d%0a>", "<sip:p1.test;lr", ";tag=a"},
		{"\xff<sip:\xff@\xff>", "\"\\", "<sip:200@x>;tag=\""},
	} {
		f.Add(row.contact, row.routes, row.to)
	}
	f.Fuzz(func(t *testing.T, contact, routes, to string) {
		text := answerText(200, "INVITE", "z9hG4bK-1", "l1", "")
		text = strings.Replace(text, "To: <sip:200@gw.example.net>", "To: "+to+"\r\nContact: "+contact+"\r\nRecord-Route: "+routes, 1)
		if m, refusal := Scan([]byte(text)); refusal == nil && !m.IsRequest() {
			d := Established(legRequest("INVITE", "l1"), m)
			checkDialog(t, &d)
			for _, uri := range ContactsOf(m) {
				if _, err := ParseURI(uri); err != nil || !clean(uri) {
					t.Errorf("the Contact %q", uri)
				}
			}
		}
		text = strings.Replace(inviteText, "Contact: <sip:ann@a.example.net:5070>\r\n", "Contact: "+contact+"\r\nRecord-Route: "+routes+"\r\n", 1)
		if m, refusal := Scan([]byte(text)); refusal == nil && m.ToTag() == "" {
			if d := AnsweredBy(m, "ours"); d.Target != "" { // TestInviteWithoutContact has the others
				checkDialog(t, &d)
			}
		}
	})
}

// checkDialog holds what must be true of every dialog.
func checkDialog(t *testing.T, d *Dialog) {
	t.Helper()
	for _, s := range append(slices.Clone(d.Routes), d.CallID, d.Local, d.Remote, d.LocalTag, d.RemoteTag, d.Target) {
		if !clean(s) {
			t.Errorf("the dialog holds %q", s)
		}
	}
	if _, err := ParseURI(d.NextHop()); err != nil {
		t.Errorf("the next hop is %q", d.NextHop())
	}
	data := d.Request("BYE").encode("udp", "front.example.net", "z9hG4bK-2")
	m, refusal := Scan(data)
	switch {
	case refusal != nil && (refusal.Why == "bad To" || refusal.Why == "branch, tag or Call-ID over 256 octets"):
		// The peer's own To, given back to it as it was.
	case refusal != nil && refusal.Why == "bad header line" && len(d.Remote)+len(d.Local) > maxLine/2:
	case refusal != nil:
		t.Errorf("%v:\n%s", refusal, data)
	case m.Method != "BYE" || m.count(Route) > maxHeaders || m.Get(To) != strings.Trim(d.Remote, " \t"):
		t.Errorf("another request:\n%s", data)
	}
}

// FuzzRequest: whatever stands in its fields, a request of the front's own has the
// lines it should, no control octet in them, and reads back as itself if it is one
// that the guard lets pass.
func FuzzRequest(f *testing.F) {
	f.Add("sip:200@gw.example.net", "<sip:a@x>;tag=1", "<sip:b@x>", "c1", "<sip:p1;lr>", "Subject", "hello", "v=0\r\n")
	f.Add("sip:a b", "\"A\\\"", "", "c 1", "<sip:p1;lr>,<sip:p2>", "Via", "x", "")
	for _, text := range breakouts {
		f.Add(text, text, text, text, text, "X"+text, text, text)
		f.Add("sip:200@x"+text, "<sip:a@x>;tag=1"+text, "<sip:b@x>"+text, "c1"+text, "<sip:p1>"+text, "X-Note", text, text)
	}
	f.Fuzz(func(t *testing.T, uri, from, to, callID, route, name, value, body string) {
		r := &Request{
			Method: "INVITE", URI: uri, From: from, To: to, CallID: callID, Seq: 7, Route: []string{route}, Hops: 70,
			Headers: []Field{{name, value}}, Body: body,
		}
		data := r.encode("tcp", "[::1]:5060", "z9hG4bK-1")
		lines := 9
		if !Reserved(name) {
			lines++
		}
		head, rest, _ := strings.Cut(string(data), "\r\n\r\n")
		if strings.Count(head, "\r\n")+1 != lines || rest != body {
			t.Fatalf("not %d lines:\n%s", lines, data)
		}
		for line := range strings.SplitSeq(head, "\r\n") {
			if !clean(line) {
				t.Fatalf("line %q", line)
			}
		}
		m, refusal := Scan(data)
		if refusal != nil {
			return // what it was made of is no request; it is still but one
		}
		checkMessage(t, m)
		if m.Method != "INVITE" || m.Body != body || m.Seq != 7 || m.Branch != "z9hG4bK-1" || m.SentBy != "[::1]:5060" || m.count(Via) != 1 || m.count(Route) != 1 {
			t.Errorf("another request:\n%s", data)
		}
		for n, want := range map[Name]string{From: from, To: to, CallID: callID, Route: route} {
			if clean(want) && m.Get(n) != strings.Trim(want, " \t") {
				t.Errorf("%s: %q is %q", n, want, m.Get(n))
			}
		}
	})
}
