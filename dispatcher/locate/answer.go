package locate

import (
	"net/netip"
	"time"
)

// kind is the type of record that is asked for, by its number on the wire.
type kind uint16

const (
	kindA     kind = 1  // RFC 1035
	kindAAAA  kind = 28 // RFC 3596
	kindSRV   kind = 33 // RFC 2782
	kindNAPTR kind = 35 // RFC 3403
)

// What is kept of one answer; a zone may hold more.
const (
	maxAddrs  = 8
	maxSRV    = 16
	maxNAPTR  = 32
	maxAlias  = 8 // CNAME steps, over all replies to one question
	maxTarget = 16
	maxHops   = 16
)

// A question is about a canonical name.
type question struct {
	name string
	kind kind
}

// An answer is what is known of a question. With no records and no err the name
// servers say that there are none. Answers are shared: nobody changes one.
type answer struct {
	addrs []netip.Addr
	srv   []srv
	naptr []naptr

	err     error     // no answer could be had
	expires time.Time // zero: must not be kept
}

// srv is one SRV record. An empty target says that the service is not offered.
type srv struct {
	priority, weight, port uint16
	target                 string
}

// naptr is one NAPTR record, its flags and service in lower case. One with a
// regular expression is not kept: RFC 3263 has no use for it.
type naptr struct {
	order, preference  uint16
	flags, service, to string
}
