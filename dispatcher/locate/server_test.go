package locate

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A zone is a name server on loopback, authoritative for everything below test.
// Behaviour that a zone cannot express is answered by odd.
type zone struct {
	addr string
	odd  func(w dns.ResponseWriter, asked *dns.Msg) bool // true: has answered, or will not

	mu      sync.Mutex
	records []dns.RR
	asked   map[string]int // "NAPTR a.test." -> how often
	byTCP   atomic.Int32
}

// serve starts a name server with the records of a zone file.
func serve(t testing.TB, text string, odd func(dns.ResponseWriter, *dns.Msg) bool) *zone {
	t.Helper()
	z := &zone{odd: odd, asked: make(map[string]int)}
	z.set(t, text)
	packets, stream := bothOf(t)
	z.addr = packets.LocalAddr().String()
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: z}, {Listener: stream, Handler: z}} {
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
	return z
}

// set replaces the records.
func (z *zone) set(t testing.TB, text string) {
	t.Helper()
	var records []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(text), ".", "")
	parser.SetDefaultTTL(60)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records = append(records, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records = records
}

func (z *zone) ServeDNS(w dns.ResponseWriter, asked *dns.Msg) {
	q := asked.Question[0]
	_, isUDP := w.RemoteAddr().(*net.UDPAddr)
	z.mu.Lock()
	z.asked[dns.TypeToString[q.Qtype]+" "+q.Name]++
	if !isUDP {
		z.byTCP.Add(1)
	}
	m := reply(asked)
	known := false
	for name := q.Name; name != ""; {
		next := ""
		for _, rr := range z.records {
			if !strings.EqualFold(rr.Header().Name, name) {
				continue
			}
			known = true
			if c, ok := rr.(*dns.CNAME); ok && len(m.Answer) < 20 {
				next = c.Target
				m.Answer = append(m.Answer, rr)
			} else if rr.Header().Rrtype == q.Qtype {
				m.Answer = append(m.Answer, rr)
			}
		}
		name = next
	}
	z.mu.Unlock()
	if !known {
		m.Rcode = dns.RcodeNameError
	}
	if len(m.Answer) == 0 {
		m.Ns = append(m.Ns, soa(30))
	}
	if z.odd != nil && z.odd(w, asked) {
		return
	}
	if isUDP {
		m.Truncate(int(asked.IsEdns0().UDPSize()))
	}
	w.WriteMsg(m)
}

func reply(asked *dns.Msg) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(asked)
	m.Authoritative = true
	return m
}

func soa(ttl uint32) dns.RR {
	return &dns.SOA{Hdr: dns.RR_Header{Name: "test.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl}, Ns: "ns.test.", Mbox: "root.test.", Minttl: 30}
}

// count is how often a question such as "A a.test." was asked; "" is all of them.
func (z *zone) count(question string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := 0
	for asked, times := range z.asked {
		if question == "" || asked == question {
			n += times
		}
	}
	return n
}

// asking makes a resolver that knows only the given servers.
func asking(zones ...*zone) *Resolver {
	r := &Resolver{Hosts: os.DevNull, Timeout: 5 * time.Second}
	for _, z := range zones {
		r.Servers = append(r.Servers, z.addr)
	}
	return r
}

// target reads HOST, HOST:PORT or HOST;TRANSPORT, sips: before it for a secure one.
func target(text string) Target {
	text, transport, _ := strings.Cut(text, ";")
	t := Target{Transport: transport}
	t.Host, t.Secure = strings.CutPrefix(text, "sips:")
	if host, port, ok := strings.Cut(t.Host, ":"); ok && !strings.Contains(port, ":") {
		n, _ := strconv.ParseUint(port, 10, 16)
		t.Host, t.Port = host, uint16(n)
	}
	return t
}

// show writes hops as "udp:192.0.2.1:5060 tcp:...".
func show(hops []Hop) string {
	var words []string
	for _, h := range hops {
		words = append(words, h.Transport+":"+h.Addr.String())
	}
	return strings.Join(words, " ")
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
