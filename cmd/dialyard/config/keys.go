package config

import (
	"log/slog"
	"net/netip"
	"runtime"
	"strconv"
	"time"
)

// keys is the one definition of every key, in the order of "config print".
var keys = []key{
	{
		name: "sip.listen", def: "udp://127.0.0.1:5060,tcp://127.0.0.1:5060",
		doc:   "Where SIP is taken. Without a host: on all addresses; with port 0: on any free port.",
		value: many(func(c *Config) *[]Listen { return &c.SIP.Listen }, listenKind),
	},
	{
		name: "sip.advertise", def: "", note: "the socket's",
		doc:   "How peers reach this front, for Contact and Via.",
		value: one(func(c *Config) *HostPort { return &c.SIP.Advertise }, hostPortKind),
	},
	{
		name: "sip.trusted", def: "127.0.0.0/8",
		doc:   "Peers whose identity and X-Dialyard-* headers are believed, and who see health headers.",
		value: many(func(c *Config) *[]netip.Prefix { return &c.SIP.Trusted }, prefixKind),
	},
	{
		name: "sip.nameservers", def: "", note: "the system's",
		doc:   "Name servers that are asked where SIP goes.",
		value: many(func(c *Config) *[]HostPort { return &c.SIP.Nameservers }, nameserverKind),
	},
	{
		name: "http.listen", def: "127.0.0.1:8060",
		doc:   "The HTTP API, metrics and readiness.",
		value: one(func(c *Config) *string { return &c.HTTP.Listen }, socketKind),
	},
	{
		name: "data.dir", def: "./data",
		doc:   "Published plans, the admin token and call records lie here.",
		value: one(func(c *Config) *string { return &c.Data.Dir }, pathKind),
	},
	{
		name: "data.dsn", def: "",
		doc:   "A PostgreSQL database instead; not supported yet.",
		value: one(func(c *Config) *string { return &c.Data.DSN }, dsnKind),
	},
	{
		name: "workers.count", def: strconv.Itoa(cores()), note: "one per core, at least 2",
		doc:   "Worker processes.",
		value: one(func(c *Config) *int { return &c.Workers.Count }, count(1, 64)),
	},
	{
		name: "workers.runs", def: "256",
		doc:   "Runs at once in one worker.",
		value: one(func(c *Config) *int { return &c.Workers.Runs }, count(1, 10000)),
	},
	{
		name: "workers.memory_soft", def: "150MiB",
		doc:   "A worker above this is drained and replaced.",
		value: one(func(c *Config) *Size { return &c.Workers.MemorySoft }, sized(32*MiB, 64*GiB)),
	},
	{
		name: "workers.memory_hard", def: "256MiB",
		doc:   "A worker above this is ended by the kernel.",
		value: one(func(c *Config) *Size { return &c.Workers.MemoryHard }, sized(32*MiB, 64*GiB)),
	},
	{
		name: "workers.jail", def: string(JailBestEffort),
		doc:   "Lock workers in completely or do not start (require), as far as this kernel can (best-effort), or not (off).",
		value: one(func(c *Config) *Jail { return &c.Workers.Jail }, oneOf(JailRequire, JailBestEffort, JailOff)),
	},
	{
		name: "workers.shard", def: "0", note: "0, by rule",
		doc:   "Workers that the calls of one account may touch.",
		value: one(func(c *Config) *int { return &c.Workers.Shard }, count(0, 64)),
	},
	{
		name: "health.interval", def: "10s",
		doc:   "Time between two probe calls through a worker, give or take 20 %.",
		value: one(func(c *Config) *time.Duration { return &c.Health.Interval }, span(100*time.Millisecond, time.Hour)),
	},
	{
		name: "health.timeout", def: "2s",
		doc:   "A probe that takes longer has failed.",
		value: one(func(c *Config) *time.Duration { return &c.Health.Timeout }, span(10*time.Millisecond, time.Minute)),
	},
	{
		name: "health.fall", def: "3",
		doc:   "Failed probes in a row that make a worker suspect.",
		value: one(func(c *Config) *int { return &c.Health.Fall }, count(1, 100)),
	},
	{
		name: "health.rise", def: "2",
		doc:   "Good probes in a row that clear it again.",
		value: one(func(c *Config) *int { return &c.Health.Rise }, count(1, 100)),
	},
	{
		name: "drain.wait", def: "0s",
		doc: "Time at SIGTERM in which new calls are still taken while OPTIONS and /readyz say that they are not\n" +
			"wanted: two intervals of whoever asks, so that a proxy has heard before any call is refused.",
		value: one(func(c *Config) *time.Duration { return &c.Drain.Wait }, span(0, time.Hour)),
	},
	{
		name: "drain.time", def: "30s",
		doc:   "Time for scripts and ringing calls to end after that.",
		value: one(func(c *Config) *time.Duration { return &c.Drain.Time }, span(0, 24*time.Hour)),
	},
	{
		name: "limits.wall", def: "10s",
		doc:   "Time of one run, not counting dial.",
		value: one(func(c *Config) *time.Duration { return &c.Limits.Wall }, span(10*time.Millisecond, time.Hour)),
	},
	{
		name: "limits.cpu", def: "1s",
		doc:   "CPU time of one run.",
		value: one(func(c *Config) *time.Duration { return &c.Limits.CPU }, span(10*time.Millisecond, time.Hour)),
	},
	{
		name: "limits.total", def: "300s",
		doc:   "Time of one run, with dial.",
		value: one(func(c *Config) *time.Duration { return &c.Limits.Total }, span(10*time.Millisecond, 24*time.Hour)),
	},
	{
		name: "limits.legs", def: "20",
		doc:   "Outgoing legs of one run.",
		value: one(func(c *Config) *int { return &c.Limits.Legs }, count(0, 1000)),
	},
	{
		name: "limits.http", def: "20",
		doc:   "HTTP requests of one run; more than 20 are none the less refused.",
		value: one(func(c *Config) *int { return &c.Limits.HTTP }, count(0, 1000)),
	},
	{
		name: "limits.log_lines", def: "200",
		doc:   "Log lines of one run.",
		value: one(func(c *Config) *int { return &c.Limits.LogLines }, count(0, 100_000)),
	},
	{
		name: "limits.runs", byRule: unlessBuiltin("5"), note: "5, and 0 with the built-in plans",
		doc:   "Runs of one account at once, 0 for no limit.",
		value: one(func(c *Config) *int { return &c.Limits.Runs }, count(0, 1_000_000)),
	},
	{
		name: "limits.rate", byRule: unlessBuiltin("50"), note: "50, and 0 with the built-in plans",
		doc:   "Calls of one account each second, 0 for no limit.",
		value: one(func(c *Config) *int { return &c.Limits.Rate }, count(0, 1_000_000)),
	},
	{
		name: "limits.load", byRule: unlessTrusted("0.5"), note: "0.5, and 0 where limits.runs is 0",
		doc:   "Seconds of CPU that one account's scripts may take together each second, 0 for no limit.",
		value: one(func(c *Config) *float64 { return &c.Limits.Load }, rateKind),
	},
	{
		name: "limits.calls", def: "0",
		doc:   "Calls of one account at once, those that are answered too, 0 for no limit.",
		value: one(func(c *Config) *int { return &c.Limits.Calls }, count(0, 1_000_000)),
	},
	{
		name: "dial.forbid", byRule: forbidden, note: "loopback unless SIP is taken only there, link-local, multicast, unspecified, broadcast",
		doc:   "Addresses that no leg is ever sent to, whatever a plan or a name server says.",
		value: many(func(c *Config) *[]netip.Prefix { return &c.Dial.Forbid }, prefixKind),
	},
	{
		name: "dial.ring", def: "180s",
		doc:   "Longest time a leg rings.",
		value: one(func(c *Config) *time.Duration { return &c.Dial.Ring }, span(time.Second, 180*time.Second)),
	},
	{
		name: "dial.duration", def: "4h",
		doc:   "Longest time a call stays answered, 0s for no limit.",
		value: one(func(c *Config) *time.Duration { return &c.Dial.Duration }, span(0, longestCall)),
	},
	{
		name: "plans.dir", def: "", note: "the built-in examples, as account demo",
		doc:   "Plans, as DIR/ACCOUNT/PLAN/*.lua; watched for changes.",
		value: one(func(c *Config) *string { return &c.Plans.Dir }, pathKind),
	},
	{
		name: "accounts", def: "[]", note: "every account by limits and dial",
		doc: "What is different for an account: fallback is the SIP URI for callers whose run was lost, transfer\n" +
			"says what becomes of REFER (none, pass or call), duration, calls, rate and runs are its own limits.",
		value: accountList,
	},
	{
		name: "gateways", def: "[]", note: "none",
		doc: "Where plans may dial by name, as in dial(\"NUMBER@NAME\"). uris are SIP URIs or {uri, priority, weight};\n" +
			"ping 0s is never; calls and rate 0 are no limit; next_on are the codes that mean: try the next.",
		value: gatewayList,
	},
	{
		name: "routes", def: "[{account: demo, plan: main}]", note: "everything to demo/main",
		doc: "Which plan decides a call: the first route that matches. In match, from_ip is a CIDR, domain\n" +
			"a host and user a regular expression over the whole user part; what is absent matches all.",
		value: routeList,
	},
	{
		name: "log.level", def: "info",
		doc:   "Least level to log.",
		value: one(func(c *Config) *slog.Level { return &c.Log.Level }, levelKind),
	},
	{
		name: "log.format", def: "", note: "text on a terminal, else json",
		doc:   "Form of the log lines.",
		value: one(func(c *Config) *string { return &c.Log.Format }, optional(oneOf("text", "json"))),
	},
}

// unlessBuiltin is a limit that holds for plans of one's own; the built-in ones
// have none.
func unlessBuiltin(limit string) func(*Config) string {
	return func(c *Config) string {
		if c.Plans.Dir == "" {
			return "0"
		}
		return limit
	}
}

// unlessTrusted is a limit that holds where runs are limited as well.
func unlessTrusted(limit string) func(*Config) string {
	return func(c *Config) string {
		if c.Limits.Runs == 0 {
			return "0"
		}
		return limit
	}
}

// cores is what the scheduler may use, which knows the CPU limit of a container.
func cores() int { return min(max(2, runtime.GOMAXPROCS(0)), 64) }
