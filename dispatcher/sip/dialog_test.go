package sip

import (
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// answerWith is a 200 to legRequest("INVITE", "l1") with these headers besides.
func answerWith(t testing.TB, to string, headers ...string) *Message {
	t.Helper()
	text := answerText(200, "INVITE", "z9hG4bK-1", "l1", "a")
	if to != "" {
		text = strings.Replace(text, "<sip:200@gw.example.net>;tag=a", to, 1)
	}
	for _, h := range headers {
		text = strings.Replace(text, "Content-Length", h+"\r\nContent-Length", 1)
	}
	return scanned(t, text)
}

// inviteWith is inviteText with these headers in place of its Contact.
func inviteWith(t testing.TB, headers string) *Message {
	t.Helper()
	return scanned(t, altered(t, "Contact: <sip:ann@a.example.net:5070>\r\n", headers))
}

// TestAnsweredBy holds the caller's dialog, field by field.
func TestAnsweredBy(t *testing.T) {
	invite := inviteWith(t, "Contact: \"Ann\" <sip:ann@a.example.net:5070>;q=1\r\n"+
		"Record-Route: <sip:p1.example.net;lr>, \"two, or more\" <sip:p2.example.net;lr>\r\nRecord-Route: <sip:p3.example.net;lr;x=a,b>\r\n")
	d := AnsweredBy(invite, "ours")
	for name, pair := range map[string][2]string{
		"Call-ID":    {d.CallID, "c1@a.example.net"},
		"local":      {d.Local, "<sip:100@front.example.net>;tag=ours"},
		"remote":     {d.Remote, "\"Ann\" <sip:ann@example.org>;tag=from1"},
		"local tag":  {d.LocalTag, "ours"},
		"remote tag": {d.RemoteTag, "from1"},
		"target":     {d.Target, "sip:ann@a.example.net:5070"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", name, pair[0], pair[1])
		}
	}
	if d.LocalSeq != 0 || d.RemoteSeq != 7 {
		t.Errorf("CSeq %d and %d", d.LocalSeq, d.RemoteSeq)
	}
	if want := []string{"<sip:p1.example.net;lr>", "\"two, or more\" <sip:p2.example.net;lr>", "<sip:p3.example.net;lr;x=a,b>"}; !slices.Equal(d.Routes, want) {
		t.Errorf("as a UAS the route set is in order (RFC 3261 §12.1.1): %q", d.Routes)
	}
}

// TestEstablished holds a leg's dialog, field by field.
func TestEstablished(t *testing.T) {
	invite := legRequest("INVITE", "l1")
	d := Established(invite, answerWith(t, "", "Contact: <sip:200@10.0.0.2:5080;transport=tcp>",
		"Record-Route: <sip:p3.example.net;lr>,<sip:p2.example.net;lr>", "Record-Route: <sip:p1.example.net;lr>"))
	for name, pair := range map[string][2]string{
		"Call-ID":    {d.CallID, "l1"},
		"local":      {d.Local, invite.From},
		"remote":     {d.Remote, "<sip:200@gw.example.net>;tag=a"},
		"local tag":  {d.LocalTag, "own"},
		"remote tag": {d.RemoteTag, "a"},
		"target":     {d.Target, "sip:200@10.0.0.2:5080;transport=tcp"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", name, pair[0], pair[1])
		}
	}
	if d.LocalSeq != 1 || d.RemoteSeq != 0 {
		t.Errorf("CSeq %d and %d", d.LocalSeq, d.RemoteSeq)
	}
	want := []string{"<sip:p1.example.net;lr>", "<sip:p2.example.net;lr>", "<sip:p3.example.net;lr>"}
	if !slices.Equal(d.Routes, want) {
		t.Errorf("as a UAC the route set is reversed (RFC 3261 §12.1.2): %q, want %q", d.Routes, want)
	}
}

// TestDialogRequests: within a dialog the CSeq counts up, and the ACK has that of
// its INVITE.
func TestDialogRequests(t *testing.T) {
	d := AnsweredBy(inviteWith(t, "Contact: <sip:ann@a.example.net>\r\n"), "ours")
	first, ack, second := d.Request("INVITE"), d.Ack(1), d.Request("BYE")
	for _, row := range []struct {
		r      *Request
		method string
		seq    uint32
	}{{first, "INVITE", 1}, {ack, "ACK", 1}, {second, "BYE", 2}} {
		r := row.r
		if r.Method != row.method || r.Seq != row.seq || r.URI != "sip:ann@a.example.net" || r.From != d.Local || r.To != d.Remote ||
			r.CallID != d.CallID || r.Hops != MaxHops || len(r.Route) != 0 {
			t.Errorf("%+v", r)
		}
	}
	if d.NextHop() != "sip:ann@a.example.net" {
		t.Errorf("next hop %s", d.NextHop())
	}
}

// TestRoutes: a loose router leaves the Request-URI alone; a strict one becomes it,
// and the target goes to the end of the route (RFC 3261 §12.2.1.1).
func TestRoutes(t *testing.T) {
	const target = "sip:ann@a.example.net"
	for _, row := range []struct {
		name    string
		routes  []string
		uri     string
		route   []string
		nextHop string
	}{
		{"none", nil, target, nil, target},
		{"loose", []string{"<sip:p1.test;lr>", "<sip:p2.test>"}, target, []string{"<sip:p1.test;lr>", "<sip:p2.test>"}, "sip:p1.test;lr"},
		{"loose, in capitals", []string{"<sip:p1.test;LR>"}, target, []string{"<sip:p1.test;LR>"}, "sip:p1.test;LR"},
		{"loose, with a value", []string{"<sip:u@p1.test:5070;transport=tcp;lr=on>"}, target, []string{"<sip:u@p1.test:5070;transport=tcp;lr=on>"}, "sip:u@p1.test:5070;transport=tcp;lr=on"},
		{"strict", []string{"<sip:p1.test>", "<sip:p2.test;lr>"}, "sip:p1.test", []string{"<sip:p2.test;lr>", "<" + target + ">"}, "sip:p1.test"},
		{"strict alone", []string{"\"P\" <sip:p1.test;maddr=10.0.0.1>;lr"}, "sip:p1.test;maddr=10.0.0.1", []string{"<" + target + ">"}, "sip:p1.test;maddr=10.0.0.1"},
		{"lr is the user", []string{"<sip:x;lr@p1.test>"}, "sip:x;lr@p1.test", []string{"<" + target + ">"}, "sip:x;lr@p1.test"},
		{"lr is part of a name", []string{"<sip:p1.test;lrx;xlr>"}, "sip:p1.test;lrx;xlr", []string{"<" + target + ">"}, "sip:p1.test;lrx;xlr"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := Dialog{Target: target, Routes: append(make([]string, 0, 8), row.routes...)}
			r := d.Request("BYE")
			if r.URI != row.uri || !slices.Equal(r.Route, row.route) || d.NextHop() != row.nextHop {
				t.Errorf("to %s by %s, route %q", r.URI, d.NextHop(), r.Route)
			}
			d.Target = "sip:elsewhere"
			d.Request("INVITE")
			if !slices.Equal(d.Routes, row.routes) || !slices.Equal(r.Route, row.route) {
				t.Errorf("the next request has changed the dialog's routes to %q and the last one's to %q", d.Routes, r.Route)
			}
		})
	}
}

// TestUselessRoutes: a Record-Route that is no address of a SIP proxy cannot be
// visited; what goes out has a Request-URI and Routes that a peer can read.
func TestUselessRoutes(t *testing.T) {
	for _, value := range []string{
		"garbage", "<>", "<sip:>", "\"<sip:p1.test;lr>", "<sip:p1.test;lr", "<sip:a b;x>", "<sip:x SIP/2.0>", "<mailto:a@b>", "*", "<sip:p1.test;lr> junk\"",
	} {
		d := Established(legRequest("INVITE", "l1"), answerWith(t, "", "Record-Route: "+value, "Contact: <sip:200@10.0.0.2>"))
		data := d.Request("BYE").encode("udp", "front.example.net", "z9hG4bK-1")
		if m, refusal := Scan(data); refusal != nil {
			t.Errorf("%s: %v: %q", value, refusal, strings.SplitAfterN(string(data), "\r\n", 2)[0])
		} else if _, err := ParseURI(d.NextHop()); err != nil || m.URI == "" {
			t.Errorf("%s: the next hop is %q", value, d.NextHop())
		}
	}
}

// TestRoutesAreBounded: a dialog lives for hours; a peer cannot make it hold, and
// every request within it carry, tens of thousands of routes.
func TestRoutesAreBounded(t *testing.T) {
	line := "Record-Route: " + strings.TrimSuffix(strings.Repeat("<sip:p;lr>,", 700), ",") + "\r\n"
	d := AnsweredBy(inviteWith(t, strings.Repeat(line, 7)), "ours")
	if len(d.Routes) > maxHeaders {
		t.Errorf("the dialog holds %d routes", len(d.Routes))
	}
}

// TestMatches: all three of Call-ID and tags decide, in capitals and small letters
// as they are, wherever they stand.
func TestMatches(t *testing.T) {
	d := AnsweredBy(scanned(t, inviteText), "ours")
	within := func(from, to, callID string) string {
		text := requestText("BYE", "z9hG4bK-2", "a.test")
		text = strings.Replace(text, "<sip:ann@example.org>;tag=from1", from, 1)
		text = strings.Replace(text, "To: <sip:100@front.example.net>", "To: "+to, 1)
		return strings.Replace(text, "z9hG4bK-2@a.test", callID, 1)
	}
	const from, to, id = "<sip:ann@example.org>;tag=from1", "<sip:100@front.example.net>;tag=ours", "c1@a.example.net"
	for _, row := range []struct {
		name, from, to, callID string
		want                   bool
	}{
		{"as it was", from, to, id, true},
		{"other addresses", "<tel:123>;x=y;TAG=from1", "sip:other@test;Tag=ours", id, true},
		{"blanks", "<sip:ann@example.org> ; tag = from1", "<sip:x>;tag= ours ;y", id, true},
		{"another From tag", "<sip:ann@example.org>;tag=From1", to, id, false},
		{"another To tag", from, "<sip:100@front.example.net>;tag=ours2", id, false},
		{"no To tag", from, "<sip:100@front.example.net>", id, false},
		{"another Call-ID", from, to, "C1@a.example.net", false},
		{"tags the other way round", "<sip:ann@example.org>;tag=ours", "<sip:100@front.example.net>;tag=from1", id, false},
		{"To tag in the name", from, "\";tag=ours\" <sip:100@front.example.net>", id, false},
		{"To tag in the URI", from, "<sip:100@front.example.net;tag=ours>", id, false},
		{"To tag in a value", from, "<sip:100@front.example.net>;x=\";tag=ours\"", id, false},
		{"To tag behind one of the name", from, "\"a\\\";tag=x\" <sip:100@front.example.net>;tag=ours", id, true},
	} {
		if got := d.Matches(scanned(t, within(row.from, row.to, row.callID))); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// TestDialogHoldsNoMessage: the strings of a dialog are copies, so that hours of a
// call do not keep its INVITE.
func TestDialogHoldsNoMessage(t *testing.T) {
	const headers = "Record-Route: <sip:p1.example.net;lr>, <sip:p2.example.net;lr>"
	invite := inviteWith(t, "Contact: <sip:ann@a.example.net>;q=1\r\n"+headers+"\r\n")
	answer := answerWith(t, "", "Contact: <sip:200@10.0.0.2>", headers)
	for m, d := range map[*Message]Dialog{
		invite: AnsweredBy(invite, "ours"), answer: Established(legRequest("INVITE", "l1"), answer),
	} {
		begin := uintptr(unsafe.Pointer(unsafe.StringData(m.block)))
		for _, s := range append(d.Routes, d.CallID, d.Local, d.Remote, d.LocalTag, d.RemoteTag, d.Target) {
			if at := uintptr(unsafe.Pointer(unsafe.StringData(s))); at >= begin && at < begin+uintptr(len(m.block)) {
				t.Errorf("%q lies in the message", s)
			}
		}
	}
}

// TestDialogTags: the tag is the first parameter of that name behind the address.
func TestDialogTags(t *testing.T) {
	for to, tag := range map[string]string{
		"<sip:200@gw.example.net>;TAG=a":                    "a",
		"sip:200@gw.example.net;tag=a":                      "a",
		"\"x;tag=b\" <sip:200@gw.example.net>;tag=a":        "a",
		"\"x\\\";tag=b\" <sip:200@gw.example.net>;x;Tag=a":  "a",
		"<sip:200@gw.example.net;tag=b>;tag=a":              "a",
		"<sip:200@gw.example.net>;x=\";tag=b\";tag=a;tag=c": "a",
		"<sip:200@gw.example.net;tag=b>":                    "",
	} {
		d := Established(legRequest("INVITE", "l1"), answerWith(t, to))
		if d.RemoteTag != tag || d.Remote != to {
			t.Errorf("%s: remote tag %q of %s", to, d.RemoteTag, d.Remote)
		}
	}
}
