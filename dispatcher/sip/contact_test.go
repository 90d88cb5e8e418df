package sip

import (
	"slices"
	"strings"
	"testing"
)

// TestLists: a list ends at its commas, and not at those within quotes or brackets.
func TestLists(t *testing.T) {
	for value, want := range map[string][]string{
		"<sip:a@x>":                                {"<sip:a@x>"},
		"<sip:a@x>,<sip:b@x>":                      {"<sip:a@x>", "<sip:b@x>"},
		"<sip:a@x> , \t<sip:b@x> ":                 {"<sip:a@x>", "<sip:b@x>"},
		",,<sip:a@x>,, <sip:b@x>,":                 {"<sip:a@x>", "<sip:b@x>"},
		"sip:a@x;q=1,sip:b@x":                      {"sip:a@x;q=1", "sip:b@x"},
		"<sip:a,b@x;y=z,1>;q=1,<sip:c@x>":          {"<sip:a,b@x;y=z,1>;q=1", "<sip:c@x>"},
		`"A, B" <sip:a@x>, C <sip:c@x>`:            {`"A, B" <sip:a@x>`, "C <sip:c@x>"},
		`"A \", <sip:evil@x>" <sip:a@x>,<sip:b>`:   {`"A \", <sip:evil@x>" <sip:a@x>`, "<sip:b>"},
		`"\\" <sip:a@x>,<sip:b@x>`:                 {`"\\" <sip:a@x>`, "<sip:b@x>"},
		`"<" <sip:a@x>,<sip:b@x>`:                  {`"<" <sip:a@x>`, "<sip:b@x>"},
		`<sip:a@x>;p="1,2>";q=1,<sip:b@x>`:         {`<sip:a@x>;p="1,2>";q=1`, "<sip:b@x>"},
		`<sip:a"@x>,<sip:b"@x>`:                    {`<sip:a"@x>`, `<sip:b"@x>`},
		`"open, <sip:a@x>, <sip:b@x>`:              {`"open, <sip:a@x>, <sip:b@x>`},
		"<sip:a@x,<sip:b@x>, <sip:c@x>":            {"<sip:a@x,<sip:b@x>", "<sip:c@x>"},
		"*":                                        {"*"},
		"":                                         nil,
		" , ":                                      nil,
		"<sip:a@x>\r\nX: y\r\nm: <sip:b@x>, sip:c": {"<sip:a@x>", "<sip:b@x>", "sip:c"},
	} {
		m := inviteWith(t, "Contact: "+value+"\r\n")
		if got := m.list(Contact); !slices.Equal(got, want) {
			t.Errorf("%q is the list %q, want %q", value, got, want)
		}
	}
}

// TestContact: what a dialog's requests are sent to. Without a usable one it stays as
// it was.
func TestContact(t *testing.T) {
	const before = "sip:200@gw.example.net" // the Request-URI of the INVITE
	for contact, want := range map[string]string{
		"<sip:200@10.0.0.2:5080>":                          "sip:200@10.0.0.2:5080",
		"sip:200@10.0.0.2;expires=60":                      "sip:200@10.0.0.2",
		"<sip:200@10.0.0.2;transport=tcp;ob>;expires=60":   "sip:200@10.0.0.2;transport=tcp;ob",
		"<sips:200@[2001:db8::1]:5061>":                    "sips:200@[2001:db8::1]:5061",
		"\"Two, Hundred\" <sip:200@10.0.0.2>, <sip:201@x>": "sip:200@10.0.0.2",
		"\"<sip:evil@x>\" <sip:200@10.0.0.2>":              "sip:200@10.0.0.2",
		"<sip:200@10.0.0.2?Route=%3Csip:evil%3E>":          "sip:200@10.0.0.2",
		"<sip:200@10.0.0.2>;tag=\">\"":                     "sip:200@10.0.0.2",
		"<sip:2,0,0@10.0.0.2>":                             "sip:2,0,0@10.0.0.2",
		"":                                                 before,
		"*":                                                before,
		"<sip:>":                                           before,
		"<sip:200@>":                                       before,
		"<sip:200@10.0.0.2":                                before,
		"\"open <sip:200@10.0.0.2>":                        before,
		"<sip:200@10.0.0.2 SIP/2.0>":                       before,
		"<http://10.0.0.2/>":                               before,
		"<mailto:a@b>":                                     before,
		"<urn:service:sos>":                                before,
		"<200@10.0.0.2>":                                   before,
		"<sip:200@10.0.0.2:sip>":                           before,
	} {
		d := Established(legRequest("INVITE", "l1"), answerWith(t, "", "Contact: "+contact))
		if d.Target != want {
			t.Errorf("%s: the target is %q, want %q", contact, d.Target, want)
		}
	}
	if d := Established(legRequest("INVITE", "l1"), answerWith(t, "")); d.Target != before {
		t.Errorf("without Contact the target is %q", d.Target)
	}
	if uri, err := ContactOf(answerWith(t, "")); err == nil {
		t.Errorf("without Contact there is %q", uri)
	}
}

// TestTelContact: a number names nobody a request could be sent to.
func TestTelContact(t *testing.T) {
	m := answerWith(t, "", "Contact: <tel:+12015550123>")
	if d := Established(legRequest("INVITE", "l1"), m); d.Target != "sip:200@gw.example.net" {
		t.Errorf("the target is %q", d.Target)
	}
	if uris := ContactsOf(m); len(uris) != 0 {
		t.Errorf("the call is to go on at %q", uris)
	}
}

// TestInviteWithoutContact: a caller who does not say where it is has to be refused, or
// reached where its From says: a call that nobody can hang up is none.
func TestInviteWithoutContact(t *testing.T) {
	for _, contact := range []string{"", "Contact: *\r\n", "Contact: <sip:>\r\n", "Contact: <tel:+12015550123>\r\n", "Contact:\r\n"} {
		m, refusal := Scan([]byte(altered(t, "Contact: <sip:ann@a.example.net:5070>\r\n", contact)))
		if refusal != nil {
			continue
		}
		d := AnsweredBy(m, "ours")
		if _, refusal = Scan(d.Request("BYE").encode("udp", "front.example.net", "z9hG4bK-2")); refusal != nil || d.NextHop() == "" {
			t.Errorf("%q: the BYE is %v, its next hop %q", contact, refusal, d.NextHop())
		}
	}
}

// TestRefresh: only a Contact that says something new changes the target.
func TestRefresh(t *testing.T) {
	d := Dialog{Target: "sip:200@10.0.0.2"}
	for _, row := range []struct {
		contact string
		changed bool
		target  string
	}{
		{"<sip:200@10.0.0.2>;q=1", false, "sip:200@10.0.0.2"},
		{"<sip:200@10.0.0.3>", true, "sip:200@10.0.0.3"},
		{"<sip:nothing@>", false, "sip:200@10.0.0.3"},
		{"<sip:200@10.0.0.3>", false, "sip:200@10.0.0.3"},
	} {
		if changed := d.Refresh(answerWith(t, "", "Contact: "+row.contact)); changed != row.changed || d.Target != row.target {
			t.Errorf("%s: %v, the target is %s", row.contact, changed, d.Target)
		}
	}
}

// TestContacts: a 3xx may name many; ten are enough.
func TestContacts(t *testing.T) {
	m := answerWith(t, "", "Contact: <sip:a@x>;q=0.5, <mailto:b@x>, \"C, D\" <sips:c@x>", "m: <sip:d@>, sip:e@x")
	if got, want := ContactsOf(m), []string{"sip:a@x", "sips:c@x", "sip:e@x"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	m = answerWith(t, "", "Contact: "+strings.Repeat("<sip:a@x>, ", 20))
	if got := ContactsOf(m); len(got) != 10 {
		t.Errorf("%d of 20", len(got))
	}
	if got := ContactsOf(answerWith(t, "")); got != nil {
		t.Errorf("of none: %q", got)
	}
}

func TestURIParameter(t *testing.T) {
	for _, row := range []struct {
		uri, name, value string
		ok               bool
	}{
		{"sip:x;lr", "lr", "", true},
		{"sip:x;LR", "lr", "", true},
		{"sip:u@x:5060;transport=TCP;lr", "transport", "TCP", true},
		{"sip:u@x;Transport=tcp", "transport", "tcp", true},
		{"sip:u@x;maddr=10.0.0.1?transport=udp", "maddr", "10.0.0.1", true},
		{"sip:[::1]:5060;transport=tcp", "transport", "tcp", true},
		{"sip:u@x;transport=", "transport", "", true},
		{"sip:u@x;a=b=c", "a", "b=c", true},
		{"sip:u@x;transport=udp;transport=tcp", "transport", "udp", true},
		{"tel:+1;phone-context=x", "phone-context", "x", true},
		{"sip:u@x;transport=udp?transport=tcp", "transport", "udp", true},
		{"sip:u;transport=tcp@x", "transport", "", false},
		{"sip:u;transport=tcp@x;lr", "transport", "", false},
		{"sip:u?;lr@x", "lr", "", false},
		{"sip:u@x?;transport=tcp", "transport", "", false},
		{"sip:u@x;xtransport=tcp;transportx=tcp", "transport", "", false},
		{"sip:lr@lr", "lr", "", false},
		{"", "lr", "", false},
		{"@?;", "lr", "", false},
	} {
		if value, ok := URIParameter(row.uri, row.name); value != row.value || ok != row.ok {
			t.Errorf("%s of %s: %q, %v", row.name, row.uri, value, ok)
		}
	}
}

func TestPortOf(t *testing.T) {
	for uri, want := range map[string]uint16{
		"sip:x": 0, "sip:x:5070": 5070, "sip:u@x:5070": 5070, "sip:u:5070@x": 0, "sip:u:pw@x:65535;lr": 65535,
		"sip:[::1]": 0, "sip:[::1]:5070": 5070, "sip:u@[2001:db8::5060]": 0, "sips:u@[2001:db8::1]:5061;transport=tcp": 5061,
		"sip:x;y=a:5070": 0, "sip:x?y=a:5070": 0, "sip:u?5:5@x": 0, "sip:u;p=1:2@x:5070": 5070,
		"sip:x:": 0, "sip:x:0": 0, "sip:x:65536": 0, "sip:x:-1": 0, "sip:x:+80": 0, "sip:x:5070x": 0,
		"tel:+12015550123": 0, "": 0, "sip:": 0, "[": 0,
	} {
		if got := PortOf(uri); got != want {
			t.Errorf("%s: %d, want %d", uri, got, want)
		}
	}
}
