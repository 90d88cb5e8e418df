package main

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"time"

	"dialyard/cmd/dialyard/config"
	"dialyard/dispatcher"
	"dialyard/dispatcher/broker"
	"dialyard/dispatcher/store"
	"dialyard/proto"
)

// reach is what scripts get at through the dispatcher, beside their account's keys.
type reach struct {
	claims *broker.Claims
	broker *broker.Broker
}

// openReach opens what scripts reach through the dispatcher: the accounts' keys and
// values, and the broker.
func (f *front) openReach() (err error) {
	if f.keeps, err = store.OpenKeeps(f.data.file("keeps.db"), nil); err != nil {
		return err
	}
	if damage := f.keeps.Damage(); damage != nil {
		f.log.Error("keys and values of accounts are lost", "reason", damage.Error())
	}
	cfg := f.config.Load()
	f.claims = &broker.Claims{}
	o := broker.Options{Keeper: keeper{f.keeps}, Claimer: f.claims, Log: f.log, Refused: ownAddresses(cfg)}
	for _, s := range cfg.SIP.Nameservers {
		o.Servers = append(o.Servers, s.String())
	}
	f.broker = broker.New(o)
	return nil
}

// ownAddresses are where this server listens for those who operate it: no script is to
// speak to its API.
func ownAddresses(cfg *config.Config) []netip.Prefix {
	at, err := netip.ParseAddrPort(cfg.HTTP.Listen)
	if err != nil || at.Addr().IsUnspecified() || at.Addr().IsLoopback() {
		return nil // loopback is reached by accounts only that name it
	}
	return []netip.Prefix{netip.PrefixFrom(at.Addr(), at.Addr().BitLen())}
}

// reachOf is what an account's scripts may reach, with so many HTTP requests of a run.
// An unchanged policy stays the same one: the broker keeps connections by it.
func reachOf(a config.Account, requests int, old *dispatcher.Account) *broker.Policy {
	p := &broker.Policy{Networks: a.Private, Fetches: requests}
	if requests == 0 {
		p.Fetches = -1 // 0 would be the default
	}
	for _, text := range a.HTTP {
		if h, err := broker.ParseHost(text); err == nil { // the configuration was checked
			p.Hosts = append(p.Hosts, h)
		}
	}
	if old != nil && old.Reach != nil && reflect.DeepEqual(old.Reach, p) {
		return old.Reach
	}
	return p
}

// keeper is the store as the broker knows it.
type keeper struct{ *store.Keeps }

// Do carries out what a script asks of its account's keys and values.
func (k keeper) Do(ctx context.Context, account string, ask *proto.Keep) (*proto.Kept, error) {
	kept, err := &proto.Kept{}, error(nil)
	ttl := time.Duration(ask.GetTtlS()) * time.Second
	switch ask.GetOp() {
	case proto.KeepOp_KEEP_OP_GET:
		kept.Value, kept.Found, err = k.Get(ctx, account, ask.GetKey())
	case proto.KeepOp_KEEP_OP_SET:
		err = k.Set(ctx, account, ask.GetKey(), ask.GetValue(), ttl)
	case proto.KeepOp_KEEP_OP_DELETE:
		kept.Found, err = k.Delete(ctx, account, ask.GetKey())
	case proto.KeepOp_KEEP_OP_INCREMENT:
		kept.Number, err = k.Increment(ctx, account, ask.GetKey(), ask.GetBy(), ttl)
	}
	return kept, refusalOf(err)
}

// refusals are the store's errors that a script is told about.
var refusals = map[error]broker.Refusal{
	store.ErrQuota:     {Outcome: broker.Limit, Detail: "quota"},
	store.ErrTooLarge:  {Outcome: broker.TooLarge},
	store.ErrKey:       {Outcome: broker.BadRequest, Detail: "key"},
	store.ErrTTL:       {Outcome: broker.BadRequest, Detail: "ttl"},
	store.ErrNotNumber: {Outcome: broker.BadRequest, Detail: "not a number"},
	store.ErrOverflow:  {Outcome: broker.BadRequest, Detail: "overflow"},
	store.ErrBusy:      {Outcome: broker.Busy},
}

func refusalOf(err error) error {
	for known, refusal := range refusals {
		if errors.Is(err, known) {
			return refusal
		}
	}
	return err
}
