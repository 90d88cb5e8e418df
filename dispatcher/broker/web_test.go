package broker

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A web is a web server on one loopback address, and what it was asked.
type web struct {
	*httptest.Server
	hits     atomic.Int32
	accepted atomic.Int32 // connections
	mu       sync.Mutex
	last     *http.Request // guarded by mu, its body read
	lastBody string
}

// serveWeb starts a web server on an address such as 127.0.0.2:0.
func serveWeb(t testing.TB, addr string, handler http.HandlerFunc) *web {
	t.Helper()
	w := startWeb(t, addr, handler)
	w.Start()
	return w
}

func startWeb(t testing.TB, addr string, handler http.HandlerFunc) *web {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	w := &web{}
	w.Server = &httptest.Server{Listener: countingListener{listener, &w.accepted}, Config: &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hits.Add(1)
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		w.last, w.lastBody = r, string(body)
		w.mu.Unlock()
		handler(rw, r)
	})}}
	t.Cleanup(func() {
		w.CloseClientConnections()
		w.Close()
	})
	return w
}

type countingListener struct {
	net.Listener
	n *atomic.Int32
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return conn, err
}

// request is the last request and its body.
func (w *web) request() (*http.Request, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.lastBody
}

func (w *web) port() string {
	_, port, _ := net.SplitHostPort(w.Listener.Addr().String())
	return port
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

func redirectTo(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

// serveRaw starts a server that lets speak do as it likes with each connection; it is
// closed when speak returns, or with the test.
func serveRaw(t testing.TB, speak func(conn net.Conn)) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		conns   []net.Conn
	)
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			running.Go(func() {
				defer conn.Close()
				speak(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return "http://" + listener.Addr().String() + "/"
}

// swallow reads until the other side is gone.
func swallow(conn net.Conn) { io.Copy(io.Discard, conn) }

// afterRequest is for a server that answers every request with the same bytes.
func afterRequest(response string) func(net.Conn) {
	return func(conn net.Conn) {
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			if strings.Contains(string(buf[:n]), "\r\n\r\n") {
				io.WriteString(conn, response)
			}
		}
	}
}
