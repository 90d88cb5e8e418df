package api

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/journal"
	"dialyard/health"
	"dialyard/worker"
)

var (
	descVerdicts    = describe("verdicts_total", "Verdicts of the health monitor on workers.", "verdict")
	descAlarm       = describe("health_alarm", "1 while the monitor mistrusts what it sees, because most workers seem sick together.")
	descProbeTimes  = describe("probe_seconds", "Time of the monitor's probe calls.", "result")
	descPenalty     = describe("penalty_workers", "Workers for suspects, by state.", "state")
	descStandings   = describe("plan_versions", "Versions of plans that are not innocent of the death of workers.", "standing")
	descQuarantined = describe("plan_quarantined", "1 for a version of a plan that does not run.", "account", "plan", "version")
	descJail        = describe("jail_info", "What holds the workers, and what is missing.", "jail", "missing")
	descBuild       = describe("build_info", "The version of this server.", "version")
	descEvents      = describe("events_total", "Events in the journal.", "kind", "what")
	descFollowers   = describe("event_followers", "Clients that follow the journal.")
)

// watchCollector is what supervision knows: of the workers, the plans and itself.
type watchCollector struct{ *Server }

func (c *watchCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c *watchCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	gauge(descJail, 1, c.Jail, c.JailGaps)
	gauge(descBuild, 1, c.Front.Version)
	gauge(descAlarm, oneIf(c.Monitor.Alarm()))
	gauge(descFollowers, int(c.followers.Load()))
	c.collectPenalty(gauge)
	c.collectCases(gauge)
	c.collectEvents(ch)
	for result, t := range map[string]*times{"good": &c.Probes.good, "bad": &c.Probes.bad} {
		count, seconds, buckets := t.histogram()
		ch <- prometheus.MustNewConstHistogram(descProbeTimes, count, seconds, buckets, result)
	}
}

func (c *watchCollector) collectPenalty(gauge func(d *prometheus.Desc, v int, labels ...string)) {
	states := map[worker.State]int{worker.Ready: 0}
	for _, w := range c.Pool.All() {
		if w.Penalty {
			states[w.State]++
		}
	}
	for state, n := range states {
		gauge(descPenalty, n, state.String())
	}
}

func (c *watchCollector) collectCases(gauge func(d *prometheus.Desc, v int, labels ...string)) {
	standings := map[blame.Standing]int{blame.Suspect: 0, blame.Guilty: 0}
	for _, one := range c.Front.Blame.Cases(time.Now()) {
		standings[one.Standing]++
		if one.Standing == blame.Guilty {
			gauge(descQuarantined, 1, one.Account, one.Plan, number(one.Number))
		}
	}
	for standing, n := range standings {
		gauge(descStandings, n, standing.String())
	}
}

// collectEvents counts what is in the journal; verdicts are counted by it too.
func (c *watchCollector) collectEvents(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	verdicts := map[string]uint64{}
	for v := health.Trust; v <= health.Kill; v++ {
		verdicts[v.String()] = 0
	}
	c.Journal.Counts(func(of journal.Count, n uint64) {
		count(descEvents, n, string(of.Kind), of.What)
		if of.Kind == journal.Verdict {
			verdicts[of.What] = n
		}
	})
	for verdict, n := range verdicts {
		count(descVerdicts, n, verdict)
	}
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}
