package broker

import (
	"net/netip"
	"strings"
	"testing"
)

// TestIsPublic: which addresses are, and those that are dressed as others.
func TestIsPublic(t *testing.T) {
	public := `1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 172.15.255.255
		172.32.0.0 192.0.1.0 192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::1111 2a00::1 2001:200::1
		2003::1 ::ffff:1.1.1.1 64:ff9b::1.1.1.1`
	private := `0.0.0.0 0.1.2.3 10.0.0.0 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.255
		168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
		198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
		:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1
		64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::10.0.0.1
		2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 2002:7f00:1::1 2002:0a00:1:: 3fff::1 100::1 5f00::1
		fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 4000::1`
	for _, text := range strings.Fields(public) {
		if !nothing.allowsAddr(netip.MustParseAddr(text), nil) {
			t.Errorf("%s is not public", text)
		}
	}
	for _, text := range strings.Fields(private) {
		if nothing.allowsAddr(netip.MustParseAddr(text), nil) {
			t.Errorf("%s is public", text)
		}
	}
	if nothing.allowsAddr(netip.Addr{}, nil) {
		t.Error("no address is public")
	}
}

// TestNetworks: what an account may reach besides, and what nobody may.
func TestNetworks(t *testing.T) {
	p := &Policy{Networks: prefixes("10.1.0.0/16", "fd00::/8")}
	refused := prefixes("10.1.9.0/24", "8.8.0.0/16")
	for text, want := range map[string]bool{
		"10.1.0.1": true, "::ffff:10.1.0.1": true, "fd12::1": true, "1.1.1.1": true,
		"10.2.0.1": false, "10.1.9.1": false, "8.8.8.8": false, "::ffff:8.8.8.8": false, "64:ff9b::8.8.8.8": false, "127.0.0.1": false,
	} {
		if got := p.allowsAddr(netip.MustParseAddr(text), refused); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestHosts: which URLs an entry allows. Those after the bar it does not.
func TestHosts(t *testing.T) {
	tests := map[string]string{
		"api.example.net":      "http://api.example.net/ https://API.Example.NET./ http://api.example.net:80 https://api.example.net:443 | http://api.example.net:443 https://api.example.net:80 http://api.example.net:8080 http://x.api.example.net http://example.net http://api.example.net.evil.test http://evilapi.example.net",
		"api.example.net:8080": "http://api.example.net:8080 https://api.example.net:8080 | http://api.example.net",
		"API.example.net.:*":   "http://api.example.net:1 https://api.example.net:65535 http://api.example.net",
		"*.example.net":        "http://a.example.net http://a.b.example.net | http://example.net http://aexample.net http://a.example.net.evil.test http://a.example.net:81",
		"*.example.net:81":     "http://a.example.net:81 | http://a.example.net",
		"192.0.2.1":            "http://192.0.2.1 http://[::ffff:192.0.2.1] | http://192.0.2.10 http://1.192.0.2.1.test",
		"[2001:db8::1]:8443":   "https://[2001:db8:0::1]:8443 | https://[2001:db8::1] https://[2001:db8::2]:8443",
		"2001:db8::1":          "https://[2001:db8::1] | https://[2001:db8::1]:8443",
		"*":                    "http://a.test https://b.test http://192.0.2.1 | http://a.test:22 http://a.test:8080",
		"*:8080":               "http://a.test:8080 | http://a.test",
	}
	for entry, urls := range tests {
		p := &Policy{Hosts: hosts(t, entry)}
		want := true
		for _, url := range strings.Fields(urls) {
			if url == "|" {
				want = false
				continue
			}
			to, ok := parseTarget(url)
			if !ok {
				t.Errorf("%s is no URL", url)
			} else if got := p.allowsHost(to); got != want {
				t.Errorf("%s for %s: %v", entry, url, got)
			}
		}
	}
	to, _ := parseTarget("http://a.test")
	if (&Policy{Hosts: make([]Host, 1)}).allowsHost(to) || nothing.allowsHost(to) {
		t.Error("an empty entry allows something")
	}
}

// TestHostErrors: entries that somebody mistyped.
func TestHostErrors(t *testing.T) {
	for _, text := range strings.Fields("a..b .a a: a:0 a:65536 a:-1 a:b *a.test a.*.test *.* ** *.192.0.2.1 [::1 ::1] [::1]:x http://a.test a/b a_b@c fe80::1%eth0 127.1 0x7f.1 a.0xff -a.test a-.test ü.test :80") {
		if h, err := ParseHost(text); err == nil {
			t.Errorf("%q is read as %+v", text, h)
		}
	}
	if _, err := ParseHost(""); err == nil {
		t.Error("an empty entry is read")
	}
	if _, err := ParseHost(strings.Repeat("a.", 127) + "b"); err == nil {
		t.Error("a long entry is read")
	}
}

// TestTarget: what a URL becomes on the wire, "-" for what is none.
func TestTarget(t *testing.T) {
	tests := map[string]string{
		"http://A.test":                  "http://a.test",
		"https://a.test.:443/x#y":        "https://a.test/x",
		"http://a.test:8080/%2e%2F?a&b=": "http://a.test:8080/%2e%2F?a&b=",
		"http://[::FFFF:192.0.2.1]/":     "http://192.0.2.1/",
		"http://[2001:DB8::1]:81/":       "http://[2001:db8::1]:81/",
		"http://[2001:db8::1]":           "http://[2001:db8::1]",
		"http://a.test?":                 "http://a.test?",
		"HTTP://a.test/":                 "http://a.test/",
		"http://a.test:/":                "http://a.test/",
	}
	for _, bad := range []string{"", "a.test", "//a.test", "/x", "http:a.test", "http:///x", "ftp://a.test", "file:///etc/passwd", "http://u@a.test", "http://u:p@a.test",
		"http://@a.test", "http://a.test:0", "http://a.test:65536", "http://a.test:x", "http://a b.test", "http://a.test/ HTTP/1.1", "http://a.test/\r\nX: y", "http://a.test/?\n",
		"http://a.test\\@b.test", "http://a.test/\\", "http://127.1", "http://0x7f000001", "http://2130706433", "http://0177.0.0.1", "http://[fe80::1%25eth0]/", "http://a%2etest", "http://ü.test",
		"http://a.test/ü", "http://..", "http://" + strings.Repeat("a", 64) + ".test", "http://a.test/" + strings.Repeat("x", maxURL), "http://[::1", "http://a.test\x00", "http://*", "http://*.test"} {
		tests[bad] = "-"
	}
	for text, want := range tests {
		got := "-"
		if to, ok := parseTarget(text); ok {
			got = to.url.String()
		}
		if got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
