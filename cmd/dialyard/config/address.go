package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Listen is one socket of the SIP front.
type Listen struct {
	Transport string // udp, tcp, tls, ws or wss
	Address   string // host:port, as net.Listen takes it; the host may be empty
}

// String is the URL that the configuration has.
func (l Listen) String() string { return l.Transport + "://" + l.Address }

// sipPorts holds the transports and the port of a URL that names none; 0 means
// that it must name one.
var sipPorts = map[string]string{"udp": "5060", "tcp": "5060", "tls": "5061", "ws": "", "wss": ""}

var listenKind = kind[Listen]{
	want:  "a URL such as udp://127.0.0.1:5060, with udp, tcp, tls, ws or wss",
	parse: parseListen,
	text:  Listen.String,
}

func parseListen(text string) (Listen, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Listen{}, errForm
	}
	port, known := sipPorts[u.Scheme]
	if u.Port() != "" {
		port = u.Port()
	}
	address := net.JoinHostPort(u.Hostname(), port)
	l := Listen{Transport: u.Scheme, Address: address}
	if !known || port == "" || (*u != url.URL{Scheme: u.Scheme, Host: u.Host}) || !isSocket(address) {
		return Listen{}, errForm
	}
	return l, nil
}

// socketKind is an address to listen on, such as :8060.
var socketKind = kind[string]{
	want: "host:port, such as 127.0.0.1:8060",
	parse: func(text string) (string, error) {
		if !isSocket(text) {
			return "", errForm
		}
		return text, nil
	},
	text: func(address string) string { return address },
}

func isSocket(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || (host != "" && !isHost(host)) {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// HostPort names a host as peers see it. Port 0 means none is named.
type HostPort struct {
	Host string // a name, an IPv4 address, or an IPv6 address without brackets
	Port uint16
}

// String is HOST or HOST:PORT, with an IPv6 address in brackets; empty for the
// zero HostPort.
func (h HostPort) String() string {
	if h.Port != 0 {
		return net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port)))
	}
	if strings.Contains(h.Host, ":") {
		return "[" + h.Host + "]"
	}
	return h.Host
}

var hostPortKind = optional(kind[HostPort]{
	want:  "a host, or host:port, such as sip.example.net:5060",
	parse: parseHostPort,
	text:  HostPort.String,
})

func parseHostPort(text string) (HostPort, error) {
	host := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if isHost(host) && (text == host || strings.Contains(host, ":")) {
		return HostPort{Host: host}, nil
	}
	host, digits, err := net.SplitHostPort(text)
	if err != nil || !isHost(host) {
		return HostPort{}, errForm
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 {
		return HostPort{}, errForm
	}
	return HostPort{Host: host, Port: uint16(port)}, nil
}

// nameserverKind is the address of a name server, at port 53 unless it says
// another.
var nameserverKind = kind[HostPort]{
	want: "a host, or host:port, such as 192.0.2.53",
	parse: func(text string) (HostPort, error) {
		h, err := parseHostPort(text)
		if h.Port == 0 {
			h.Port = 53
		}
		return h, err
	},
	text: HostPort.String,
}

var hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*\.?$`)

// isHost takes a name or an address; zones of IPv6 are local and not taken.
func isHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == ""
	}
	return len(host) <= 253 && hostName.MatchString(host)
}

// prefixKind takes a CIDR, or one address for itself alone.
var prefixKind = kind[netip.Prefix]{
	want:  "a CIDR such as 192.0.2.0/24",
	parse: parsePrefix,
	text:  netip.Prefix.String,
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix.Addr().Is4In6() {
		return netip.Prefix{}, errForm
	}
	if whole := prefix.Masked(); whole != prefix {
		return netip.Prefix{}, formError("bits are set beyond the mask, perhaps meant is " + whole.String())
	}
	return prefix, nil
}
