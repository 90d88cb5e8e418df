package broker

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"dialyard/proto"
)

// Bounds of an answer. Its texts are bounded by the size of a message, 64 KiB.
const (
	maxRecords = 50
	maxAliases = 8
)

// How long answers are kept.
const (
	longestKept = 5 * time.Minute
	absenceKept = time.Minute     // the most, and only if the zone's SOA says so
	failureKept = 2 * time.Second // RFC 9520 §3.2 wants at least one
)

// A reading is what one reply says, or why there is none.
type reading struct {
	records []*proto.DNSRecord // as they came; not to be changed
	bytes   int                // of their texts
	err     error
	keep    time.Duration // for how long, from at
	at      time.Time
}

// aged are copies of the records whose TTL is what is left of it.
func (r *reading) aged(now time.Time) []*proto.DNSRecord {
	var list []*proto.DNSRecord
	age := uint32(max(0, now.Sub(r.at)/time.Second))
	for _, was := range r.records {
		list = append(list, &proto.DNSRecord{
			Value: was.Value, TtlS: was.TtlS - min(age, was.TtlS), Priority: was.Priority, Weight: was.Weight, Port: was.Port,
			Flags: was.Flags, Service: was.Service, Regexp: was.Regexp,
		})
	}
	return list
}

// read takes from a reply the records that answer the question: those at the end of
// the chain of aliases that begins at its name, and nothing else.
func read(q question, m *dns.Msg) (reading, error) {
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return reading{}, Refusal{Outcome: Unreachable}
	}
	end, ttl := q.name+".", uint32(longestKept/time.Second)
	if q.kind != dns.TypeCNAME {
		end, ttl = endOfChain(end, ttl, m.Answer)
	}
	var r reading
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Class != dns.ClassINET || h.Rrtype != q.kind || !strings.EqualFold(h.Name, end) {
			continue
		}
		if record := recordOf(rr); record != nil {
			record.TtlS = secondsOf(h.Ttl)
			ttl = min(ttl, record.TtlS)
			r.records = append(r.records, record)
		}
	}
	r.trim()
	if r.keep = time.Duration(ttl) * time.Second; len(r.records) == 0 {
		r.keep = min(r.keep, absence(end, m.Ns))
	}
	return r, nil
}

// trim keeps the records that come first by their own order.
func (r *reading) trim() {
	slices.SortStableFunc(r.records, func(a, b *proto.DNSRecord) int { return cmp.Compare(a.Priority, b.Priority) })
	r.records = slices.Clone(r.records[:min(len(r.records), maxRecords)])
	for _, record := range r.records {
		r.bytes += len(record.Value) + len(record.Flags) + len(record.Service) + len(record.Regexp)
	}
}

// endOfChain follows aliases from a name, and finds the shortest of ttl and theirs.
func endOfChain(name string, ttl uint32, records []dns.RR) (string, uint32) {
	for range maxAliases {
		i := slices.IndexFunc(records, func(rr dns.RR) bool {
			_, ok := rr.(*dns.CNAME)
			return ok && rr.Header().Class == dns.ClassINET && strings.EqualFold(rr.Header().Name, name)
		})
		if i < 0 {
			break
		}
		name, ttl = records[i].(*dns.CNAME).Target, min(ttl, secondsOf(records[i].Header().Ttl))
	}
	return name, ttl
}

// absence is how long it may be believed that there are no records: as the SOA says,
// and not at all without one (RFC 2308 §5).
func absence(name string, authority []dns.RR) time.Duration {
	for _, rr := range authority {
		if soa, ok := rr.(*dns.SOA); ok && dns.IsSubDomain(soa.Hdr.Name, name) {
			return min(time.Duration(min(secondsOf(soa.Hdr.Ttl), secondsOf(soa.Minttl)))*time.Second, absenceKept)
		}
	}
	return 0
}

// secondsOf reads a TTL: with the highest bit set it is 0 (RFC 2181 §8).
func secondsOf(ttl uint32) uint32 {
	if ttl > 1<<31-1 {
		return 0
	}
	return ttl
}

// recordOf puts a record into the words of the wire, nil for one of no known type.
func recordOf(rr dns.RR) *proto.DNSRecord {
	switch rr := rr.(type) {
	case *dns.A:
		return &proto.DNSRecord{Value: rr.A.String()}
	case *dns.AAAA:
		return &proto.DNSRecord{Value: rr.AAAA.String()}
	case *dns.CNAME:
		return &proto.DNSRecord{Value: nameOf(rr.Target)}
	case *dns.PTR:
		return &proto.DNSRecord{Value: nameOf(rr.Ptr)}
	case *dns.MX:
		return &proto.DNSRecord{Value: nameOf(rr.Mx), Priority: uint32(rr.Preference)}
	case *dns.SRV:
		return &proto.DNSRecord{Value: nameOf(rr.Target), Priority: uint32(rr.Priority), Weight: uint32(rr.Weight), Port: uint32(rr.Port)}
	case *dns.TXT:
		return &proto.DNSRecord{Value: text(strings.Join(rr.Txt, ""))}
	case *dns.NAPTR:
		return &proto.DNSRecord{
			Value: nameOf(rr.Replacement), Priority: uint32(rr.Order), Weight: uint32(rr.Preference),
			Flags: text(rr.Flags), Service: text(rr.Service), Regexp: text(rr.Regexp),
		}
	}
	return nil
}

// nameOf is a name without its final dot; the root stays ".".
func nameOf(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// text undoes the escapes in which the library hands out character strings, \DDD and
// \X (RFC 1035 §5.1). Text on the wire is UTF-8.
func text(escaped string) string {
	if strings.IndexByte(escaped, '\\') < 0 {
		return strings.ToValidUTF8(escaped, "\ufffd")
	}
	var b strings.Builder
	for i := 0; i < len(escaped); i++ {
		c := escaped[i]
		if c == '\\' && i+1 < len(escaped) {
			i++
			if c = escaped[i]; i+2 < len(escaped) && isDigits(escaped[i:i+3]) {
				c = (c-'0')*100 + (escaped[i+1]-'0')*10 + escaped[i+2] - '0'
				i += 2
			}
		}
		b.WriteByte(c)
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
