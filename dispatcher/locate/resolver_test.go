package locate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hosts is a zone of n hosts that are asked for by a port, so with A and AAAA only.
func hosts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "h%d.test. A 192.0.2.%d\n", i, i%250+1)
	}
	return b.String()
}

// silent is a name server that hears and never answers.
func silent(t *testing.T) *zone {
	t.Helper()
	return serve(t, "", func(dns.ResponseWriter, *dns.Msg) bool { return true })
}

// TestFailover: a name server that is silent, gone, or refuses is passed over, and
// is not the first to be asked the next time.
func TestFailover(t *testing.T) {
	gone := &zone{addr: "127.0.0.1:1"}
	refuses := serve(t, "", func(w dns.ResponseWriter, asked *dns.Msg) bool {
		w.WriteMsg(new(dns.Msg).SetRcode(asked, dns.RcodeRefused))
		return true
	})
	refers := serve(t, "", func(w dns.ResponseWriter, asked *dns.Msg) bool {
		m := new(dns.Msg)
		m.SetReply(asked) // neither authoritative nor recursive, and nothing in it
		w.WriteMsg(m)
		return true
	})
	good := serve(t, hosts(3), nil)
	for name, bad := range map[string]*zone{"silent": silent(t), "gone": gone, "refuses": refuses, "refers": refers} {
		r := asking(bad, good)
		r.Timeout, r.IPv4Only = 200*time.Millisecond, true
		for i := range 3 {
			hops, err := r.Lookup(context.Background(), target(fmt.Sprintf("h%d.test:5060", i)))
			if err != nil || len(hops) != 1 {
				t.Errorf("%s: %s, %v", name, show(hops), err)
			}
		}
		if n := bad.count(""); n > 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}

// TestTimeout: with nobody there a Lookup ends in the time it is given, says that
// it may be different later, and for a while the question is not asked again.
func TestTimeout(t *testing.T) {
	dead := []*zone{silent(t), silent(t)}
	r := asking(dead...)
	r.Timeout = 50 * time.Millisecond
	for range 2 { // the second time nobody is asked
		begin := time.Now()
		_, err := r.Lookup(context.Background(), target("a.test"))
		if took := time.Since(begin); !errors.Is(err, ErrTemporary) || took > 2*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if a, b := dead[0].count("NAPTR a.test."), dead[1].count(""); a != 2 || b != 2 {
			t.Errorf("the name servers were asked %d and %d times, want 2 tries", a, b)
		}
	}
	r = asking(dead...)
	r.Total = 50 * time.Millisecond
	begin := time.Now()
	_, err := r.Lookup(context.Background(), target("a.test"))
	if took := time.Since(begin); !errors.Is(err, ErrTemporary) || took > 2*time.Second {
		t.Errorf("%v after %v, want the end of Total", err, took)
	}
}

// TestCancelled: a caller that gives up is let go at once, and what it did not
// learn is not held against the name.
func TestCancelled(t *testing.T) {
	asked := make(chan struct{}, 10)
	release := make(chan struct{})
	z := serve(t, hosts(1), func(dns.ResponseWriter, *dns.Msg) bool {
		asked <- struct{}{}
		<-release
		return false
	})
	r := asking(z)
	r.IPv4Only = true
	ctx, cancel := context.WithCancel(context.Background())
	first, second := make(chan error, 1), make(chan error, 1)
	lookup := func(ctx context.Context, to chan error) {
		_, err := r.Lookup(ctx, target("h0.test:5060"))
		to <- err
	}
	go lookup(ctx, first)
	<-asked
	go lookup(context.Background(), second) // waits for the first, or asks after it
	cancel()
	if err := <-first; !errors.Is(err, ErrTemporary) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(release)
	if err := <-second; err != nil {
		t.Errorf("who waited for the cancelled one: %v", err)
	}
}

// TestAbandoned: who waits for a question whose asker was called off asks it
// again, and does not take its silence for an answer.
func TestAbandoned(t *testing.T) {
	z := serve(t, hosts(1), nil)
	synctest.Test(t, func(t *testing.T) {
		r := asking(z)
		q := question{"h0.test", kindA}
		f := &flight{landed: make(chan struct{}), abandoned: true}
		r.flights = map[question]*flight{q: f}
		got := make(chan answer, 1)
		go func() { got <- r.answerTo(context.Background(), r.files(time.Now()), q) }()
		synctest.Wait() // it waits for f now
		r.mu.Lock()
		delete(r.flights, q)
		r.mu.Unlock()
		close(f.landed)
		if a := <-got; a.err != nil || len(a.addrs) != 1 {
			t.Errorf("%+v", a)
		}
	})
}

// TestOneFlight: equal questions at one time are one question.
func TestOneFlight(t *testing.T) {
	release := make(chan struct{})
	z := serve(t, hosts(1), func(dns.ResponseWriter, *dns.Msg) bool {
		<-release
		return false
	})
	r := asking(z)
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			if hops, err := r.Lookup(context.Background(), target(fmt.Sprintf("h0.test:%d", 5060+i))); err != nil || len(hops) != 1 {
				t.Errorf("%s, %v", show(hops), err)
			}
		})
	}
	close(release)
	wait.Wait()
	if z.count("A h0.test.") != 1 || z.count("AAAA h0.test.") != 1 {
		t.Errorf("asked %d times for A, %d for AAAA", z.count("A h0.test."), z.count("AAAA h0.test."))
	}
}

// TestAsking: beyond the questions that may be open a Lookup ends at once, and
// that is not remembered.
func TestAsking(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 2)
	z := serve(t, hosts(2), func(dns.ResponseWriter, *dns.Msg) bool {
		asked <- struct{}{}
		<-release
		return false
	})
	r := asking(z)
	r.Asking, r.IPv4Only = 1, true
	first := make(chan error)
	go func() {
		_, err := r.Lookup(context.Background(), target("h0.test:5060"))
		first <- err
	}()
	<-asked
	if _, err := r.Lookup(context.Background(), target("h1.test:5060")); !errors.Is(err, ErrTemporary) {
		t.Errorf("one too many: %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := r.Lookup(context.Background(), target("h1.test:5060")); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}

// TestTruncated: an answer that does not fit a datagram is fetched by TCP, also
// where the datagram ends inside a record.
func TestTruncated(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "_sip._udp.big.test. SRV %d 0 5060 a-rather-long-name-for-a-host-%d.test.\n", 300-i, i)
	}
	b.WriteString("a-rather-long-name-for-a-host-299.test. A 192.0.2.7\n")
	cut := func(w dns.ResponseWriter, asked *dns.Msg) bool {
		if _, isUDP := w.RemoteAddr().(*net.UDPAddr); !isUDP || asked.Question[0].Qtype != dns.TypeSRV {
			return false
		}
		m := reply(asked)
		m.Truncated = true
		m.Answer = []dns.RR{soa(1)}
		wire, _ := m.Pack()
		w.Write(wire[:len(wire)-5])
		return true
	}
	for _, odd := range []func(dns.ResponseWriter, *dns.Msg) bool{nil, cut} {
		z := serve(t, b.String(), odd)
		hops, err := asking(z).Lookup(context.Background(), target("big.test;udp"))
		if err != nil || show(hops) != "udp:192.0.2.7:5060" || z.byTCP.Load() != 1 {
			t.Errorf("%s, %v, %d times by TCP", show(hops), err, z.byTCP.Load())
		}
	}
}

// TestForged: what does not answer our question is passed over, and the answer
// behind it is taken. Records beside the answer are not believed.
func TestForged(t *testing.T) {
	evil, _ := dns.NewRR("h0.test. 60 A 203.0.113.66")
	other, _ := dns.NewRR("h1.test. 60 A 203.0.113.66")
	z := serve(t, hosts(2), func(w dns.ResponseWriter, asked *dns.Msg) bool {
		m := reply(asked)
		m.Answer = []dns.RR{evil}
		m.Id++
		w.WriteMsg(m)
		m.Id--
		m.Question = []dns.Question{{Name: "h1.test.", Qtype: dns.TypeA, Qclass: dns.ClassINET}}
		w.WriteMsg(m)
		m.Question = asked.Question
		m.Response = false
		w.WriteMsg(m)
		w.Write([]byte("x"))
		w.Write(make([]byte, 12))
		m = reply(asked)
		m.Answer = []dns.RR{other}
		m.Extra = []dns.RR{other}
		if asked.Question[0].Name == "h0.test." {
			rr, _ := dns.NewRR("h0.test. 60 A 192.0.2.1")
			m.Answer = append(m.Answer, rr)
		} else {
			m.Answer = nil
		}
		w.WriteMsg(m)
		return true
	})
	r := asking(z)
	r.IPv4Only = true
	hops, err := r.Lookup(context.Background(), target("h0.test:5060"))
	if err != nil || show(hops) != "udp:192.0.2.1:5060" {
		t.Errorf("%s, %v", show(hops), err)
	}
	if hops, err := r.Lookup(context.Background(), target("h1.test:5060")); !errors.Is(err, ErrNoSuchHost) {
		t.Errorf("an address that nobody asked for is believed: %s, %v", show(hops), err)
	}
}

// TestNoise: a name server, or somebody in its name, that sends without end what
// is no answer does not hold a Lookup until its time is over.
func TestNoise(t *testing.T) {
	z := serve(t, "", func(w dns.ResponseWriter, asked *dns.Msg) bool {
		for range 2 * maxStrangers {
			w.Write([]byte("noise"))
		}
		return true
	})
	r := asking(z)
	r.Timeout, r.Tries, r.Total = time.Minute, 1, time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := r.Lookup(ctx, target("a.test")); !errors.Is(err, ErrTemporary) || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
}

// TestAliasWithoutRecords: where the zone says that the alias leads to nothing of
// this kind, it is not asked again by the other name.
func TestAliasWithoutRecords(t *testing.T) {
	z := serve(t, "a.test. CNAME b.test.\nb.test. A 192.0.2.1\n", func(w dns.ResponseWriter, asked *dns.Msg) bool {
		if asked.Question[0].Qtype != dns.TypeAAAA {
			return false
		}
		m := reply(asked)
		rr, _ := dns.NewRR("a.test. 60 CNAME b.test.")
		m.Answer, m.Ns = []dns.RR{rr}, []dns.RR{soa(30)}
		w.WriteMsg(m)
		return true
	})
	hops, err := asking(z).Lookup(context.Background(), target("a.test:5060"))
	if err != nil || show(hops) != "udp:192.0.2.1:5060" || z.count("AAAA b.test.") != 0 {
		t.Errorf("%s, %v, AAAA of the other name asked %d times", show(hops), err, z.count("AAAA b.test."))
	}
}

// TestAliasSteps: a name server that answers one alias at a time is asked on, but
// not for ever.
func TestAliasSteps(t *testing.T) {
	z := serve(t, "", func(w dns.ResponseWriter, asked *dns.Msg) bool {
		m := reply(asked)
		name := asked.Question[0].Name
		rr, _ := dns.NewRR(name + " 60 CNAME x" + name)
		if name == "xxx.test." {
			rr, _ = dns.NewRR(name + " 60 A 192.0.2.1")
		}
		m.Answer = []dns.RR{rr}
		w.WriteMsg(m)
		return true
	})
	r := asking(z)
	r.IPv4Only = true
	if hops, err := r.Lookup(context.Background(), target("x.test:5060")); err != nil || show(hops) != "udp:192.0.2.1:5060" {
		t.Errorf("%s, %v", show(hops), err)
	}
	before := z.count("")
	if _, err := r.Lookup(context.Background(), target("y.test:5060")); !errors.Is(err, ErrTemporary) {
		t.Errorf("aliases without end: %v", err)
	}
	if n := z.count("") - before; n != maxAlias {
		t.Errorf("%d questions for an endless chain", n)
	}
}

// TestTTL runs in virtual time: what is known is not asked for until its TTL is
// over, records and their absence alike, and hostile TTLs are held in bounds.
func TestTTL(t *testing.T) {
	z := serve(t, `
a.test.      60 A 192.0.2.1
brief.test.  0  A 192.0.2.1
long.test.   2147483647 A 192.0.2.1
minus.test.  4294967295 A 192.0.2.1
cname.test.  20 CNAME a.test.
`, nil)
	for _, row := range []struct {
		host string
		kept time.Duration
	}{
		{"a.test", 60 * time.Second},
		{"brief.test", 5 * time.Second},
		{"long.test", time.Hour},
		{"minus.test", 5 * time.Second},
		{"cname.test", 20 * time.Second},
		{"nobody.test", 30 * time.Second}, // as the SOA says
	} {
		synctest.Test(t, func(t *testing.T) {
			r := asking(z)
			r.IPv4Only = true
			to := target(row.host + ":5060")
			if _, known := r.Cached(to); known {
				t.Error("known before it was asked for")
			}
			hops, err := r.Lookup(context.Background(), to)
			asked := z.count("")
			time.Sleep(row.kept - 100*time.Millisecond)
			again, known := r.Cached(to)
			_, err2 := r.Lookup(context.Background(), to)
			if !known || show(again) != show(hops) || errors.Is(err, ErrNoSuchHost) != errors.Is(err2, ErrNoSuchHost) || z.count("") != asked {
				t.Errorf("%s: not kept for %v: %v, then %v, %d questions more", row.host, row.kept, err, err2, z.count("")-asked)
			}
			time.Sleep(200 * time.Millisecond)
			_, known = r.Cached(to)
			r.Lookup(context.Background(), to)
			if known || z.count("") == asked {
				t.Errorf("%s: kept for longer than %v", row.host, row.kept)
			}
		})
	}
}

// TestNegative: that there is no such name is asked once.
func TestNegative(t *testing.T) {
	z := serve(t, "", nil)
	r := asking(z)
	for range 3 {
		if _, err := r.Lookup(context.Background(), target("nobody.test")); !errors.Is(err, ErrNoSuchHost) {
			t.Error(err)
		}
	}
	r.Lookup(context.Background(), target("nobody.test;udp")) // another target, known answers
	if n := z.count(""); n != 5 {
		t.Errorf("%d questions, want NAPTR, 2 SRV, A and AAAA", n)
	}
}

// TestHostsFile: a name in the hosts file is not asked for, not even its SRV
// records, and a changed file is noticed.
func TestHostsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# a comment\n192.0.2.1\tpbx PBX.test # another\n2001:db8::1 pbx.test\nfe80::1%lo x.test\nnonsense pbx.test\n192.0.2.9\n")
	z := serve(t, "pbx.test. A 192.0.2.99\n_sip._udp.far.test. SRV 0 0 5070 pbx.test.\n", nil)
	synctest.Test(t, func(t *testing.T) {
		r := asking(z)
		r.Hosts = path
		for _, row := range [][2]string{
			{"pbx", "udp:192.0.2.1:5060"},
			{"pbx.test", "udp:192.0.2.1:5060 udp:[2001:db8::1]:5060"},
			{"pbx.test:5090;tcp", "tcp:192.0.2.1:5090 tcp:[2001:db8::1]:5090"},
		} {
			if hops, err := r.Lookup(context.Background(), target(row[0])); err != nil || show(hops) != row[1] {
				t.Errorf("%s: %s, %v", row[0], show(hops), err)
			}
		}
		if n := z.count(""); n != 0 {
			t.Errorf("%d questions for names in the file", n)
		}
		if hops, err := r.Lookup(context.Background(), target("far.test;udp")); err != nil || show(hops) != "udp:192.0.2.1:5070 udp:[2001:db8::1]:5070" {
			t.Errorf("SRV to a name in the file: %s, %v", show(hops), err)
		}
		write("192.0.2.200 pbx.test\n")
		time.Sleep(localKept)
		if hops, err := r.Lookup(context.Background(), target("pbx.test")); err != nil || show(hops) != "udp:192.0.2.200:5060" {
			t.Errorf("after a change: %s, %v", show(hops), err)
		}
	})
}

// TestNameServers: what is no address is passed over, the port is 53 by default.
func TestNameServers(t *testing.T) {
	r := Resolver{Servers: []string{"192.0.2.53", "ns.test", "2001:db8::53", "[2001:db8::54]:5353"}}
	if got := fmt.Sprint(r.nameServers()); got != "[192.0.2.53:53 [2001:db8::53]:53 [2001:db8::54]:5353]" {
		t.Error(got)
	}
	r = Resolver{Servers: []string{"ns.test"}, Hosts: os.DevNull}
	if _, err := r.Lookup(context.Background(), target("a.test")); !errors.Is(err, ErrTemporary) {
		t.Errorf("without a name server: %v", err)
	}
}

// TestCacheSize: many names do not make a resolver grow.
func TestCacheSize(t *testing.T) {
	z := serve(t, hosts(60), nil)
	r := asking(z)
	r.CacheSize, r.IPv4Only = 20, true
	for i := range 60 {
		if _, err := r.Lookup(context.Background(), target(fmt.Sprintf("h%d.test:5060", i))); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.answers.entries) != 20 || len(r.plans.entries) != 20 || len(r.flights) != 0 {
		t.Errorf("%d answers, %d plans, %d flights", len(r.answers.entries), len(r.plans.entries), len(r.flights))
	}
}

// TestManyAtOnce is for the race detector: lookups and cached answers of few and
// many names from many goroutines, in a cache too small for them.
func TestManyAtOnce(t *testing.T) {
	z := serve(t, hosts(40)+rfc3263, nil)
	r := asking(z)
	r.CacheSize = 30
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for i := range 60 {
				to := target(fmt.Sprintf("h%d.test:5060", (i*(g+1))%40))
				if i%3 == 0 {
					to = target("srv.test")
				}
				hops, known := r.Cached(to)
				if !known {
					var err error
					if hops, err = r.Lookup(context.Background(), to); err != nil {
						t.Errorf("%s: %v", to.Host, err)
					}
				}
				if len(hops) == 0 || len(hops) > maxHops {
					t.Errorf("%s: %d hops", to.Host, len(hops))
				}
			}
		})
	}
	wait.Wait()
}
