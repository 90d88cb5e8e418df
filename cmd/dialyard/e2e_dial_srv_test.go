package main_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// nameServer answers from the lines of a zone file and returns its address.
func nameServer(t *testing.T, zone string) string {
	t.Helper()
	var records []dns.RR
	// A line that begins with a blank has no name of its own.
	parser := dns.NewZoneParser(strings.NewReader(strings.ReplaceAll(zone, "\t", "")), ".", "")
	parser.SetDefaultTTL(60)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records = append(records, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, asked *dns.Msg) {
			answer := new(dns.Msg)
			answer.SetReply(asked)
			answer.Authoritative = true
			for _, rr := range records {
				if q := asked.Question[0]; strings.EqualFold(rr.Header().Name, q.Name) && rr.Header().Rrtype == q.Qtype {
					answer.Answer = append(answer.Answer, rr)
				}
			}
			w.WriteMsg(answer)
		})}
	go server.ActivateAndServe()
	<-started
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		server.ShutdownContext(ctx)
	})
	return conn.LocalAddr().String()
}

// twoServers is a name server of carrier.test, whose calls go to the first address,
// and to the second if that fails.
func twoServers(t *testing.T, first, second string) (nameserver string) {
	t.Helper()
	return nameServer(t, fmt.Sprintf(`
		_sip._udp.carrier.test. SRV 1 1 %s a.carrier.test.
		_sip._udp.carrier.test. SRV 2 1 %s b.carrier.test.
		a.carrier.test. A 127.0.0.1
		b.carrier.test. A 127.0.0.1
	`, port(first), port(second)))
}

// startAsking starts a server whose names come from a name server of the test. The
// harness has written the key sip already.
func startAsking(t *testing.T, nameserver string, changes ...setup) *server {
	t.Helper()
	return startServer(t, append(changes, func(s *server) {
		text, err := os.ReadFile(filepath.Join(s.dir, "dialyard.yaml"))
		s.must(err)
		s.write("dialyard.yaml", strings.Replace(string(text), "sip: {", fmt.Sprintf("sip: {nameservers: [%q], ", nameserver), 1))
	})...)
}

// TestNextServerOfADomain: RFC 3263 §4.3, for one that refuses, and for one that is
// silent.
func TestNextServerOfADomain(t *testing.T) {
	t.Parallel()
	t.Run("first is out of order", func(t *testing.T) {
		down, answers := newRefusing(t, 503, ""), newCallee(t, "dial_uas_answer")
		s := startAsking(t, twoServers(t, down.address, answers.address), dials("dial", "sip:callee@carrier.test"))
		s.dial("dial_uac_call", "dial").wait()
		down.wait()
		answers.wait()
		secondAnswered(t, s, answers)
	})
	t.Run("first is silent", func(t *testing.T) {
		silent, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		answers := newCallee(t, "dial_uas_answer")
		s := startAsking(t, twoServers(t, silent.LocalAddr().String(), answers.address), dials("dial", "sip:callee@carrier.test"))
		s.dial("dial_uac_call", "dial").wait()
		answers.wait()
		secondAnswered(t, s, answers)
	})
	t.Run("first is not there", func(t *testing.T) {
		answers := newCallee(t, "dial_uas_answer", "-t", "t1")
		zone := strings.NewReplacer("FIRST", port(freePort(t, "udp")), "SECOND", port(answers.address)).Replace(`
			_sip._tcp.carrier.test. SRV 1 1 FIRST a.carrier.test.
			_sip._tcp.carrier.test. SRV 2 1 SECOND a.carrier.test.
			a.carrier.test. A 127.0.0.1
		`)
		s := startAsking(t, nameServer(t, zone), dials("dial", "sip:callee@carrier.test;transport=tcp"))
		s.dial("dial_uac_call", "dial").wait()
		answers.wait()
		secondAnswered(t, s, answers)
	})
}

// secondAnswered is for a call of one leg, which had two addresses to try.
func secondAnswered(t *testing.T, s *server, answers *phone) {
	t.Helper()
	r := s.oneRecord(1)
	expect(t, r, 200, "caller", "200")
	if !strings.HasSuffix(r.Legs[0].Address, ":"+answers.address) {
		t.Errorf("leg sent to %s last, want %s", r.Legs[0].Address, answers.address)
	}
}

// TestNoSuchDomain leads nowhere: the caller hears 480 at once.
func TestNoSuchDomain(t *testing.T) {
	t.Parallel()
	s := startAsking(t, nameServer(t, ""), dials("dial", "sip:callee@carrier.test"))
	s.refusedBy("dial", 480, "70")
	expect(t, s.oneRecord(1), 480, "system", "480")
}

// TestNamesThatLeadHere: a name does not get round what an address must not be.
func TestNamesThatLeadHere(t *testing.T) {
	t.Parallel()
	nameserver := nameServer(t, "here.test. A 127.0.0.1\nforbidden.test. A 192.0.2.7")
	s := startAsking(t, nameserver, settings("dial: {forbid: [192.0.2.0/24]}"), dials("forbidden", "sip:a@forbidden.test:5060"),
		plan("here", `call:dial("sip:a@here.test:" .. re.match(call.ruri.uri, [[:(\d+)$]]))`))
	s.refusedBy("here", 482, "70")
	expect(t, s.oneRecord(1), 482, "system", "482")
	s.refusedBy("forbidden", 403, "70")
	expect(t, s.oneRecord(2), 403, "system", "403")
}

func port(address string) string {
	_, port, _ := strings.Cut(address, ":")
	return port
}
