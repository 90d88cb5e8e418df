package broker

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// maxURL is in bytes.
const maxURL = 2048

// A target is where a request goes. Its URL is written anew from the parts that were
// judged, so that what is sent is what was allowed.
type target struct {
	url  *url.URL // without user and fragment
	host string   // canonical
	port uint16
}

// parseTarget reads the URL of a request.
func parseTarget(text string) (*target, bool) {
	if len(text) == 0 || len(text) > maxURL {
		return nil, false
	}
	for i := range len(text) { // a space in a query would end it on the request line
		if text[i] <= ' ' || text[i] >= 0x7f || text[i] == '\\' {
			return nil, false
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" || u.User != nil || u.Host == "" {
		return nil, false
	}
	t := &target{url: &url.URL{Scheme: u.Scheme, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery}}
	var ok bool
	if t.host, ok = canonicalHost(u.Hostname()); !ok {
		return nil, false
	}
	t.port = t.schemePort()
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return nil, false
		}
		t.port = uint16(n)
	}
	t.url.Host = t.authority()
	return t, true
}

// schemePort is the port of a URL that names none.
func (t *target) schemePort() uint16 {
	if t.url.Scheme == "https" {
		return 443
	}
	return 80
}

// authority is host and port as they stand in a URL and in the Host header.
func (t *target) authority() string {
	if t.port != t.schemePort() {
		return net.JoinHostPort(t.host, strconv.Itoa(int(t.port)))
	}
	if addr, err := netip.ParseAddr(t.host); err == nil && addr.Is6() {
		return "[" + t.host + "]"
	}
	return t.host
}

// next is the target of a redirect from t.
func (t *target) next(location string) (*target, bool) {
	to, err := url.Parse(location)
	if err != nil {
		return nil, false
	}
	return parseTarget(t.url.ResolveReference(to).String())
}

// trusts tells whether what was meant for t may be sent to other as well: to the same
// host and port, or to the same host when it moves from plain HTTP to TLS.
func (t *target) trusts(other *target) bool {
	if t.host != other.host {
		return false
	}
	upgrade := t.url.Scheme == "http" && other.url.Scheme == "https" && t.port == 80 && other.port == 443
	return upgrade || t.port == other.port && t.url.Scheme == other.url.Scheme
}
