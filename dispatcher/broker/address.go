package broker

import (
	"net/netip"
	"slices"
)

// special are the networks among unicast addresses that are not the public
// Internet, or lead around the rules (IANA special-purpose registries, RFC 6890).
var special = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // carrier-grade NAT; metadata services
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // a cloud's host agent, on a public address
	"169.254.0.0/16",   // link-local; metadata services
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments; metadata services
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, broadcast
	"2001::/23",        // protocol assignments; Teredo, which wraps IPv4
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4, which wraps IPv4
	"3fff::/20",        // documentation
)

var (
	// global is all of IPv6 that is handed out as public: not loopback, ::/96,
	// unique local (fc00::/7), link-local (fe80::/10) or multicast (ff00::/8).
	global = netip.MustParsePrefix("2000::/3")
	// nat64 wraps an IPv4 address in its last 32 bits (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// bare is the address that a packet to addr ends at: the IPv4 address, if it is
// wrapped.
func bare(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if nat64.Contains(addr) {
		bytes := addr.As16()
		addr = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	return addr
}

// isPublic tells whether a bare address is on the public Internet.
func isPublic(addr netip.Addr) bool {
	if !addr.IsValid() || addr.Zone() != "" || addr.Is6() && !global.Contains(addr) {
		return false
	}
	return !slices.ContainsFunc(special, func(network netip.Prefix) bool { return network.Contains(addr) })
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}
