package config

import (
	"testing"
)

func TestSize(t *testing.T) {
	tests := []struct {
		text string
		size Size
		bad  bool
	}{
		{text: "0B"},
		{text: "150MiB", size: 150 << 20},
		{text: "3GiB", size: 3 << 30},
		{text: "1023KiB", size: 1023 << 10},
		{text: "150", bad: true},
		{text: "150MB", bad: true},
		{text: "1.5GiB", bad: true},
		{text: "-1MiB", bad: true},
		{text: "+1MiB", bad: true},
		{text: "MiB", bad: true},
		{text: "9223372036854775807GiB", bad: true},
		{text: "8589934592GiB", bad: true},
	}
	for _, tt := range tests {
		size, err := ParseSize(tt.text)
		if size != tt.size || (err != nil) != tt.bad {
			t.Errorf("%q: got %d, %v", tt.text, size, err)
		}
		if err == nil && size.String() != tt.text {
			t.Errorf("%q: written as %q", tt.text, size)
		}
	}
}

func TestListen(t *testing.T) {
	tests := []struct{ text, transport, address string }{
		{"udp://127.0.0.1:5060", "udp", "127.0.0.1:5060"},
		{"tcp://127.0.0.1", "tcp", "127.0.0.1:5060"},
		{"tls://sip.example.net", "tls", "sip.example.net:5061"},
		{"udp://:0", "udp", ":0"},
		{"udp://[::1]", "udp", "[::1]:5060"},
		{"wss://0.0.0.0:443", "wss", "0.0.0.0:443"},
		{text: "wss://0.0.0.0"},
		{text: "127.0.0.1:5060"},
		{text: "sip://127.0.0.1:5060"},
		{text: "udp://127.0.0.1:70000"},
		{text: "udp://127.0.0.1:5060/path"},
		{text: "udp://user@127.0.0.1:5060"},
		{text: "udp://127.0.0.1:5060?x=1"},
		{text: "udp://[fe80::1%25eth0]:5060"},
		{text: "udp://not a host"},
	}
	for _, tt := range tests {
		l, err := parseListen(tt.text)
		if l.Transport != tt.transport || l.Address != tt.address || (err != nil) != (tt.transport == "") {
			t.Errorf("%q: got %+v, %v", tt.text, l, err)
		}
	}
}

func TestHostPort(t *testing.T) {
	tests := []struct {
		text string
		want HostPort
	}{
		{"sip.example.net", HostPort{Host: "sip.example.net"}},
		{"192.0.2.1:5080", HostPort{"192.0.2.1", 5080}},
		{"[2001:db8::1]:5060", HostPort{"2001:db8::1", 5060}},
		{"[2001:db8::1]", HostPort{Host: "2001:db8::1"}},
		{text: "[sip.example.net]"},
		{text: "192.0.2.1:0"},
		{text: "192.0.2.1:"},
		{text: "-.example"},
		{text: "a b"},
	}
	for _, tt := range tests {
		got, err := parseHostPort(tt.text)
		if got != tt.want || (err != nil) != (tt.want == HostPort{}) {
			t.Errorf("%q: got %+v, %v", tt.text, got, err)
		}
		if err == nil && got.String() != tt.text {
			t.Errorf("%q: written as %q", tt.text, got)
		}
	}
}

// TestUserIsAnchored holds the rule that a route names the whole user part.
func TestUserIsAnchored(t *testing.T) {
	tests := []struct {
		expr, user string
		match      bool
	}{
		{"00.*", "0049", true},
		{"00", "1001", false},
		{"1|22", "22", true},
		{"1|22", "122", false},
		{"(?i)bob", "BOB", true},
		{"(?m)a", "a\nb", false},
		{"", "", true},
		{"", "x", false},
	}
	for _, tt := range tests {
		re, err := parseUser(tt.expr)
		if err != nil {
			t.Fatal(err)
		}
		if re.MatchString(tt.user) != tt.match {
			t.Errorf("%q on %q: got %v", tt.expr, tt.user, !tt.match)
		}
		if got := userKind.text(re); got != tt.expr {
			t.Errorf("%q: written as %q", tt.expr, got)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"listen", "advertise", "trusted", "dir", "cpu"}
	tests := []struct{ name, want string }{
		{"listn", "listen"},
		{"lisetn", "listen"},
		{"Listen", "listen"},
		{"advertize", "advertise"},
		{"dri", ""},
		{"di", "dir"},
		{"port", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := nearest(tt.name, names); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
