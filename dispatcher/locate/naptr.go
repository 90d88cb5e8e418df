package locate

import (
	"cmp"
	"slices"
)

// A service is one way to reach a domain: by which transport, and the name that
// says where.
type service struct {
	transport string
	name      string
	isHost    bool // name is a host; else it owns SRV records
}

// choose picks the services of NAPTR records in the order to try them. Once one
// of an order is usable, those of a higher order must not be looked at (RFC 3403
// §4.1); preference decides within it.
func choose(records []naptr, usable func(transport string) bool) []service {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b naptr) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.preference, b.preference))
	})
	var chosen []service
	order := uint16(0)
	for _, r := range sorted {
		transport := naptrTransport[r.service]
		if transport == "" || !usable(transport) || r.flags != "s" && r.flags != "a" {
			continue
		}
		if len(chosen) > 0 && r.order != order {
			break
		}
		order = r.order
		s := service{transport: transport, name: r.to, isHost: r.flags == "a"}
		if !slices.Contains(chosen, s) && len(chosen) < maxServices {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// maxServices bounds what one NAPTR answer can make us ask for.
const maxServices = 6

// naptrTransport holds the services of RFC 3263 §4.1 that a Hop can have.
var naptrTransport = map[string]string{
	"sip+d2u":  udp,
	"sip+d2t":  tcp,
	"sips+d2t": tls,
}

// srvName is where the SRV records of a transport stand (RFC 3263 §4.1).
func srvName(transport, host string) string {
	switch transport {
	case udp:
		return "_sip._udp." + host
	case tcp:
		return "_sip._tcp." + host
	}
	return "_sips._tcp." + host
}
