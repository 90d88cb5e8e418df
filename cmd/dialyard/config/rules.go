package config

import (
	"fmt"
	"slices"
)

// rule is what must hold between the values of keys that are each right by
// themselves.
type rule struct {
	keys   []string               // the first one set is where a breach is reported
	breach func(c *Config) string // what is wrong, empty if nothing
}

var rules = []rule{
	{[]string{"sip.listen"}, func(c *Config) string {
		if len(c.SIP.Listen) == 0 {
			return "want at least one address, got none"
		}
		for _, l := range c.SIP.Listen {
			if l.Transport != "udp" && l.Transport != "tcp" {
				return l.Transport + " is not supported yet, use udp or tcp"
			}
		}
		return ""
	}},
	{[]string{"data.dir"}, func(c *Config) string {
		return unless(c.Data.Dir != "", "want a path, got nothing")
	}},
	{[]string{"data.dsn"}, func(c *Config) string {
		return unless(c.Data.DSN == "", "PostgreSQL is not supported yet, leave it out")
	}},
	{[]string{"workers.memory_soft", "workers.memory_hard"}, func(c *Config) string {
		return unless(c.Workers.MemorySoft < c.Workers.MemoryHard,
			"memory_soft (%s) must be less than memory_hard (%s)", c.Workers.MemorySoft, c.Workers.MemoryHard)
	}},
	{[]string{"workers.shard", "workers.count"}, func(c *Config) string {
		return unless(c.Workers.Shard <= c.Workers.Count,
			"shard (%d) must not be more than count (%d)", c.Workers.Shard, c.Workers.Count)
	}},
	{[]string{"health.timeout", "health.interval"}, func(c *Config) string {
		return unless(c.Health.Timeout <= c.Health.Interval,
			"timeout (%s) must not be more than interval (%s)", spanText(c.Health.Timeout), spanText(c.Health.Interval))
	}},
	{[]string{"limits.wall", "limits.total"}, func(c *Config) string {
		return unless(c.Limits.Wall <= c.Limits.Total,
			"wall (%s) must not be more than total (%s)", spanText(c.Limits.Wall), spanText(c.Limits.Total))
	}},
}

func unless(holds bool, problem string, args ...any) string {
	if holds {
		return ""
	}
	return fmt.Sprintf(problem, args...)
}

// checkRules leaves out the rules about keys whose value is wrong already.
func (r *reader) checkRules() {
	for _, rule := range rules {
		if slices.ContainsFunc(rule.keys, func(name string) bool { return r.failed[name] }) {
			continue
		}
		problem := rule.breach(r.config)
		if problem == "" {
			continue
		}
		name := rule.keys[0]
		if set := slices.IndexFunc(rule.keys, r.config.isSet); set >= 0 {
			name = rule.keys[set]
		}
		r.fail(r.config.places[name], name, problem)
	}
	r.checkAccounts()
}

func (c *Config) isSet(name string) bool {
	_, set := c.places[name]
	return set
}
