package dispatcher

import (
	"net/netip"
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// invite begins a call: 100 at once, then a plan and a run, or a refusal.
func (s *shard) invite(now time.Time, server *sip.Server) {
	s.layer.Respond(now, server, &sip.Reply{Status: 100})
	m, source := server.Request(), server.Peer()
	table := s.table.Load()
	trusted := table.trusts(source.Addr.Addr())
	if worker, nonce, ok := s.probed(now, m, trusted); ok {
		s.begin(now, server, s.newProbe(now, server, worker, nonce))
		return
	}
	name, plan, routed := table.route(m, source.Addr.Addr())
	record := call.Record{
		ID: server.Tag(), CallID: m.Get(sip.CallID), Account: name.Account, Plan: name.Plan, Version: plan.Version,
		From: m.Caller.URI.Text, To: m.Callee.URI.Text, Source: source.String(), Start: now,
	}
	account := table.Accounts[name.Account]
	l := &live{waits: waits{server: server, invite: m}, call: call.NewCall(record, s.policyOf(account))}
	l.Owner = l
	s.calls[server] = l
	s.current = l // to blame for a panic from here on
	s.Stats.Calls.Add(1)
	switch {
	case !routed:
		s.step(now, l, call.Refused{Outcome: call.NoRoute})
	case s.draining.Load():
		s.step(now, l, call.Refused{Outcome: call.NotAble})
	case !account.enter(now):
		s.step(now, l, call.Refused{Outcome: call.OverLimit})
	default:
		l.account = account
		l.start = s.newStart(m, source, name, plan, table, trusted)
		s.begin(now, server, l)
	}
}

// policyOf is the policy of an account's calls.
func (s *shard) policyOf(a *Account) *call.Policy {
	if a == nil || a.Policy == nil {
		return &s.Policy
	}
	return a.Policy
}

// begin enters a call into the shard's tables and lets it run.
func (s *shard) begin(now time.Time, server *sip.Server, l *live) {
	s.calls[server] = l
	s.runs[l.start.Run] = l
	s.step(now, l, call.Begin{})
}

// newStart makes the order to run a plan for this request.
func (s *shard) newStart(m *sip.Message, source sip.Peer, name PlanName, plan Plan, table *Table, trusted bool) *proto.Start {
	return &proto.Start{
		Run: s.newRun(), Attempt: 1, Bundle: plan.Bundle, Account: name.Account, Plan: name.Plan, Version: plan.Version,
		Facts: facts(m, source, trusted),
		Limits: &proto.Limits{
			WallMs: uint32(table.Limits.Wall.Milliseconds()), CpuMs: uint32(table.Limits.CPU.Milliseconds()),
			LogLines: uint32(table.Limits.LogLines),
		},
	}
}

// newRun makes a run id that leads back to this shard.
func (s *shard) newRun() uint64 {
	s.lastRun = (s.lastRun + 1) & (1<<56 - 1)
	return uint64(s.index)<<56 | s.lastRun
}

// facts is what a script may know of a request.
func facts(m *sip.Message, source sip.Peer, trusted bool) *proto.Facts {
	f := &proto.Facts{
		CallId: m.Get(sip.CallID), Source: source.String(),
		Ruri: m.Target.Text, RuriUser: m.Target.User, RuriHost: m.Target.Host,
		FromUri: m.Caller.URI.Text, FromUser: m.Caller.URI.User, FromHost: m.Caller.URI.Host, FromName: m.Caller.Name,
		ToUri: m.Callee.URI.Text, ToUser: m.Callee.URI.User, ToHost: m.Callee.URI.Host, ToName: m.Callee.Name,
		Headers: m.Block(), Body: []byte(m.Body),
	}
	if !trusted {
		f.Headers = withoutIdentity(m)
	}
	return f
}

// withoutIdentity drops what only a trusted peer may say: who the caller is, and
// anything in this program's own name.
func withoutIdentity(m *sip.Message) string {
	var b strings.Builder
	for _, h := range m.Headers {
		if !isIdentity(h.Text) {
			b.WriteString(h.Text + ": " + h.Value + "\r\n")
		}
	}
	return b.String()
}

func isIdentity(name string) bool {
	switch strings.ToLower(name) {
	case "p-asserted-identity", "diversion", "remote-party-id":
		return true
	}
	const own = "X-Dialyard-"
	return len(name) >= len(own) && strings.EqualFold(name[:len(own)], own)
}

// answerOther answers a request that is not part of any call.
func (s *shard) answerOther(now time.Time, server *sip.Server) {
	reply := sip.Reply{Headers: []sip.Field{{Name: "Allow", Value: sip.Allow}}}
	switch server.Request().Method {
	case "OPTIONS":
		reply = s.answerOptions(server.Peer().Addr.Addr())
	case "BYE", "UPDATE", "PRACK", "INFO":
		reply = sip.Reply{Status: 481}
	case "REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "REFER", "PUBLISH":
		reply.Status = 405
	default:
		reply.Status = 501
	}
	s.layer.Respond(now, server, &reply)
}

// answerOptions tells a proxy whether to send calls here, and a trusted one how
// the front is.
func (s *shard) answerOptions(source netip.Addr) sip.Reply {
	reply := sip.Reply{Status: 200, Headers: []sip.Field{
		{Name: "Allow", Value: sip.Allow}, {Name: "Accept", Value: "application/sdp"},
	}}
	if !s.Able() {
		reply.Status = 503
		reply.Headers = append(reply.Headers, s.retryAfter())
	}
	if s.table.Load().trusts(source) {
		reply.Headers = append(reply.Headers, s.state()...)
	}
	return reply
}
