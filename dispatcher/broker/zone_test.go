package broker

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A nameServer is a name server on loopback with the records of a zone file.
// Behaviour that records cannot express is answered by odd, which says whether it
// has dealt with the question.
type nameServer struct {
	addr  string
	odd   func(w dns.ResponseWriter, asked *dns.Msg) bool
	asked atomic.Int32
	byTCP atomic.Int32

	mu      sync.Mutex
	records []dns.RR
}

func serveNames(t testing.TB, zone string, odd func(dns.ResponseWriter, *dns.Msg) bool) *nameServer {
	t.Helper()
	s := &nameServer{odd: odd}
	s.set(t, zone)
	packets, stream := bothOf(t)
	s.addr = packets.LocalAddr().String()
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: s}, {Listener: stream, Handler: s}} {
		started, ended := make(chan struct{}), make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(ended)
			server.ActivateAndServe()
		}()
		<-started
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			server.ShutdownContext(ctx)
			<-ended
		})
	}
	return s
}

// set replaces the records.
func (s *nameServer) set(t testing.TB, zone string) {
	t.Helper()
	var records []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(zone), ".", "")
	parser.SetDefaultTTL(60)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records = append(records, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = records
}

func (s *nameServer) ServeDNS(w dns.ResponseWriter, asked *dns.Msg) {
	s.asked.Add(1)
	_, byUDP := w.RemoteAddr().(*net.UDPAddr)
	if !byUDP {
		s.byTCP.Add(1)
	}
	if s.odd != nil && s.odd(w, asked) {
		return
	}
	m := s.reply(asked)
	if byUDP {
		m.Truncate(int(asked.IsEdns0().UDPSize()))
	}
	w.WriteMsg(m)
}

// reply answers from the records, aliases first, and with an SOA if there are none.
func (s *nameServer) reply(asked *dns.Msg) *dns.Msg {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := new(dns.Msg)
	m.SetReply(asked)
	q := asked.Question[0]
	known := false
	for name := q.Name; name != ""; {
		next := ""
		for _, rr := range s.records {
			if !strings.EqualFold(rr.Header().Name, name) {
				continue
			}
			known = true
			alias, isAlias := rr.(*dns.CNAME)
			if isAlias || rr.Header().Rrtype == q.Qtype {
				m.Answer = append(m.Answer, rr)
			}
			if isAlias && q.Qtype != dns.TypeCNAME && len(m.Answer) < 20 {
				next = alias.Target
			}
		}
		name = next
	}
	if !known {
		m.Rcode = dns.RcodeNameError
	}
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: "test.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 30}, Ns: "ns.test.", Mbox: "root.test.", Minttl: 30}}
	}
	return m
}

// bothOf listens to UDP and TCP on one free port. That a port is free for one says nothing
// of the other.
func bothOf(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if stream, err := net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			return packets, stream
		}
		packets.Close()
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil, nil
}
