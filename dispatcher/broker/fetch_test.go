package broker

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"dialyard/proto"
)

// TestFetch: what is asked arrives, what is answered comes back.
func TestFetch(t *testing.T) {
	b, p := open(t, Options{}), atHome(t)
	w := serveWeb(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("X-Two", "one")
		w.Header().Add("X-Two", "two \xff")
		w.WriteHeader(418)
		io.WriteString(w, "short and stout")
	})
	for _, method := range methods {
		f := &proto.Fetch{Method: method, Url: w.URL + "/a%2Fb?q=%20&r", Headers: []*proto.Header{
			{Name: "x-key", Value: "1"}, {Name: "X-Key", Value: "2"}, {Name: "Accept", Value: "text/plain"}}}
		if method != "GET" && method != "HEAD" {
			f.Body = []byte("the body")
		}
		a := answer(t, b, asker(p), fetchOf(f))
		body := "short and stout"
		if method == "HEAD" {
			body = ""
		}
		wantBody(t, a, 418, body)
		var two []string
		for _, h := range a.GetFetched().GetHeaders() {
			if h.Name == "X-Two" {
				two = append(two, h.Value)
			}
		}
		if strings.Join(two, ",") != "one,two \ufffd" {
			t.Errorf("%s: X-Two is %q", method, two)
		}
		r, got := w.request()
		if r.Method != method || r.RequestURI != "/a%2Fb?q=%20&r" || got != string(f.Body) || r.UserAgent() != "dialyard" ||
			strings.Join(r.Header["X-Key"], ",") != "1,2" || r.Header.Get("Accept-Encoding") != "" || r.Host != w.Listener.Addr().String() {
			t.Errorf("%s arrived as %s %s %s %v, body %q", method, r.Method, r.Host, r.RequestURI, r.Header, got)
		}
	}
	if n := w.accepted.Load(); n != 1 {
		t.Errorf("%d connections for %d requests one after the other", n, len(methods))
	}
}

// TestHangingServers: whatever a server does slowly ends with the time limit.
func TestHangingServers(t *testing.T) {
	drip := func(prefix string) func(net.Conn) {
		return func(conn net.Conn) {
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, prefix)
			for {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
	tests := map[string]func(net.Conn){
		"black hole":         swallow,
		"dripping body":      drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
		"dripping header":    drip("HTTP/1.1 200 OK\r\nX: "),
		"dripping status":    drip(""),
		"body never ends":    afterRequest("HTTP/1.1 200 OK\r\n\r\nsome"),
		"chunk never ends":   afterRequest("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
		"another protocol":   afterRequest("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
		"continues for ever": drip("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: "),
	}
	for name, speak := range tests {
		t.Run(name, func(t *testing.T) {
			b := open(t, Options{})
			url := serveRaw(t, speak)
			f := &proto.Fetch{Method: "GET", Url: url, TimeoutMs: 200}
			began := time.Now()
			wantError(t, answer(t, b, asker(atHome(t)), fetchOf(f)), "timeout")
			if took := time.Since(began); took < 150*time.Millisecond || took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			waitUntil(t, func() bool { return b.Connections() == 0 })
		})
	}
}

// TestTimeIsThePolicys: a script cannot ask for more time than its account has.
func TestTimeIsThePolicys(t *testing.T) {
	b, p := open(t, Options{}), atHome(t)
	p.FetchTime = 150 * time.Millisecond
	f := &proto.Fetch{Method: "GET", Url: serveRaw(t, swallow), TimeoutMs: 1<<32 - 1}
	began := time.Now()
	wantError(t, answer(t, b, asker(p), fetchOf(f)), "timeout")
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestSilentTLS: a server that accepts and says nothing holds no connection longer
// than a request wants it. net/http would keep the handshake up.
func TestSilentTLS(t *testing.T) {
	b, p := open(t, Options{}), atHome(t)
	p.FetchTime = time.Minute
	greeted := make(chan struct{}, 1)
	url := serveRaw(t, func(conn net.Conn) {
		if n, _ := conn.Read(make([]byte, 1)); n == 1 {
			greeted <- struct{}{}
		}
		swallow(conn)
	})
	url = strings.Replace(url, "http:", "https:", 1)
	wantError(t, answer(t, b, asker(p), fetchOf(&proto.Fetch{Method: "GET", Url: url, TimeoutMs: 200})), "timeout")
	if len(greeted) == 0 {
		t.Error("no handshake began")
	}
	waitUntil(t, func() bool { return b.Connections() == 0 })
}

// TestBadAnswers: what is no answer, or too much of one, has its words.
func TestBadAnswers(t *testing.T) {
	long := strings.Repeat("x", maxFetchBytes+1)
	tests := map[string]struct{ response, words string }{
		"no HTTP":             {"220 mail.example.net ESMTP\r\n", "bad answer"},
		"length too large":    {"HTTP/1.1 200 OK\r\nContent-Length: 200000000000\r\n\r\nx", "too large"},
		"body too large":      {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + long, "too large"},
		"chunks too large":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n" + long, "too large"},
		"headers too large":   {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 100) + "\r\n", "too large"},
		"two lengths":         {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "bad answer"},
		"switching protocols": {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "bad answer: status"},
		"bad redirect":        {"HTTP/1.1 302 Found\r\nLocation: gopher://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", "bad answer: redirect"},
		"redirect with user":  {"HTTP/1.1 302 Found\r\nLocation: http://u:p@127.0.0.1/\r\nContent-Length: 0\r\n\r\n", "bad answer: redirect"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := open(t, Options{})
			wantError(t, answer(t, b, asker(atHome(t)), get(serveRaw(t, afterRequest(tt.response)))), tt.words)
		})
	}
}

// TestLargest: a body of exactly the limit is an answer, also a limit of the policy.
func TestLargest(t *testing.T) {
	b := open(t, Options{})
	for _, limit := range []int{0, 10, maxFetchBytes * 2} {
		p := atHome(t)
		p.FetchBytes = limit
		most := maxFetchBytes
		if limit == 10 {
			most = 10
		}
		size := most
		w := serveWeb(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", size)) })
		wantBody(t, answer(t, b, asker(p), get(w.URL)), 200, strings.Repeat("x", most))
		size = most + 1
		wantError(t, answer(t, b, asker(p), get(w.URL)), "too large")
	}
}

// TestGzipBomb: nothing is unpacked here, whether or not it was asked for.
func TestGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 10<<20))
	z.Close()
	if bomb.Len() > maxFetchBytes {
		t.Fatalf("the bomb has %d bytes", bomb.Len())
	}
	w := serveWeb(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb.Bytes())
	})
	b := open(t, Options{})
	for _, headers := range [][]*proto.Header{nil, {{Name: "Accept-Encoding", Value: "gzip"}}} {
		a := answer(t, b, asker(atHome(t)), fetchOf(&proto.Fetch{Method: "GET", Url: w.URL, Headers: headers}))
		wantBody(t, a, 200, bomb.String())
	}
}

// TestManyHeaders: a response's headers stop where the wire has no more room.
func TestManyHeaders(t *testing.T) {
	b := open(t, Options{})
	for _, size := range []int{10, 1000} {
		w := serveWeb(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 25 {
				w.Header()["X-"+string(rune('A'+i))] = []string{strings.Repeat("y", size), "z", ""}
			}
		})
		a := answer(t, b, asker(atHome(t)), get(w.URL))
		bytes := 0
		for _, h := range a.GetFetched().GetHeaders() {
			bytes += len(h.Name) + len(h.Value)
		}
		n := len(a.GetFetched().GetHeaders())
		if n > maxResponseHeaders || bytes > maxResponseHeaderBytes || n < 40 {
			t.Errorf("%d headers with %d bytes", n, bytes)
		}
	}
}

// TestCertificates: whom a name is spoken for matters; the words say so.
func TestCertificates(t *testing.T) {
	w := startWeb(t, "127.0.0.1:0", say("secret"))
	w.Config.ErrorLog = quiet
	w.StartTLS()
	roots := x509.NewCertPool()
	roots.AddCert(w.Certificate())
	wantBody(t, answer(t, open(t, Options{Roots: roots}), asker(atHome(t)), get(w.URL)), 200, "secret")
	wantError(t, answer(t, open(t, Options{Roots: roots}), asker(atHome(t)), get("https://localhost:"+w.port())), "unreachable: certificate")
	wantError(t, answer(t, open(t, Options{}), asker(atHome(t)), get(w.URL)), "unreachable: certificate")
}

// TestUnreachable: nobody listens.
func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	wantError(t, answer(t, open(t, Options{}), asker(atHome(t)), get("http://"+listener.Addr().String())), "unreachable")
}

// TestNoProxy: the environment has no say.
func TestNoProxy(t *testing.T) {
	proxy, w := serveWeb(t, "127.0.0.1:0", say("proxy")), serveWeb(t, "127.0.0.1:0", say("direct"))
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	b := open(t, Options{})
	if p := b.client("a", atHome(t)).Proxy; p != nil { // net/http never takes a proxy for loopback
		t.Error("a proxy would be used")
	}
	wantBody(t, answer(t, b, asker(atHome(t)), get(w.URL)), 200, "direct")
}

// TestAddresses: the address decides, whatever the allow-list says, and what the
// operator refuses is refused.
func TestAddresses(t *testing.T) {
	w := serveWeb(t, "127.0.0.1:0", say("inside"))
	everything := &Policy{Hosts: hosts(t, "*:*"), FetchTime: 3 * time.Second}
	listed := &Policy{Hosts: hosts(t, "127.0.0.1:*", "localhost:*", "[::ffff:127.0.0.1]:*", "169.254.169.254"), FetchTime: 3 * time.Second}
	for _, p := range []*Policy{everything, listed} {
		b := open(t, Options{})
		for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"} {
			wantError(t, answer(t, b, asker(p), get("http://"+host+":"+w.port())), "not allowed: address")
		}
		wantError(t, answer(t, b, asker(p), get("http://169.254.169.254/latest/meta-data/")), "not allowed: address")
	}
	b := open(t, Options{Refused: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	wantError(t, answer(t, b, asker(atHome(t)), get(w.URL)), "not allowed: address")
	wantError(t, answer(t, b, asker(nil), get(w.URL)), "not allowed: host")
	if n := w.accepted.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestNoSharedConnections: an open connection is no way in for another account, nor
// for the same one after its policy has changed.
func TestNoSharedConnections(t *testing.T) {
	w := serveWeb(t, "127.0.0.1:0", say("inside"))
	b, open := open(t, Options{}), atHome(t)
	closed := &Policy{Hosts: open.Hosts}
	wantBody(t, answer(t, b, asker(open), get(w.URL)), 200, "inside")
	other := asker(closed)
	other.Account = "b"
	wantError(t, answer(t, b, other, get(w.URL)), "not allowed: address")
	wantError(t, answer(t, b, asker(closed), get(w.URL)), "not allowed: address")
	wantBody(t, answer(t, b, asker(open), get(w.URL)), 200, "inside")
	if n := w.accepted.Load(); n != 1 {
		t.Errorf("%d connections of one account", n)
	}
	other.Policy = open
	wantBody(t, answer(t, b, other, get(w.URL)), 200, "inside")
	if n := w.accepted.Load(); n != 2 {
		t.Errorf("%d connections of two accounts", n)
	}
}

// TestManyAccounts: clients that are not used any more are let go, with what they hold.
func TestManyAccounts(t *testing.T) {
	w := serveWeb(t, "127.0.0.1:0", say("x"))
	b, p := open(t, Options{}), atHome(t)
	for i := range maxClients + 20 {
		from := asker(p)
		from.Account = string(rune('a' + i))
		wantBody(t, answer(t, b, from, get(w.URL)), 200, "x")
	}
	waitUntil(t, func() bool { return b.Connections() <= maxClients })
	if n := len(b.clients.of); n > maxClients {
		t.Errorf("%d clients are kept", n)
	}
}

// TestCancelledFetch: the end of the run, and of the broker, end what is under way.
func TestCancelledFetch(t *testing.T) {
	url := serveRaw(t, swallow)
	p := atHome(t)
	p.FetchTime = time.Minute
	t.Run("run", func(t *testing.T) {
		b := open(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			waitUntil(t, func() bool { return b.Connections() == 1 })
			cancel()
		}()
		wantError(t, answerUnder(ctx, t, b, asker(p), get(url)), "cancelled")
		waitUntil(t, func() bool { return b.Connections() == 0 })
	})
	t.Run("broker", func(t *testing.T) {
		b := New(Options{})
		go func() {
			waitUntil(t, func() bool { return b.Connections() == 1 })
			b.Close()
		}()
		wantError(t, answer(t, b, asker(p), get(url)), "cancelled")
		wantError(t, answer(t, b, asker(p), get(url)), "busy")
	})
}
