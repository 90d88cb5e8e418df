package locate

import "testing"

func TestLiteral(t *testing.T) {
	for _, row := range []struct {
		target Target
		want   string // "" = no literal
	}{
		{Target{Host: "192.0.2.1"}, "udp:192.0.2.1:5060"},
		{Target{Host: "192.0.2.1", Port: 5070, Transport: "TCP"}, "tcp:192.0.2.1:5070"},
		{Target{Host: "192.0.2.1", Transport: "tls"}, "tls:192.0.2.1:5061"},
		{Target{Host: "192.0.2.1", Secure: true}, "tls:192.0.2.1:5061"},
		{Target{Host: "192.0.2.1", Secure: true, Transport: "tcp", Port: 5060}, "tls:192.0.2.1:5060"},
		{Target{Host: "192.0.2.1", Secure: true, Transport: "udp"}, ""},
		{Target{Host: "192.0.2.1", Transport: "sctp"}, ""},
		{Target{Host: "[2001:db8::1]", Port: 5070}, "udp:[2001:db8::1]:5070"},
		{Target{Host: "2001:db8::1"}, "udp:[2001:db8::1]:5060"},
		{Target{Host: "[::ffff:127.0.0.1]"}, "udp:127.0.0.1:5060"},
		{Target{Host: "[192.0.2.1]"}, ""},
		{Target{Host: "[fe80::1%eth0]"}, ""},
		{Target{Host: "0.0.0.0"}, ""},
		{Target{Host: "255.255.255.255"}, ""},
		{Target{Host: "224.0.1.75"}, ""},
		{Target{Host: "::"}, ""},
		{Target{Host: "127.1"}, ""},
		{Target{Host: "0177.0.0.1"}, ""},
		{Target{Host: "2130706433"}, ""},
		{Target{Host: "a.test"}, ""},
		{Target{Host: "localhost"}, ""},
		{Target{}, ""},
	} {
		hop, ok := Literal(row.target)
		got := ""
		if ok {
			got = show([]Hop{hop})
		}
		if got != row.want {
			t.Errorf("%+v: %q, want %q", row.target, got, row.want)
		}
	}
}
