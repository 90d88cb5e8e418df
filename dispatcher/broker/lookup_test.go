package broker

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"dialyard/proto"
)

// show writes records as "value priority weight port flags service regexp" without
// what is 0 or empty at the end, "; " between them.
func show(records []*proto.DNSRecord) string {
	var texts []string
	for _, r := range records {
		text := fmt.Sprint(r.Value, " ", r.Priority, " ", r.Weight, " ", r.Port)
		for _, more := range []string{r.Flags, r.Service, r.Regexp} {
			text += " " + more
		}
		texts = append(texts, strings.TrimRight(text, " "))
	}
	return strings.Join(texts, "; ")
}

// TestLookup: every type, over the wire.
func TestLookup(t *testing.T) {
	s := serveNames(t, `
host.test.      A     192.0.2.1
host.test.      A     192.0.2.2
host.test.      AAAA  2001:db8::1
alias.test.     CNAME host.test.
mail.test.      MX    20 b.test.
mail.test.      MX    10 a.test.
null.test.      MX    0 .
_sip._udp.test. SRV   2 5 5061 b.test.
_sip._udp.test. SRV   1 5 5060 A.test.
text.test.      TXT   "one " "two" "" "\"q\" \\ \228 ü"
1.2.3.4.e164.arpa. NAPTR 100 10 "u" "E2U+sip" "!^\\+?(.*)$!sip:\\1@example.net!" .
1/25.2.0.192.in-addr.arpa. PTR host.test.
`, nil)
	b := open(t, Options{Servers: []string{s.addr}})
	tests := []struct{ kind, name, want string }{
		{"A", "host.test", "192.0.2.1 0 0 0; 192.0.2.2 0 0 0"},
		{"A", "HOST.test.", "192.0.2.1 0 0 0; 192.0.2.2 0 0 0"},
		{"A", "alias.test", "192.0.2.1 0 0 0; 192.0.2.2 0 0 0"},
		{"AAAA", "host.test", "2001:db8::1 0 0 0"},
		{"CNAME", "alias.test", "host.test 0 0 0"},
		{"MX", "mail.test", "a.test 10 0 0; b.test 20 0 0"},
		{"MX", "null.test", ". 0 0 0"},
		{"SRV", "_sip._udp.test", "A.test 1 5 5060; b.test 2 5 5061"},
		{"TXT", "text.test", `one two"q" \ ` + "\ufffd ü 0 0 0"},
		{"NAPTR", "1.2.3.4.e164.arpa", `. 100 10 0 u E2U+sip !^\+?(.*)$!sip:\1@example.net!`},
		{"PTR", "1/25.2.0.192.in-addr.arpa", "host.test 0 0 0"},
		{"MX", "host.test", ""},
		{"A", "nobody.test", ""},
	}
	for _, tt := range tests {
		a := answer(t, b, asker(nil), lookupOf(tt.kind, tt.name))
		if got := show(a.GetFound().GetRecords()); got != tt.want || a.GetFound() == nil {
			t.Errorf("%s %s: %v, want %s", tt.kind, tt.name, a, tt.want)
		}
	}
}

// TestOnlyTheAnswerCounts: records of other names, classes and types are passed over.
func TestOnlyTheAnswerCounts(t *testing.T) {
	s := serveNames(t, "", func(w dns.ResponseWriter, asked *dns.Msg) bool {
		m := new(dns.Msg)
		m.SetReply(asked)
		for _, text := range []string{"other.test. 60 IN A 192.0.2.9", "a.test. 60 CH A 192.0.2.8", "a.test. 60 IN TXT x", "a.test. 60 IN A 192.0.2.1"} {
			rr, err := dns.NewRR(text)
			if err != nil {
				panic(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		m.Extra = append(m.Extra, m.Answer[0])
		stranger := m.Copy()
		stranger.Id++
		stranger.Answer = m.Answer[:1]
		stranger.Answer[0].Header().Name = "a.test."
		w.WriteMsg(stranger)
		m.Answer[0].Header().Name = "other.test."
		w.WriteMsg(m)
		return true
	})
	b := open(t, Options{Servers: []string{s.addr}})
	if got := show(answer(t, b, asker(nil), lookupOf("A", "a.test")).GetFound().GetRecords()); got != "192.0.2.1 0 0 0" {
		t.Errorf("got %s", got)
	}
}

// TestLookupBounds: fifty records, those with the best priority, by TCP as they need.
func TestLookupBounds(t *testing.T) {
	var zone strings.Builder
	for i := range 300 {
		fmt.Fprintf(&zone, "many.test. MX %d host-with-a-long-name-%d.test.\n", 300-i, i)
	}
	s := serveNames(t, zone.String(), nil)
	b := open(t, Options{Servers: []string{s.addr}})
	records := answer(t, b, asker(nil), lookupOf("MX", "many.test")).GetFound().GetRecords()
	if len(records) != maxRecords || records[0].Priority != 1 || records[49].Priority != 50 || s.byTCP.Load() != 1 {
		t.Errorf("%d records, %d asked by TCP: %v", len(records), s.byTCP.Load(), records)
	}
}

// TestLookupFailures: the words, and the next name server.
func TestLookupFailures(t *testing.T) {
	refuses := serveNames(t, "", func(w dns.ResponseWriter, asked *dns.Msg) bool {
		m := new(dns.Msg)
		m.SetRcode(asked, dns.RcodeRefused)
		w.WriteMsg(m)
		return true
	})
	knows := serveNames(t, "a.test. A 192.0.2.1", nil)
	nobody, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	wantError(t, answer(t, open(t, Options{Servers: []string{refuses.addr}}), asker(nil), lookupOf("A", "a.test")), "unreachable")
	wantError(t, answer(t, open(t, Options{Servers: []string{nobody.LocalAddr().String()}}), asker(nil), lookupOf("A", "a.test")), "unreachable")
	both := open(t, Options{Servers: []string{refuses.addr, knows.addr}})
	if got := show(answer(t, both, asker(nil), lookupOf("A", "a.test")).GetFound().GetRecords()); got != "192.0.2.1 0 0 0" {
		t.Errorf("the second server: %s", got)
	}
}

// TestSilentNameServer: it costs a bounded time, or as long as the run lives.
func TestSilentNameServer(t *testing.T) {
	silent := serveNames(t, "", func(dns.ResponseWriter, *dns.Msg) bool { return true })
	b := open(t, Options{Servers: []string{silent.addr}})
	began := time.Now()
	wantError(t, answer(t, b, asker(nil), lookupOf("A", "a.test")), "timeout")
	if took := time.Since(began); took > lookupTime+time.Second {
		t.Errorf("it took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	time.AfterFunc(50*time.Millisecond, cancel)
	began = time.Now()
	wantError(t, answerUnder(ctx, t, b, asker(nil), lookupOf("A", "b.test")), "cancelled")
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
	if _, kept := b.names.cache.entries[question{"b.test", dns.TypeA}]; kept {
		t.Error("a question that was called off is remembered as failed")
	}
}

// TestAnswersAreKept: equal questions are asked once while the TTL lasts.
func TestAnswersAreKept(t *testing.T) {
	s := serveNames(t, "a.test. 60 A 192.0.2.1\nzero.test. 0 A 192.0.2.1", nil)
	b := open(t, Options{Servers: []string{s.addr}})
	for _, tt := range []struct {
		name  string
		asked int32
	}{{"a.test", 1}, {"nobody.test", 1}, {"zero.test", 3}} {
		before := s.asked.Load()
		for range 3 {
			answer(t, b, asker(nil), lookupOf("A", tt.name))
		}
		if got := s.asked.Load() - before; got != tt.asked {
			t.Errorf("%s was asked %d times, want %d", tt.name, got, tt.asked)
		}
	}
}

// TestCache: time runs off a TTL, expired answers go, and there is a bound.
func TestCache(t *testing.T) {
	var c answerCache
	now := time.Unix(1e9, 0)
	at := func(i int) question { return question{fmt.Sprint(i), dns.TypeA} }
	reading := reading{records: []*proto.DNSRecord{{Value: "x", TtlS: 10}}, keep: 10 * time.Second, at: now}
	c.put(now, at(0), reading)
	got, ok := c.get(now.Add(9*time.Second), at(0))
	if !ok || got.aged(now.Add(9 * time.Second))[0].TtlS != 1 || got.records[0].TtlS != 10 {
		t.Errorf("after 9 s: %v %v", got, ok)
	}
	if _, ok := c.get(now.Add(10*time.Second), at(0)); ok || len(c.entries) != 0 {
		t.Error("an answer outlived its TTL")
	}
	large := reading
	large.bytes = maxKeptBytes + 1
	c.put(now, at(0), large)
	if len(c.entries) != 0 {
		t.Error("a large answer is kept")
	}
	for i := range maxKept + 1000 {
		c.put(now, at(i), reading)
		if _, ok := c.get(now, at(i)); !ok {
			t.Fatal("the newest is not kept")
		}
	}
	if len(c.entries) != maxKept {
		t.Errorf("%d entries", len(c.entries))
	}
}

// TestResolvedToPrivate: a name is no way around the addresses.
func TestResolvedToPrivate(t *testing.T) {
	inside := serveWeb(t, "127.0.0.1:0", say("inside"))
	s := serveNames(t, `
inside.test. A 127.0.0.1
mapped.test. AAAA ::ffff:127.0.0.1
alias.test.  CNAME inside.test.
meta.test.   A 169.254.169.254
many.test.   A 10.0.0.1
many.test.   AAAA fd00::1
`, nil)
	b := open(t, Options{Servers: []string{s.addr}})
	p := &Policy{Hosts: hosts(t, "*.test:*"), FetchTime: 3 * time.Second}
	for _, name := range []string{"inside", "mapped", "alias", "meta", "many"} {
		wantError(t, answer(t, b, asker(p), get("http://"+name+".test:"+inside.port())), "not allowed: address")
	}
	wantError(t, answer(t, b, asker(p), get("http://nobody.test")), "unreachable")
	if n := inside.accepted.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestRebinding: a name that is harmless when it is first asked for, and not
// afterwards, within one answer or from one to the next.
func TestRebinding(t *testing.T) {
	outside := serveWeb(t, "127.0.0.2:0", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.Write([]byte("outside"))
	})
	inside := serveWeb(t, "127.0.0.1:"+outside.port(), say("inside"))
	s := serveNames(t, "turns.test. 0 A 127.0.0.2\nboth.test. A 127.0.0.1\nboth.test. A 127.0.0.2", nil)
	b := open(t, Options{Servers: []string{s.addr}})
	p := &Policy{Hosts: hosts(t, "*.test:*"), Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, FetchTime: 3 * time.Second}
	wantBody(t, answer(t, b, asker(p), get("http://turns.test:"+outside.port())), 200, "outside")
	s.set(t, "turns.test. 0 A 127.0.0.1\nboth.test. A 127.0.0.1\nboth.test. A 127.0.0.2")
	wantError(t, answer(t, b, asker(p), get("http://turns.test:"+outside.port())), "not allowed: address")
	wantBody(t, answer(t, b, asker(p), get("http://both.test:"+outside.port())), 200, "outside")
	if n := inside.accepted.Load(); n != 0 {
		t.Errorf("%d connections inside", n)
	}
}

// TestNameServers: a server without a port has the usual one.
func TestNameServers(t *testing.T) {
	n := names{given: []string{"192.0.2.1", "2001:db8::1", "192.0.2.1:5353"}}
	if got := strings.Join(n.toAsk(time.Now()), " "); got != "192.0.2.1:53 [2001:db8::1]:53 192.0.2.1:5353" {
		t.Errorf("asks %s", got)
	}
}
