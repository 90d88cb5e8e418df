package dispatcher

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/locate"
	"dialyard/dispatcher/sip"
)

// route is one Request-URI to try, and what says where it is sent.
type route struct {
	uri    string
	target locate.Target
}

// maxLookups bounds the names being looked up at once, in all shards.
const maxLookups = 1024

// lookupTime is how long one look-up may take.
const lookupTime = 8 * time.Second

// plot finds the routes of a leg: its URI, or those of a gateway in their order.
// A code other than 0 says why there are none.
func (s *shard) plot(now time.Time, g *leg) (code int, reason string) {
	target := g.live.call.Legs[g.index].URI
	user, name, isGateway := gatewayTarget(target)
	if !isGateway {
		uri, err := sip.ParseURI(target)
		if err != nil || uri.Host == "" {
			return 404, "no such target"
		}
		g.routes = []route{{uri: uri.Text, target: targetOf(uri.Text, uri.Host)}}
		return 0, ""
	}
	gw := s.table.Load().Gateways[GatewayName{g.live.call.Account, name}]
	if gw == nil {
		return 404, "no such gateway"
	}
	order := gw.Order(s.random)
	if len(order) == 0 {
		return 503, "gateway is down"
	}
	if gw.Enter(now) != gateway.Entered {
		return 503, "gateway is at its limit"
	}
	g.gateway = gw
	c := gw.Config()
	for _, i := range order {
		uri, err := sip.ParseURI(withUser(c.URIs[i].URI, user))
		if err != nil {
			continue
		}
		r := route{uri: uri.Text, target: targetOf(uri.Text, uri.Host)}
		if proxy, err := sip.ParseURI(c.Proxy); err == nil && c.Proxy != "" {
			r.target = targetOf(proxy.Text, proxy.Host)
		}
		g.routes = append(g.routes, r)
	}
	return 0, ""
}

// gatewayTarget reads USER@GATEWAY: no scheme, and a name without dot or colon.
func gatewayTarget(target string) (user, name string, ok bool) {
	user, name, ok = strings.Cut(strings.TrimPrefix(target, "sip:"), "@")
	return user, name, ok && name != "" && !strings.ContainsAny(name, ".:;[") && name != "localhost"
}

// withUser puts a user into the URI of a gateway, in place of any it has.
func withUser(uri, user string) string {
	scheme, rest, _ := strings.Cut(uri, ":")
	if at := strings.IndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	return scheme + ":" + user + "@" + rest
}

// targetOf reads from a URI what finds its address.
func targetOf(uri, host string) locate.Target {
	t := locate.Target{Host: host, Secure: strings.HasPrefix(strings.ToLower(uri), "sips:")}
	t.Port = sip.PortOf(uri)
	t.Transport, _ = sip.URIParameter(uri, "transport")
	if maddr, ok := sip.URIParameter(uri, "maddr"); ok {
		t.Host = maddr
	}
	return t
}

// hops finds the addresses of a target without asking anybody; ok is false if a
// name server has to be asked.
func (s *shard) hops(t locate.Target) (hops []locate.Hop, ok bool) {
	if hop, ok := locate.Literal(t); ok {
		return []locate.Hop{hop}, true
	}
	return s.Resolver.Cached(t)
}

// lookUp asks the name servers, outside of the shard, and takes what they say to found
// on the shard's goroutine. It reports false if too many names are being looked up
// already.
func (s *shard) lookUp(t locate.Target, found func(time.Time, []locate.Hop)) bool {
	if s.lookups.Add(1) > maxLookups {
		s.lookups.Add(-1)
		return false
	}
	s.running.Go(func() {
		defer s.lookups.Add(-1)
		ctx, cancel := context.WithTimeout(s.life, lookupTime)
		defer cancel()
		hops, _ := s.Resolver.Lookup(ctx, t)
		s.insist(event{task: func(now time.Time) { found(now, hops) }})
	})
	return true
}

// wayTo finds the peer for a request within a dialog: by its route or remote
// target if that is an address or known already, else back to where the other side
// was heard from.
func (s *shard) wayTo(d *sip.Dialog, heard sip.Peer) sip.Peer {
	uri, err := sip.ParseURI(d.NextHop())
	if err != nil || uri.Host == "" {
		return heard
	}
	hops, ok := s.hops(targetOf(uri.Text, uri.Host))
	if !ok || len(hops) == 0 || hops[0].Addr == heard.Addr && hops[0].Transport == heard.Transport {
		return heard
	}
	if s.table.Load().forbids(hops[0].Addr.Addr()) || s.IsLocal(hops[0].Addr) {
		return heard
	}
	peer, err := s.Route(hops[0].Transport, hops[0].Addr)
	if err != nil {
		return heard
	}
	return peer
}

// newInvite makes the INVITE of a leg; its Request-URI and Contact follow when the
// address is known. Its Hops are below 0 if the caller's were used up.
func (s *shard) newInvite(g *leg) *sip.Request {
	l, hops := g.live, sip.MaxHops
	if n, err := strconv.Atoi(l.invite.Get(sip.MaxForwards)); err == nil {
		hops = n - 1
	}
	spec := &l.call.Legs[g.index].Target
	r := &sip.Request{
		Method: "INVITE", CallID: s.layer.NewTag() + s.layer.NewTag(), Seq: 1, Hops: hops, Body: l.invite.Body,
		From: fromOf(l.invite.Caller, spec.From, g.gateway) + ";tag=" + s.layer.NewTag(),
	}
	for _, f := range s.passed(l.invite, l.server.Peer()) {
		r.Headers = append(r.Headers, sip.Field(f))
	}
	if l.invite.Find("Session-ID") == "" {
		r.Headers = append(r.Headers, sip.Field{Name: "Session-ID", Value: s.sessionID() + ";remote=00000000000000000000000000000000"})
	}
	r.Headers = append(r.Headers, identity(l.invite.Caller, g.gateway)...)
	r.Headers = append(r.Headers, sip.Field{Name: "Allow", Value: sip.Allow}, sip.Field{Name: "User-Agent", Value: sip.UserAgent})
	for _, f := range spec.Headers {
		r.Headers = withField(r.Headers, sip.Field(f))
	}
	return r
}

// sessionID is a UUID without its dashes (RFC 7989 §4.1).
func (s *shard) sessionID() string {
	const hex = "0123456789abcdef"
	var id [32]byte
	for i := 0; i < len(id); i += 16 {
		for bits, j := s.random.Uint64(), i; j < i+16; j++ {
			id[j] = hex[bits&15]
			bits >>= 4
		}
	}
	id[12], id[16] = '4', hex[8|id[16]&3]
	return string(id[:])
}

// fromOf is the From of a leg without its tag: the caller's, but for what the
// script or the gateway says.
func fromOf(caller sip.Address, over call.From, gw *gateway.Gateway) string {
	name, user, host := caller.Name, caller.URI.User, caller.URI.Host
	scheme := "sip:"
	if gw != nil {
		c := gw.Config()
		if c.FromDomain != "" {
			host = c.FromDomain
		}
		if c.CallerID != gateway.CallerFrom && c.Username != "" {
			user = c.Username
		}
	}
	if over.Name != "" {
		name = over.Name
	}
	if over.User != "" {
		user = over.User
	}
	if over.Host != "" {
		host = over.Host
	}
	if host == "" { // a tel URI has none
		host = "anonymous.invalid"
	}
	if user != "" {
		user += "@"
	}
	from := "<" + scheme + user + host + ">"
	if name != "" {
		from = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `" ` + from
	}
	return from
}

// identity says who calls in the form a gateway wants.
func identity(caller sip.Address, gw *gateway.Gateway) []sip.Field {
	if gw == nil || caller.URI.Host == "" {
		return nil
	}
	c := gw.Config()
	uri := "<sip:" + caller.URI.User + "@" + caller.URI.Host + ">"
	if c.FromDomain != "" {
		uri = "<sip:" + caller.URI.User + "@" + c.FromDomain + ">"
	}
	switch c.CallerID {
	case gateway.CallerPAI:
		return []sip.Field{{Name: "P-Asserted-Identity", Value: uri}}
	case gateway.CallerRPID:
		return []sip.Field{{Name: "Remote-Party-ID", Value: uri + ";party=calling;screen=yes"}}
	}
	return nil
}

// forbids reports whether no leg may be sent to an address.
func (t *Table) forbids(addr netip.Addr) bool {
	for _, p := range t.Forbidden {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}
