package dispatcher

import (
	"time"

	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/locate"
	"dialyard/dispatcher/sip"
)

// pinger asks the gateways whether they are there. It lives in the first shard: its
// OPTIONS are transactions like any other.
type pinger struct{ sip.Timer }

// ping is one OPTIONS under way.
type ping struct {
	sip.Timer // until it counts as unanswered
	gateway   *gateway.Gateway
	uri       int
	client    *sip.Client
}

const (
	pingPause = time.Second     // how often gateways are looked at that have no ping due
	pingTime  = 2 * time.Second // for an answer
)

// ping sends what is due and comes back when the next is.
func (s *shard) ping(now time.Time) {
	next := now.Add(pingPause)
	for _, g := range s.table.Load().Gateways {
		uri, at := g.Due(now, s.random)
		if uri >= 0 {
			s.pingOne(now, g, uri)
		}
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	s.queue.Set(&s.pinger.Timer, next)
}

func (s *shard) pingOne(now time.Time, g *gateway.Gateway, index int) {
	p := &ping{gateway: g, uri: index}
	p.Owner = p
	uri, err := sip.ParseURI(g.Config().URIs[index].URI)
	if err != nil {
		return
	}
	t := targetOf(uri.Text, uri.Host)
	if hops, ok := s.hops(t); ok {
		s.sendPing(now, p, hops)
		return
	}
	s.lookUp(t, func(now time.Time, hops []locate.Hop) { s.sendPing(now, p, hops) })
}

// sendPing asks at the first address.
func (s *shard) sendPing(now time.Time, p *ping, hops []locate.Hop) {
	if len(hops) == 0 || s.table.Load().forbids(hops[0].Addr.Addr()) {
		s.pinged(now, p, 408)
		return
	}
	peer, err := s.Route(hops[0].Transport, hops[0].Addr)
	if err != nil {
		s.pinged(now, p, 503)
		return
	}
	uri := p.gateway.Config().URIs[p.uri].URI
	p.client = s.layer.Send(now, &sip.Request{
		Method: "OPTIONS", URI: uri, From: "<sip:dialyard@" + peer.Self + ">;tag=" + s.layer.NewTag(), To: "<" + uri + ">",
		CallID: s.layer.NewTag() + s.layer.NewTag(), Seq: 1, Hops: sip.MaxHops,
		Headers: []sip.Field{contact(peer), {Name: "Accept", Value: "application/sdp"}, {Name: "User-Agent", Value: sip.UserAgent}},
	}, peer, p)
	s.queue.Set(&p.Timer, now.Add(pingTime))
}

// pinged takes what came of a ping; 408 if there was no answer.
func (s *shard) pinged(now time.Time, p *ping, code int) {
	if code < 200 {
		return
	}
	s.queue.Set(&p.Timer, time.Time{})
	if p.client != nil {
		s.layer.Abort(p.client)
	}
	if p.gateway.Pinged(p.uri, now, gateway.Alive(code)) {
		c := p.gateway.Config()
		s.Log.Warn("gateway", "account", c.Account, "gateway", c.Name, "uri", c.URIs[p.uri].URI, "up", gateway.Alive(code), "status", code)
	}
	s.ping(now)
}
