package broker

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Bounds of what is kept between requests.
const (
	maxClients = 128 // accounts that made a request lately
	maxIdle    = 8   // connections of each
	idleTime   = 15 * time.Second
	aliveEvery = 15 * time.Second // between two probes of TCP
)

// clients are the HTTP clients of the accounts that made a request lately. Each
// policy of an account has its own: a connection that one was allowed to make must
// not serve another.
type clients struct {
	mu sync.Mutex // guards of; held for one look into the map, or through it if one must go
	of map[clientKey]*client
}

type clientKey struct {
	account string
	policy  *Policy
}

type client struct {
	*http.Transport
	used time.Time
}

// client finds or makes the client of an account.
func (b *Broker) client(account string, p *Policy) *http.Transport {
	c := &b.clients
	key, now := clientKey{account, p}, time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.of[key]; known != nil {
		known.used = now
		return known.Transport
	}
	if c.of == nil {
		c.of = make(map[clientKey]*client)
	}
	if len(c.of) >= maxClients {
		c.forgetOne()
	}
	made := &client{b.newTransport(p), now}
	c.of[key] = made
	return made.Transport
}

// forgetOne lets go of the client that was not used for longest. Its requests under
// way go on.
func (c *clients) forgetOne() {
	var (
		victim clientKey
		oldest *client
	)
	for key, known := range c.of {
		if oldest == nil || known.used.Before(oldest.used) {
			victim, oldest = key, known
		}
	}
	delete(c.of, victim)
	oldest.CloseIdleConnections()
}

func (c *clients) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, known := range c.of {
		delete(c.of, key)
		known.CloseIdleConnections()
	}
}

// newTransport makes a client that reaches what a policy allows. It speaks HTTP/1.1
// and unpacks nothing: a body is as large as it was on the wire. Nothing is
// taken from the environment, and it keeps no cookies.
func (b *Broker) newTransport(p *Policy) *http.Transport {
	dialer := net.Dialer{KeepAlive: aliveEvery, Control: func(_, address string, _ syscall.RawConn) error {
		addr, err := netip.ParseAddrPort(address)
		if err != nil || !p.allowsAddr(addr.Addr(), b.options.Refused) {
			return Refusal{NotAllowed, "address"}
		}
		return nil
	}}
	return &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return b.dial(wantedBy(ctx), &dialer, address)
		},
		DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return b.dialTLS(wantedBy(ctx), &dialer, address)
		},
		DisableCompression:     true,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: 2 * maxResponseHeaderBytes,
	}
}
