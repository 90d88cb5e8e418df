package broker

import (
	"bufio"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"dialyard/proto"
)

// FuzzAllowed: whatever a URL and an allow-list look like, a request that is allowed
// goes, on the wire and by a second reading, to a host that the list names.
func FuzzAllowed(f *testing.F) {
	for _, seed := range [][3]string{
		{"http://api.example.net/x?y", "api.example.net", ""},
		{"https://a.b.example.net:8443/%0d%0a", "*.example.net:*", "//evil.test"},
		{"http://example.net@evil.test/", "example.net", "http://example.net\\@evil.test"},
		{"http://[::ffff:127.0.0.1]:81/", "127.0.0.1:81", "/../x"},
		{"http://a.test./", "*", "?q"}, {"http://a.test:80/?a b", "a.test:80", "https:x"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, text, entry, location string) {
		h, err := ParseHost(entry)
		if err != nil {
			return
		}
		p := &Policy{Hosts: []Host{h}}
		e, err := checkFetch(&proto.Fetch{Method: "GET", Url: text, Headers: []*proto.Header{{Name: "X", Value: location}}}, p)
		if err != nil {
			return
		}
		judge(t, e, entry)
		r := &http.Response{StatusCode: 307, Header: http.Header{"Location": {location}}}
		if next, err := e.redirected(r, p); err == nil && next != nil {
			judge(t, next, entry)
		}
	})
}

// judge reads an errand's request as its server would.
func judge(t *testing.T, e *errand, entry string) {
	var wire strings.Builder
	if err := e.request(t.Context()).Write(&wire); err != nil {
		t.Fatalf("%s cannot be written: %v", e.to.url, err)
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
	if err != nil {
		t.Fatalf("%q cannot be read: %v", wire.String(), err)
	}
	again, err := url.Parse(e.to.url.Scheme + "://" + r.Host + r.RequestURI)
	if err != nil || again.User != nil || len(r.Header) > 2 || strings.Count(wire.String(), "\r\n\r\n") != 1 {
		t.Fatalf("%q is read as %v, %v", wire.String(), again, err)
	}
	wanted := strings.ToLower(entry)
	if i := strings.LastIndexByte(wanted, ':'); i > strings.LastIndexByte(wanted, ']') && strings.Count(wanted, ":") == 1 || strings.HasPrefix(wanted, "[") && i > strings.LastIndexByte(wanted, ']') {
		wanted = wanted[:i]
	}
	wanted = strings.TrimSuffix(strings.Trim(wanted, "[]"), ".")
	host := again.Hostname()
	if a, err := netip.ParseAddr(wanted); err == nil {
		wanted = a.Unmap().String()
	}
	below, isBelow := strings.CutPrefix(wanted, "*")
	if host != wanted && !(isBelow && strings.HasSuffix(host, below)) {
		t.Fatalf("%q allows %s, sent to %s", entry, e.to.url, host)
	}
}

// FuzzReply: whatever a name server sends, the answer keeps to its bounds and is text
// that the wire can carry.
func FuzzReply(f *testing.F) {
	for _, text := range []string{"a.test. 60 IN TXT \"x\\255\"", "a.test. 60 IN NAPTR 1 1 \"u\" \"E2U+sip\" \"!^.*$!sip:\\\\1@b!\" .", "a.test. 60 IN CNAME a.test."} {
		rr, err := dns.NewRR(text)
		if err != nil {
			f.Fatal(err)
		}
		m := new(dns.Msg)
		m.SetQuestion("a.test.", rr.Header().Rrtype)
		m.Answer = append(m.Answer, rr)
		wire, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, rr.Header().Rrtype)
	}
	f.Fuzz(func(t *testing.T, wire []byte, kind uint16) {
		m := new(dns.Msg)
		if m.Unpack(wire) != nil {
			return
		}
		name := "a.test"
		if len(m.Answer) > 0 {
			name = strings.TrimSuffix(strings.ToLower(m.Answer[0].Header().Name), ".")
		}
		r, err := read(question{name, kind}, m)
		if err != nil {
			return
		}
		if len(r.records) > maxRecords || r.keep < 0 || r.keep > longestKept {
			t.Fatalf("%d records, kept for %v", len(r.records), r.keep)
		}
		for _, record := range r.records {
			for _, text := range []string{record.Value, record.Flags, record.Service, record.Regexp} {
				if strings.ToValidUTF8(text, "") != text {
					t.Fatalf("%q is not UTF-8", text)
				}
			}
		}
	})
}
