package api

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"dialyard/dispatcher/broker"
)

var (
	descStoreHealthy = describe("store_healthy", "1 if what is written there is written soon.", "store")
	descStoreWaiting = describe("store_waiting", "Reads and writes that wait.", "store")
	descStoreFailed  = describe("store_failures_total", "Reads, writes and transactions that the disk refused.", "store")
	descStoreDropped = describe("store_dropped_total", "Changes given up: the queue was full.", "store")
	descStoreCommits = describe("store_commits_total", "Transactions that went well.", "store")
	descKeptCalls    = describe("kept_calls", "Calls that the store has, to outlive this process.")
	descExpiredKeeps = describe("expired_keys_total", "Keys of accounts removed because their time was over.")

	descAsks        = describe("asks_total", "What scripts asked of the broker, by what came of it.", "kind", "outcome")
	descAsking      = describe("asks", "What scripts ask of the broker now.", "kind")
	descConnections = describe("broker_connections", "Connections that are open for scripts, in use or kept.")
	descQuestions   = describe("dns_questions_total", "Questions of scripts to name servers, each try.")
	descRecalled    = describe("dns_recalled_total", "Questions of scripts whose answer was at hand.")
	descDials       = describe("broker_dials_total", "Addresses that a connection was tried to for scripts.")
	descRedirects   = describe("broker_redirects_total", "Redirects followed for scripts.")
	descClaims      = describe("claims", "Named limits of accounts: places held, names in use, rates in use, accounts.", "what")
)

var (
	errBehind = errors.New("the disk does not keep up")
	errRefuse = errors.New("the disk does not answer")
)

// EachStore calls f for every store, with what is wrong with it.
func (s *Server) EachStore(f func(name string, err error)) {
	calls := s.Calls.Stats().Err
	if calls == nil && !s.Calls.Healthy() {
		calls = errBehind
	}
	f("calls", calls)
	var keeps error
	if !s.Keeps.Healthy() {
		keeps = errRefuse
	}
	f("keeps", keeps)
	f("records", s.Records.Err())
	f("events", s.Journal.Err())
}

// storeCollector is what the disk, and the broker, did for calls and scripts.
type storeCollector struct{ *Server }

func (c *storeCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c *storeCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	c.EachStore(func(name string, err error) { gauge(descStoreHealthy, oneIf(err == nil), name) })
	calls, keeps := c.Calls.Stats(), c.Keeps.Stats()
	gauge(descStoreWaiting, calls.Waiting, "calls")
	gauge(descStoreWaiting, keeps.Waiting, "keeps")
	gauge(descKeptCalls, calls.Kept)
	count(descStoreFailed, calls.Failures, "calls")
	count(descStoreFailed, keeps.Failures, "keeps")
	count(descStoreFailed, c.Records.Failures(), "records")
	count(descStoreDropped, calls.Dropped, "calls")
	count(descStoreDropped, keeps.Refused, "keeps")
	count(descStoreDropped, c.Records.Dropped(), "records")
	count(descStoreCommits, calls.Commits, "calls")
	count(descStoreCommits, keeps.Commits, "keeps")
	count(descExpiredKeeps, keeps.Expired)
	if c.Front.Broker != nil {
		collectBroker(c.Front.Broker, gauge, count)
	}
	if c.Front.Claims != nil {
		claims := c.Front.Claims.Stats()
		gauge(descClaims, claims.Places, "places")
		gauge(descClaims, claims.Names, "names")
		gauge(descClaims, claims.Rates, "rates")
		gauge(descClaims, claims.Accounts, "accounts")
	}
}

func collectBroker(b *broker.Broker, gauge func(*prometheus.Desc, int, ...string), count func(*prometheus.Desc, uint64, ...string)) {
	b.Stats.Each(func(kind, outcome string, asks uint64) { count(descAsks, asks, kind, outcome) })
	for k := range broker.Kind(broker.Kinds) {
		gauge(descAsking, b.UnderWay(k), k.String())
	}
	gauge(descConnections, b.Connections())
	count(descQuestions, b.Stats.Questions.Load())
	count(descRecalled, b.Stats.Recalled.Load())
	count(descDials, b.Stats.Dials.Load())
	count(descRedirects, b.Stats.Redirects.Load())
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
