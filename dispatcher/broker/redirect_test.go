package broker

import (
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"testing"

	"dialyard/proto"
)

var quiet = log.New(io.Discard, "", 0)

// TestRedirects: how method and body change, per status (RFC 9110 §15.4).
func TestRedirects(t *testing.T) {
	b := open(t, Options{})
	to := serveWeb(t, "127.0.0.1:0", say("there"))
	tests := []struct {
		status             int
		method, then, body string
	}{
		{301, "GET", "GET", ""}, {301, "POST", "GET", ""}, {301, "PUT", "PUT", "b"},
		{302, "POST", "GET", ""}, {302, "DELETE", "DELETE", "b"},
		{303, "POST", "GET", ""}, {303, "PUT", "GET", ""}, {303, "HEAD", "HEAD", ""},
		{307, "POST", "POST", "b"}, {308, "PATCH", "PATCH", "b"},
	}
	for _, tt := range tests {
		from := serveWeb(t, "127.0.0.1:0", redirectTo(tt.status, to.URL+"/x?y"))
		f := &proto.Fetch{Method: tt.method, Url: from.URL}
		if tt.method != "GET" && tt.method != "HEAD" {
			f.Body = []byte("b")
		}
		a := answer(t, b, asker(atHome(t)), fetchOf(f))
		r, body := to.request()
		if a.GetFetched().GetStatus() != 200 || r.Method != tt.then || body != tt.body || r.RequestURI != "/x?y" || r.Referer() != "" {
			t.Errorf("%d %s: %v, then %s %s %q", tt.status, tt.method, a, r.Method, r.RequestURI, body)
		}
	}
}

// TestRedirectsThatAreAnswers: without a place to go, or not a redirect at all.
func TestRedirectsThatAreAnswers(t *testing.T) {
	b := open(t, Options{})
	for status, location := range map[int]string{302: "", 300: "/x", 304: "/x", 201: "/x"} {
		w := serveWeb(t, "127.0.0.1:0", redirectTo(status, location))
		if a := answer(t, b, asker(atHome(t)), get(w.URL)); a.GetFetched().GetStatus() != uint32(status) {
			t.Errorf("%d: %v", status, a)
		}
	}
}

// TestRedirectsThatAreRefused: a redirect leads nowhere the script could not have
// gone by itself, and not for ever.
func TestRedirectsThatAreRefused(t *testing.T) {
	inside := serveWeb(t, "127.0.0.1:0", say("inside"))
	p := atHome(t)
	p.Hosts = hosts(t, "127.0.0.2:*", "127.0.0.3:*", "169.254.169.254", "127.0.0.1:1", "10.0.0.1")
	tests := map[string]struct{ location, words string }{
		"host not listed":     {inside.URL, "not allowed: host"},
		"metadata":            {"http://169.254.169.254/latest/", "not allowed: address"},
		"private":             {"http://10.0.0.1/", "not allowed: address"},
		"port not listed":     {"http://127.0.0.1:" + inside.port(), "not allowed: host"},
		"other spelling":      {"//127.0.0.1:" + inside.port() + "/", "not allowed: host"},
		"mapped":              {"http://[::ffff:127.0.0.1]:" + inside.port() + "/", "not allowed: host"},
		"back to itself":      {"/again", "not allowed: redirects"},
		"file":                {"file:///etc/passwd", "bad answer: redirect"},
		"control characters":  {"http://127.0.0.2/\x01", "bad answer"},
		"backslash":           {`http://127.0.0.2\@127.0.0.1:` + inside.port() + "/", "bad answer: redirect"},
		"a number for a host": {"http://2130706433/", "bad answer: redirect"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := serveWeb(t, "127.0.0.2:0", redirectTo(302, tt.location))
			wantError(t, answer(t, open(t, Options{}), asker(p), get(w.URL)), tt.words)
			if tt.location == "/again" && w.hits.Load() != maxRedirects+1 {
				t.Errorf("%d requests", w.hits.Load())
			}
		})
	}
	if n := inside.accepted.Load(); n != 0 {
		t.Errorf("%d connections to what is not allowed", n)
	}
}

// TestRedirectToPlain: what was asked by TLS is not sent on in the open.
func TestRedirectToPlain(t *testing.T) {
	plain := serveWeb(t, "127.0.0.1:0", say("plain"))
	w := startWeb(t, "127.0.0.1:0", redirectTo(307, plain.URL))
	w.StartTLS()
	roots := x509.NewCertPool()
	roots.AddCert(w.Certificate())
	b := open(t, Options{Roots: roots})
	wantError(t, answer(t, b, asker(atHome(t)), get(w.URL)), "not allowed: redirect from https to http")
	if n := plain.accepted.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestSecretsStayWithTheirHost: what a script says to one host is not said to another.
func TestSecretsStayWithTheirHost(t *testing.T) {
	b := open(t, Options{})
	headers := []*proto.Header{{Name: "Authorization", Value: "s"}, {Name: "cookie", Value: "s"}, {Name: "X-Api-Key", Value: "s"},
		{Name: "Accept", Value: "text/plain"}, {Name: "User-Agent", Value: "mine"}}
	otherHost, otherPort := serveWeb(t, "127.0.0.2:0", say("")), serveWeb(t, "127.0.0.1:0", say(""))
	for location, secrets := range map[string]string{"/there": "sss", otherHost.URL: "", otherPort.URL: ""} {
		first := serveWeb(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/there" {
				redirectTo(302, location)(w, r)
			}
		})
		answer(t, b, asker(atHome(t)), fetchOf(&proto.Fetch{Method: "GET", Url: first.URL, Headers: headers}))
		arrived := map[string]*web{"/there": first, otherHost.URL: otherHost, otherPort.URL: otherPort}[location]
		r, _ := arrived.request()
		if r == nil {
			t.Fatalf("%s was not reached", location)
		}
		got := r.Header.Get("Authorization") + r.Header.Get("Cookie") + r.Header.Get("X-Api-Key")
		if got != secrets || r.Header.Get("Accept") != "text/plain" || r.UserAgent() != "mine" {
			t.Errorf("to %s: secrets %q, want %q, in %v", location, got, secrets, r.Header)
		}
	}
}

// TestTrust: which move counts as staying with one host.
func TestTrust(t *testing.T) {
	tests := []struct {
		from, to string
		want     bool
	}{
		{"http://a.test/", "http://a.test/x", true},
		{"http://a.test/", "http://A.test:80/x", true},
		{"http://a.test/", "https://a.test/", true},
		{"http://a.test/", "http://b.test/", false},
		{"http://a.test/", "http://x.a.test/", false},
		{"http://a.test/", "http://a.test:8080/", false},
		{"http://a.test:8080/", "https://a.test:8443/", false},
		{"https://a.test/", "https://a.test:444/", false},
	}
	for _, tt := range tests {
		from, _ := parseTarget(tt.from)
		to, _ := parseTarget(tt.to)
		if got := from.trusts(to); got != tt.want {
			t.Errorf("%s -> %s: %v", tt.from, tt.to, got)
		}
	}
}
