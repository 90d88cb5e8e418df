package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"time"

	"dialyard/cmd/dialyard/config"
	"dialyard/dialplans"
	"dialyard/dispatcher"
	"dialyard/dispatcher/store"
	"dialyard/health/probe"
)

// demoAccount owns the built-in examples.
const demoAccount = "demo"

// givenPlans reads the plans of plans.dir, or the built-in examples. The error
// names what could not be read; the rest is returned beside it.
func givenPlans(dir string) (map[store.PlanID]store.Bundle, error) {
	if dir == "" {
		return store.ReadAccount(dialplans.Examples(), demoAccount)
	}
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("plans.dir: %w", err)
	}
	var root fs.FS = os.DirFS(dir)
	plans, err := store.ReadPlans(root)
	if err != nil {
		err = fmt.Errorf("plans.dir %s: %w", dir, err)
	}
	return plans, err
}

// checkPlans has every plan that is new or changed compiled in a worker. It returns
// those that may be imported; the error joins one for each that may not.
func (f *front) checkPlans(ctx context.Context, given map[store.PlanID]store.Bundle) (map[store.PlanID]store.Bundle, error) {
	good := map[store.PlanID]store.Bundle{}
	var faults []error
	for id, bundle := range given {
		if f.plans != nil && f.plans.Imported(id, bundle.Hash()) {
			continue
		}
		wrong, err := f.pool.Check(ctx, bundle)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("check plan %s: %w", id, err))
		case wrong != nil:
			e := dialplans.ErrorFromProto(wrong)
			faults = append(faults, fmt.Errorf("plan %s: %w\n%s", id, e, e.Caret()))
		default:
			good[id] = bundle
		}
	}
	return good, errors.Join(faults...)
}

// importPlans makes checked plans live.
func (f *front) importPlans(good map[store.PlanID]store.Bundle) error {
	var faults []error
	for id, bundle := range good {
		v, changed, err := f.plans.Import(id, bundle, time.Now())
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("import plan %s: %w", id, err))
		case changed:
			f.log.Info("plan imported", "account", id.Account, "plan", id.Plan, "version", v.Number)
		}
	}
	return errors.Join(faults...)
}

// refresh puts routes, limits and the plans' live versions in force for all calls
// that arrive from now on.
func (f *front) refresh() {
	f.refreshing.Lock() // two publishes must not put their tables in force in the wrong order
	defer f.refreshing.Unlock()
	cfg := f.config.Load()
	t := &dispatcher.Table{
		Plans: map[dispatcher.PlanName]dispatcher.Plan{}, Accounts: map[string]*dispatcher.Account{},
		Trusted: append(ownAddress(f.started.SIP.Listen), cfg.SIP.Trusted...),
		Limits:  dispatcher.Limits{Wall: f.dispatcher.Policy.Wall, CPU: cfg.Limits.CPU, LogLines: cfg.Limits.LogLines},

		Forbidden: cfg.Dial.Forbid, Gateways: gateways(cfg, f.dispatcher.Table()),
	}
	for _, id := range f.plans.Plans() {
		if v, ok := f.plans.Live(id); ok {
			t.Plans[dispatcher.PlanName(id)] = dispatcher.Plan{Version: v.Number, Bundle: v.Hash}
			t.Accounts[id.Account] = account(cfg, id.Account, f.dispatcher.Policy, f.dispatcher.Table().Accounts[id.Account])
		}
	}
	t.Routes = routes(cfg.Routes)
	f.dispatcher.SetTable(t)
}

// ownAddress is where the monitor's probes come from: whoever else is trusted, the
// front must believe itself.
func ownAddress(listen []config.Listen) []netip.Prefix {
	target, err := probe.ParseTarget(frontURI(listen))
	if err != nil {
		return nil
	}
	addr, err := netip.ParseAddr(strings.Trim(target.Host, "[]"))
	if err != nil {
		return nil
	}
	return []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}
}

func routes(list []config.Route) []dispatcher.Route {
	var out []dispatcher.Route
	for _, r := range list {
		out = append(out, dispatcher.Route{
			FromIP: r.Match.FromIP, Domain: r.Match.Domain, User: r.Match.User,
			To: dispatcher.PlanName{Account: r.Account, Plan: r.Plan},
		})
	}
	return out
}

// recentBundles is how many bundles of at most 256 KiB are kept that workers have asked
// for: the next worker needs them too, perhaps when there is no descriptor left to read
// a file by.
const recentBundles = 64

// bundle finds the files of a version for a worker: the built-in health plan or
// one of the store's. Nobody changes them.
func (f *front) bundle(hash string) map[string][]byte {
	if hash == f.healthPlan.Hash() {
		return f.healthPlan
	}
	if b, ok := f.bundles.Get(hash); ok {
		return b
	}
	b, err := f.plans.Bundle(hash)
	if err != nil {
		f.log.Error("plan unreadable", "reason", err)
		return nil
	}
	f.bundles.Add(hash, b)
	return b
}
