package main

import (
	"dialyard/cmd/dialyard/config"
	"dialyard/dispatcher"
	"dialyard/dispatcher/call"
	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/locate"
)

// basePolicy is the policy of all calls, but for what an account says.
func basePolicy(cfg *config.Config) call.Policy {
	p := call.DefaultPolicy()
	p.Wall, p.Total, p.Legs = cfg.Limits.Wall, cfg.Limits.Total, cfg.Limits.Legs
	p.Ring, p.Duration = cfg.Dial.Ring, cfg.Dial.Duration
	return p
}

// account is what the configuration says of one.
func account(cfg *config.Config, name string, base call.Policy, old *dispatcher.Account) *dispatcher.Account {
	a := cfg.Account(name)
	base.Duration, base.Fallback, base.Ring = a.Duration, a.Fallback, cfg.Dial.Ring
	base.Transfer = map[config.Transfer]call.Transfer{
		config.TransferNone: call.TransferNone, config.TransferPass: call.TransferPass, config.TransferCall: call.TransferCall,
	}[a.Transfer]
	return &dispatcher.Account{Runs: a.Runs, Calls: a.Calls, Rate: a.Rate, Load: a.Load, Policy: &base, Reach: reachOf(a, cfg.Limits.HTTP, old)}
}

// gateways keeps those that stay as they are, with what is known of them.
func gateways(cfg *config.Config, old *dispatcher.Table) map[dispatcher.GatewayName]*gateway.Gateway {
	all := map[dispatcher.GatewayName]*gateway.Gateway{}
	for _, c := range cfg.Gateways {
		name := dispatcher.GatewayName{Account: c.Account, Gateway: c.Name}
		if g := old.Gateways[name]; g != nil && g.Same(c.Config) {
			all[name] = g
		} else {
			all[name] = gateway.New(c.Config)
		}
	}
	return all
}

// resolver asks the configured name servers, or the system's. TLS is not spoken yet.
func resolver(cfg *config.Config) *locate.Resolver {
	r := &locate.Resolver{Transports: []string{"udp", "tcp"}}
	for _, s := range cfg.SIP.Nameservers {
		r.Servers = append(r.Servers, s.String())
	}
	return r
}
