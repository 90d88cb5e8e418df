package config

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Dial is what holds for every leg, whatever a plan asks for.
type Dial struct {
	Forbid   []netip.Prefix // of addresses no leg is sent to; compare without zone and unmapped
	Ring     time.Duration  // of one leg, at most 180 s (Timer C)
	Duration time.Duration  // of an answered call, 0 for no limit
}

const longestCall = 7 * 24 * time.Hour

// loopback and never are what no plan has business with. A front that is heard
// on its own machine only is somebody's first try or a test: its gateways are
// there as well.
const (
	loopback = "127.0.0.0/8,::1/128"
	never    = "0.0.0.0/8,::/128," + // unspecified: this machine, to most kernels
		"169.254.0.0/16,fe80::/10," + // link-local, and the metadata services of clouds
		"224.0.0.0/4,ff00::/8," + // multicast
		"255.255.255.255/32" // broadcast
)

// forbidden is the default of dial.forbid.
func forbidden(c *Config) string {
	if slices.ContainsFunc(c.SIP.Listen, func(l Listen) bool { return !l.isLoopback() }) {
		return loopback + "," + never
	}
	return never
}

// isLoopback reports whether only this machine can reach the socket.
func (l Listen) isLoopback() bool {
	host, _, _ := net.SplitHostPort(l.Address)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
	}
	return addr.Unmap().IsLoopback()
}
