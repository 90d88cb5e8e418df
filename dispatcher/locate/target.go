package locate

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Errors of [Resolver.Lookup]; each wraps exactly one of these.
var (
	// ErrNoSuchHost: the name servers say that there is nothing to send to. No
	// such name, no address, or a service that is declared not to be offered.
	ErrNoSuchHost = errors.New("no such host")
	// ErrNoTransport: the request cannot be sent by a transport that we speak,
	// such as SIPS without TLS, SIPS over UDP, or ;transport=sctp.
	ErrNoTransport = errors.New("transport not supported")
	// ErrTemporary: no answer was to be had now; it may be different later.
	ErrTemporary = errors.New("no answer from the name servers")
)

const (
	udp = "udp"
	tcp = "tcp"
	tls = "tls"
)

// A Target is the part of a SIP or SIPS URI that says where it leads.
type Target struct {
	Secure    bool   // a SIPS URI
	Host      string // name, IPv4 or IPv6 address, the last with or without brackets
	Port      uint16 // 0 = none given
	Transport string // the ;transport= parameter, "" = none given
}

// A Hop is one address to try.
type Hop struct {
	Transport string // "udp", "tcp" or "tls"
	Addr      netip.AddrPort
	// Name is the host that was looked for: what a TLS certificate must be made
	// out to. It is not the SRV target, which a forged answer could choose
	// (RFC 5922 §4).
	Name string
}

// Literal finds the hop of a target whose host is an IP address. It is false for
// a name, for an address that no request can be sent to, and for a transport
// that no Hop can have. Without a ;transport= it is UDP, or TLS for SIPS: TCP is
// never guessed (RFC 3263 §4.1).
func Literal(t Target) (Hop, bool) {
	addr, ok := literal(t.Host)
	if !ok {
		return Hop{}, false
	}
	t, err := t.canonicalTransport()
	if err != nil {
		return Hop{}, false
	}
	return t.hop(addr), true
}

// hop is the way to one address of a target that is not looked for by SRV.
func (t Target) hop(addr netip.Addr) Hop {
	transport := t.defaultTransport()
	port := t.Port
	if port == 0 {
		port = defaultPort(transport)
	}
	return Hop{Transport: transport, Addr: netip.AddrPortFrom(addr, port), Name: unbracketed(t.Host)}
}

func literal(host string) (netip.Addr, bool) {
	if host == "" || host[0] != '[' && (host[0] < '0' || host[0] > '9') && strings.IndexByte(host, ':') < 0 {
		return netip.Addr{}, false // a name: do not pay for ParseAddr's error
	}
	inner := unbracketed(host)
	addr, err := netip.ParseAddr(inner)
	if err != nil || addr.Zone() != "" || addr.Is4() && inner != host {
		return netip.Addr{}, false
	}
	return sendable(addr)
}

// sendable takes IPv4 out of its IPv6 dress, so that nobody who checks addresses
// later is led past the check, and refuses what is no unicast address.
func sendable(addr netip.Addr) (netip.Addr, bool) {
	addr = addr.Unmap()
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || addr == broadcast {
		return netip.Addr{}, false
	}
	return addr, true
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func unbracketed(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// canonical is the form under which a target is kept and compared. The host is
// an address or a name in lower case without a dot at its end.
func (t Target) canonical() (Target, error) {
	t, err := t.canonicalTransport()
	if err != nil {
		return t, err
	}
	if _, ok := literal(t.Host); ok {
		return t, nil
	}
	name, ok := canonicalName(t.Host)
	if !ok {
		return t, fmt.Errorf("%w: %.80q is no host name", ErrNoSuchHost, t.Host)
	}
	t.Host = name
	return t, nil
}

func (t Target) canonicalTransport() (Target, error) {
	switch {
	case t.Transport == "":
	case strings.EqualFold(t.Transport, udp) && !t.Secure:
		t.Transport = udp
	case strings.EqualFold(t.Transport, tcp) && !t.Secure:
		t.Transport = tcp
	// sips:...;transport=tcp is TLS over TCP (RFC 3261 §26.2.2).
	case strings.EqualFold(t.Transport, tls), strings.EqualFold(t.Transport, tcp):
		t.Transport = tls
	default:
		return t, fmt.Errorf("%w: %.20q", ErrNoTransport, t.Transport)
	}
	return t, nil
}

// defaultTransport is for a target that names none and has no SRV records.
func (t Target) defaultTransport() string {
	switch {
	case t.Transport != "":
		return t.Transport
	case t.Secure:
		return tls
	}
	return udp
}

func defaultPort(transport string) uint16 {
	if transport == tls {
		return 5061
	}
	return 5060
}

// canonicalName checks a domain name and folds it to lower case without its last
// dot. Underscores pass: SRV names begin with them. A name that ends in a number
// does not: it is a mistyped address, and some would read it as one.
func canonicalName(name string) (string, bool) {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return "", false
	}
	label, digits, upper := 0, 0, false
	for i := range len(name) {
		c := name[i]
		label++
		switch {
		case c == '.':
			if label == 1 {
				return "", false
			}
			label, digits = 0, 0
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			upper = true
		case (c < 'a' || c > 'z') && c != '-' && c != '_':
			return "", false
		}
		if label > 63 {
			return "", false
		}
	}
	if label == 0 || label == digits {
		return "", false
	}
	if upper {
		name = strings.ToLower(name)
	}
	return name, true
}

// isLocalhost: localhost is this machine whatever a name server says
// (RFC 6761 §6.3).
func isLocalhost(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
