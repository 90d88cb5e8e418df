package broker

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Host is one entry of an allow-list. The zero value matches nothing.
//
//	api.example.net         that name, on the port of the scheme: 80 or 443
//	api.example.net:8080    on that port only
//	api.example.net:*       on any port
//	*.example.net           every name below, not example.net itself
//	192.0.2.1, [2001:db8::1]:8443
//	*                       every host
type Host struct {
	name  string // a name or an address in its usual form; empty for every host
	below bool   // the names below name
	valid bool
	port  uint16 // 0 for that of the scheme
	ports bool   // all
}

// ParseHost reads an entry of an allow-list.
func ParseHost(text string) (Host, error) {
	h := Host{valid: true}
	name, port, err := splitHostPort(text)
	if err != nil {
		return Host{}, fmt.Errorf("host %q: %w", text, err)
	}
	switch n, err := strconv.ParseUint(port, 10, 16); {
	case port == "*":
		h.ports = true
	case port == "":
	case err != nil || n == 0:
		return Host{}, fmt.Errorf("host %q: port is not 1 to 65535", text)
	default:
		h.port = uint16(n)
	}
	if name == "*" {
		return h, nil
	}
	name, h.below = strings.CutPrefix(name, "*.")
	var ok bool
	if h.name, ok = canonicalHost(name); !ok {
		return Host{}, fmt.Errorf("host %q: not a name, an address, *.name or *", text)
	}
	if _, err := netip.ParseAddr(h.name); err == nil && h.below {
		return Host{}, fmt.Errorf("host %q: nothing is below an address", text)
	}
	return h, nil
}

// splitHostPort cuts an entry at the colon before its port. An IPv6 address needs
// brackets if a port follows.
func splitHostPort(text string) (name, port string, err error) {
	if _, err := netip.ParseAddr(text); err == nil {
		return text, "", nil
	}
	colon := strings.LastIndexByte(text, ':')
	if colon > strings.LastIndexByte(text, ']') {
		if port = text[colon+1:]; port == "" {
			return "", "", fmt.Errorf("no port after the colon")
		}
		text = text[:colon]
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if text, ok = strings.CutSuffix(inner, "]"); !ok {
			return "", "", fmt.Errorf("no closing bracket")
		}
	}
	return text, port, nil
}

func (h Host) matches(t *target) bool {
	switch {
	case !h.valid:
		return false
	case !h.ports && t.port != h.port && (h.port != 0 || t.port != t.schemePort()):
		return false
	case h.name == "":
		return true
	case h.below:
		return strings.HasSuffix(t.host, "."+h.name)
	}
	return t.host == h.name
}

// canonicalHost brings a host into the one form in which hosts are compared, looked
// up and sent: a name in lower case without a final dot, or an address, never IPv4
// dressed as IPv6. A name whose last label is a number would be read as an address
// by some ("127.1", "0x7f.1") and is none.
func canonicalHost(text string) (string, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap().String(), addr.Zone() == ""
	}
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	if len(name) == 0 || len(name) > 253 {
		return "", false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label, "-_") || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
		last = label
	}
	return name, !isNumber(last)
}

// isLabel tells whether s is 1 to 63 lower-case letters, digits and others.
func isLabel(s, others string) bool {
	if len(s) == 0 || len(s) > 63 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

func isNumber(label string) bool {
	if strings.Trim(label, "0123456789") == "" {
		return true
	}
	hex, ok := strings.CutPrefix(label, "0x")
	return ok && strings.Trim(hex, "0123456789abcdef") == ""
}
