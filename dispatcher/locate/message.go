package locate

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

var (
	// errRefused: a name server answered that it has no answer.
	errRefused = errors.New("name server refused")
	errAliases = errors.New("too many aliases")
)

// A lifetime bounds how long an answer is kept, whatever its TTL says.
type lifetime struct {
	least, most time.Duration // of records
	negative    time.Duration // most for the word that there are none
}

// A reading is what one reply says: the records, and for how long, or the name
// under which to ask on.
type reading struct {
	answer
	ttl   time.Duration
	alias string
}

// query makes the message that asks a question. It offers a size of UDP reply
// that no path must fragment (RFC 6891, DNS flag day 2020).
func query(q question) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(q.name+".", uint16(q.kind))
	m.SetEdns0(offeredSize, false)
	return m
}

const offeredSize = 1232

// isReply tells whether m answers asked. The library does not compare questions.
func isReply(asked, m *dns.Msg) bool {
	return m.Response && m.Id == asked.Id && m.Opcode == dns.OpcodeQuery && len(m.Question) == 1 &&
		m.Question[0].Qtype == asked.Question[0].Qtype && m.Question[0].Qclass == dns.ClassINET &&
		strings.EqualFold(m.Question[0].Name, asked.Question[0].Name)
}

// read takes from a reply what answers the question: records at the end of the
// chain of aliases that begins at its name, and nothing else.
func read(q question, m *dns.Msg, life lifetime) (reading, error) {
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return reading{}, fmt.Errorf("%w: %s", errRefused, rcodeText(m.Rcode))
	}
	end, seconds, err := endOfChain(q.name, m.Answer)
	if err != nil {
		return reading{}, err
	}
	var r reading
	found := false
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Class == dns.ClassINET && kind(h.Rrtype) == q.kind && sameName(h.Name, end) {
			seconds = min(seconds, clampSeconds(h.Ttl))
			found = true
			r.take(rr)
		}
	}
	r.trim()
	if found {
		r.ttl = min(max(duration(seconds), life.least), life.most)
		return r, nil
	}
	negative, sure := negativeTTL(end, m.Ns)
	switch {
	case end != q.name && m.Rcode == dns.RcodeSuccess && !sure:
		r.alias = end
		r.ttl = min(max(duration(seconds), life.least), life.most)
		return r, nil
	case !m.Authoritative && !m.RecursionAvailable:
		return r, fmt.Errorf("%w: it only refers to others", errRefused)
	}
	r.ttl = min(max(min(duration(seconds), negative), life.least), life.negative)
	return r, nil
}

// endOfChain follows CNAME records from a name, and finds the shortest of their
// TTLs in seconds.
func endOfChain(name string, records []dns.RR) (string, uint32, error) {
	seconds := uint32(1<<31 - 1)
	for range maxAlias {
		next := ""
		for _, rr := range records {
			if c, ok := rr.(*dns.CNAME); ok && c.Hdr.Class == dns.ClassINET && sameName(c.Hdr.Name, name) {
				next = c.Target
				seconds = min(seconds, clampSeconds(c.Hdr.Ttl))
				break
			}
		}
		if next == "" {
			return name, seconds, nil
		}
		canonical, ok := canonicalName(next)
		if !ok {
			return "", 0, fmt.Errorf("%w: alias to a name that no host can have", errRefused)
		}
		name = canonical
	}
	return "", 0, errAliases
}

// take keeps one record of the kind that was asked for, if it can be of use.
func (r *reading) take(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.A:
		r.takeAddr(rr.A)
	case *dns.AAAA:
		r.takeAddr(rr.AAAA)
	case *dns.SRV:
		r.takeSRV(rr)
	case *dns.NAPTR:
		to, ok := canonicalName(rr.Replacement)
		if ok && rr.Regexp == "" && len(rr.Flags) <= 1 && len(rr.Service) <= 32 {
			r.naptr = append(r.naptr, naptr{rr.Order, rr.Preference, strings.ToLower(rr.Flags), strings.ToLower(rr.Service), to})
		}
	}
}

func (r *reading) takeAddr(ip []byte) {
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return
	}
	if addr, ok = sendable(addr); ok && len(r.addrs) < maxAddrs && !slices.Contains(r.addrs, addr) {
		r.addrs = append(r.addrs, addr)
	}
}

// takeSRV keeps the target "." as empty: the service is not offered. So is one
// whose target is no name: its domain has spoken about the service.
func (r *reading) takeSRV(rr *dns.SRV) {
	target, _ := canonicalName(rr.Target)
	r.srv = append(r.srv, srv{rr.Priority, rr.Weight, rr.Port, target})
}

// trim keeps the records that would be tried first.
func (r *reading) trim() {
	slices.SortStableFunc(r.srv, func(a, b srv) int { return cmp.Compare(a.priority, b.priority) })
	slices.SortStableFunc(r.naptr, func(a, b naptr) int { return cmp.Compare(a.order, b.order) })
	r.srv = slices.Clone(r.srv[:min(len(r.srv), maxSRV)])
	r.naptr = slices.Clone(r.naptr[:min(len(r.naptr), maxNAPTR)])
}

// negativeTTL is how long the absence of records may be believed: as the zone's
// SOA says, and not at all without one (RFC 2308 §5).
func negativeTTL(name string, authority []dns.RR) (ttl time.Duration, ok bool) {
	for _, rr := range authority {
		if soa, ok := rr.(*dns.SOA); ok && dns.IsSubDomain(soa.Hdr.Name, name+".") {
			return duration(min(clampSeconds(soa.Hdr.Ttl), clampSeconds(soa.Minttl))), true
		}
	}
	return 0, false
}

// clampSeconds reads a TTL: with the highest bit set it is 0 (RFC 2181 §8).
func clampSeconds(ttl uint32) uint32 {
	if ttl > 1<<31-1 {
		return 0
	}
	return ttl
}

func duration(seconds uint32) time.Duration { return time.Duration(seconds) * time.Second }

// sameName compares a name from the wire with a canonical one.
func sameName(wire, name string) bool {
	return strings.EqualFold(strings.TrimSuffix(wire, "."), name)
}

func rcodeText(rcode int) string {
	if text, ok := dns.RcodeToString[rcode]; ok {
		return text
	}
	return fmt.Sprintf("code %d", rcode)
}
