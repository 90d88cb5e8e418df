package api

import (
	"net/http"
	"runtime/metrics"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"dialyard/dispatcher"
	"dialyard/worker"
)

// metrics serves what Prometheus scrapes. Each number is read from its owner at
// the moment of the scrape; nothing is counted twice.
func (s *Server) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.MustRegister(&frontCollector{s}, &workerCollector{s}, &gatewayCollector{s}, &watchCollector{s}, &storeCollector{s})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("dialyard_"+name, help, labels, nil)
}

var (
	descCalls     = describe("calls_total", "Calls that began.")
	descOutcomes  = describe("call_outcomes_total", "Calls that ended, by outcome.", "reason")
	descSeconds   = describe("call_seconds", "Time from INVITE to the end of the call.")
	descNow       = describe("calls", "Calls waiting for their final answer.")
	descTalking   = describe("answered_calls", "Calls that are answered and not yet hung up.")
	descLegs      = describe("legs_total", "Legs that were to be called.")
	descStrays    = describe("stray_answers_total", "2xx that belonged to no call; they are acknowledged and hung up.")
	descRestored  = describe("restored_calls_total", "Calls taken back from an earlier process.")
	descUnsaved   = describe("unsaved_answers_total", "2xx that left before the store had the call.")
	descHeapLive  = describe("heap_live_bytes", "Heap that the last garbage collection of the front found in use.")
	descRuns      = describe("runs", "Runs out on workers.")
	descOpen      = describe("transactions", "Open SIP transactions.")
	descProbes    = describe("probes_total", "Probe calls taken.")
	descPanics    = describe("panics_total", "Panics survived.")
	descPackets   = describe("sip_messages_total", "SIP messages, by what became of them.", "what")
	descLost      = describe("lost_total", "Things dropped because a queue was full.", "what")
	descReady     = describe("workers_ready", "Workers that take runs.")
	descSlots     = describe("worker_slots", "Workers wanted.")
	descState     = describe("worker_state", "1 for the state a worker is in.", "worker", "state", "jail")
	descRSS       = describe("worker_rss_bytes", "Resident memory of a worker.", "worker")
	descHeap      = describe("worker_heap_bytes", "Live heap of a worker.", "worker")
	descWorkRuns  = describe("worker_runs", "Runs on a worker.", "worker")
	descWorkTotal = describe("worker_runs_total", "Runs given to a worker since its start.", "worker")
	descFds       = describe("worker_fds", "Open descriptors of a worker.", "worker")
	descGoroutine = describe("worker_goroutines", "Goroutines of a worker.", "worker")
	descAge       = describe("worker_age_seconds", "Time since a worker was started.", "worker")
	descProbeOK   = describe("worker_probe_ok", "1 if the last probe of a worker was good.", "worker")
	descChanges   = describe("worker_changes_total", "Workers that entered a state, by why.", "state", "why")
)

type frontCollector struct{ *Server }

func (c *frontCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c *frontCollector) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v int) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
	stats, edge := &c.Front.Stats, &c.Front.Edge.Stats
	count(descCalls, stats.Calls.Load())
	stats.EachOutcome(func(name string, calls uint64) { count(descOutcomes, calls, name) })
	c.collectSeconds(ch)
	calls, runs, transactions := stats.Now()
	gauge(descNow, calls)
	gauge(descTalking, stats.Talking())
	gauge(descHeapLive, int(liveHeap()))
	count(descLegs, stats.Legs.Load())
	count(descStrays, stats.Strays.Load())
	count(descRestored, stats.Restored.Load())
	count(descUnsaved, stats.Unsaved.Load())
	gauge(descRuns, runs)
	gauge(descOpen, transactions)
	count(descProbes, stats.Probes.Load())
	count(descPanics, stats.Panics.Load()+edge.Panics.Load())
	count(descPackets, edge.Received.Load(), "received")
	count(descPackets, edge.Sent.Load(), "sent")
	count(descPackets, edge.Refused.Load(), "refused")
	count(descPackets, edge.Dropped.Load(), "dropped")
	count(descPackets, edge.Failed.Load(), "failed")
	count(descLost, stats.ReportsLost.Load(), "report")
	count(descLost, stats.RecordsLost.Load()+c.Records.Dropped(), "record")
	count(descLost, stats.ScriptLinesLost.Load(), "script line")
}

// liveHeap is what the last collection left, or before the first one what is in use.
func liveHeap() uint64 {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	if live := samples[0].Value.Uint64(); live > 0 {
		return live
	}
	return samples[1].Value.Uint64()
}

func (c *frontCollector) collectSeconds(ch chan<- prometheus.Metric) {
	stats := &c.Front.Stats
	buckets, sum := map[float64]uint64{}, uint64(0)
	for i, bound := range dispatcher.Buckets {
		sum += stats.Seconds[i].Load()
		buckets[bound.Seconds()] = sum
	}
	sum += stats.Seconds[len(dispatcher.Buckets)].Load()
	ch <- prometheus.MustNewConstHistogram(descSeconds, sum, float64(stats.SecondsSum.Load())/1e9, buckets)
}

type workerCollector struct{ *Server }

func (c *workerCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c *workerCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(descReady, float64(c.Pool.Ready()))
	gauge(descSlots, float64(c.Front.Slots))
	for _, w := range c.Pool.All() {
		gauge(descState, 1, w.Name, w.State.String(), w.Jail)
		gauge(descRSS, float64(w.RSS), w.Name)
		gauge(descHeap, float64(w.Heap), w.Name)
		gauge(descWorkRuns, float64(w.Runs), w.Name)
		gauge(descFds, float64(w.Fds), w.Name)
		gauge(descGoroutine, float64(w.Goroutines), w.Name)
		gauge(descAge, w.Age, w.Name)
		if last, ok := c.Monitor.Last(w.Name); ok && w.State != worker.Disabled {
			gauge(descProbeOK, float64(oneIf(last.OK)), w.Name)
		}
		ch <- prometheus.MustNewConstMetric(descWorkTotal, prometheus.CounterValue, float64(w.RunsTotal), w.Name)
	}
	c.Pool.Changes(func(change worker.Change, n uint64) {
		ch <- prometheus.MustNewConstMetric(descChanges, prometheus.CounterValue, float64(n), change.State, change.Why)
	})
}
