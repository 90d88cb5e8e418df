package broker

import (
	"cmp"
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"dialyard/proto"
)

// A question is what the DNS is asked.
type question struct {
	name string // lower case, without the final dot
	kind uint16
}

// recordTypes are those that a script may ask for.
var recordTypes = map[string]uint16{
	"A": dns.TypeA, "AAAA": dns.TypeAAAA, "CNAME": dns.TypeCNAME, "MX": dns.TypeMX,
	"NAPTR": dns.TypeNAPTR, "PTR": dns.TypePTR, "SRV": dns.TypeSRV, "TXT": dns.TypeTXT,
}

// Bounds of the lookups.
const (
	serverTime    = time.Second // for one name server to answer one question
	rounds        = 2           // through all name servers
	maxAddresses  = 8           // of a host that are tried
	rereadServers = 10 * time.Second
)

// names asks the name servers and keeps their answers for a while.
type names struct {
	given []string // as ADDR or ADDR:PORT; empty for those of this machine

	mu      sync.Mutex // guards the rest; never held while a name server is asked
	cache   answerCache
	servers []string  // to ask
	readAt  time.Time // when
}

// lookup answers a script's question.
func (b *Broker) lookup(ctx context.Context, q question) (*proto.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	records, err := b.resolve(ctx, q)
	if err != nil {
		return nil, err
	}
	return &proto.Answer{Is: &proto.Answer_Found{Found: &proto.Found{Records: records}}}, nil
}

// resolve answers a question from the cache, or asks and keeps the answer. The
// records are the caller's.
func (b *Broker) resolve(ctx context.Context, q question) ([]*proto.DNSRecord, error) {
	n := &b.names
	n.mu.Lock()
	kept, ok := n.cache.get(time.Now(), q)
	n.mu.Unlock()
	if ok {
		b.Stats.Recalled.Add(1)
		return kept.aged(time.Now()), kept.err
	}
	got := b.inquire(ctx, n.toAsk(time.Now()), q)
	got.at = time.Now()
	n.mu.Lock()
	n.cache.put(got.at, q, got)
	n.mu.Unlock()
	return got.aged(got.at), got.err
}

// inquire asks the name servers in turn until one answers.
func (b *Broker) inquire(ctx context.Context, servers []string, q question) reading {
	err := error(Refusal{Outcome: Unreachable})
	for range rounds {
		for _, server := range servers {
			b.Stats.Questions.Add(1)
			m, failure := exchange(ctx, server, q)
			if failure == nil {
				var got reading
				if got, failure = read(q, m); failure == nil {
					return got
				}
			}
			if err = wordsFor(ctx, failure); ctx.Err() != nil {
				return reading{err: err} // not kept: it says nothing about the name
			}
		}
	}
	return reading{err: err, keep: failureKept}
}

// toAsk are the name servers, each with a port. Those of this machine may change
// while it runs.
func (n *names) toAsk(now time.Time) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.readAt.IsZero() && (len(n.given) > 0 || now.Sub(n.readAt) < rereadServers) {
		return n.servers
	}
	n.readAt = now
	if len(n.given) > 0 {
		n.servers = withPorts(n.given, "53")
	} else if c, err := dns.ClientConfigFromFile("/etc/resolv.conf"); err == nil {
		n.servers = withPorts(c.Servers, c.Port)
	}
	return n.servers
}

func withPorts(servers []string, port string) []string {
	var list []string
	for _, server := range servers {
		if addr, err := netip.ParseAddr(server); err == nil {
			server = joinPort(addr, port)
		}
		list = append(list, server)
	}
	return list
}

// addresses are those of a host, IPv4 and IPv6 in turn: a machine with only one of
// them fails at once on the other.
func (b *Broker) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 §6.3
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	var (
		records [2][]*proto.DNSRecord
		errs    [2]error
		wait    sync.WaitGroup
	)
	for i, kind := range [2]uint16{dns.TypeA, dns.TypeAAAA} {
		wait.Go(func() { records[i], errs[i] = b.resolve(ctx, question{host, kind}) })
	}
	wait.Wait()
	var list []netip.Addr
	for i := 0; i < max(len(records[0]), len(records[1])) && len(list) < maxAddresses; i++ {
		for _, of := range records {
			if i < len(of) {
				if addr, err := netip.ParseAddr(of[i].Value); err == nil {
					list = append(list, addr)
				}
			}
		}
	}
	if len(list) == 0 {
		return nil, cmp.Or(errs[0], errs[1], error(Refusal{Outcome: Unreachable}))
	}
	return list, nil
}
