package load

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// errNotLoopback refuses a target on another machine.
var errNotLoopback = errors.New("not a loopback address: load tests talk to this machine only")

const defaultPort = 5060

// target is where the calls of a run go.
type target struct {
	uri  string // the Request-URI and the address of To
	addr netip.AddrPort
}

// parseTarget reads a sip URI. Its host is a loopback address or localhost, never a name to look up.
func parseTarget(uri string) (target, error) {
	rest, found := strings.CutPrefix(uri, "sip:")
	if !found {
		return target{}, fmt.Errorf("target %q: must be a sip URI", uri)
	}
	if hasControls(uri) || strings.ContainsAny(uri, " <>\"") {
		return target{}, fmt.Errorf("target %q: contains a character which a URI cannot hold", uri)
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	if end := strings.IndexAny(rest, ";?"); end >= 0 {
		rest = rest[:end]
	}
	addr, err := parseHostPort(rest)
	if err != nil {
		return target{}, fmt.Errorf("target %q: %w", uri, err)
	}
	return target{uri: uri, addr: addr}, nil
}

// parseHostPort reads host, host:port, [v6] or [v6]:port.
func parseHostPort(s string) (netip.AddrPort, error) {
	host, port := s, uint64(defaultPort)
	if colon := strings.LastIndexByte(s, ':'); colon > strings.LastIndexByte(s, ']') {
		var err error
		if port, err = strconv.ParseUint(s[colon+1:], 10, 16); err != nil || port == 0 {
			return netip.AddrPort{}, fmt.Errorf("port %q: must be 1 to 65535", s[colon+1:])
		}
		host = s[:colon]
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("host %q: must be a loopback address", host)
	}
	if ip = ip.Unmap(); !ip.IsLoopback() {
		return netip.AddrPort{}, errNotLoopback
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

// parseAnswer reads the address at which calls are answered, udp:// with a loopback host and a port.
func parseAnswer(s string) (netip.AddrPort, error) {
	rest, found := strings.CutPrefix(s, "udp://")
	if !found {
		return netip.AddrPort{}, fmt.Errorf("answer %q: must be udp://HOST:PORT", s)
	}
	addr, err := parseHostPort(rest)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("answer %q: %w", s, err)
	}
	return addr, nil
}
