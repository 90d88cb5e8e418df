package api

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dialyard/dispatcher/gateway"
)

// Gateway is a gateway as the API shows it.
type Gateway struct {
	Account string       `json:"account"`
	Name    string       `json:"name"`
	Up      bool         `json:"up"`
	URIs    []GatewayURI `json:"uris"`
	Calls   int          `json:"calls"` // under way

	Answered uint64 `json:"answered_total"`
	Refused  uint64 `json:"refused_total"` // for the callee's, the number's or the caller's sake
	Failed   uint64 `json:"failed_total"`  // so that the next was tried
	Skipped  uint64 `json:"skipped_total"` // calls that passed it over: down, or at its limit
}

// GatewayURI is one way to reach a gateway.
type GatewayURI struct {
	URI   string    `json:"uri"`
	Up    bool      `json:"up"`
	Since time.Time `json:"since,omitzero"` // of the last change
	Ping  time.Time `json:"last_ping,omitzero"`
}

// gateways lists the state of all, in order.
func (s *Server) gateways() (states []gateway.State) {
	for _, g := range s.Front.Table().Gateways {
		states = append(states, g.State())
	}
	slices.SortFunc(states, func(a, b gateway.State) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Name, b.Name))
	})
	return states
}

func (s *Server) listGateways(w http.ResponseWriter, _ *http.Request) {
	list := []Gateway{}
	for _, state := range s.gateways() {
		g := Gateway{
			Account: state.Account, Name: state.Name, Up: state.Up(), Calls: state.Calls,
			Answered: state.Answered, Refused: state.Refused, Failed: state.Failed,
			Skipped: state.Busy + state.TooFast + state.Down,
		}
		for _, u := range state.URIs {
			g.URIs = append(g.URIs, GatewayURI{URI: u.URI, Up: u.Up, Since: u.Since, Ping: u.Ping})
		}
		list = append(list, g)
	}
	answer(w, http.StatusOK, list)
}

var (
	descGatewayUp    = describe("gateway_up", "1 if the URI of a gateway is up.", "account", "gateway", "uri")
	descGatewayCalls = describe("gateway_calls", "Calls through a gateway.", "account", "gateway")
	descGatewayEnds  = describe("gateway_attempts_total", "Attempts through a gateway, by how they ended, and calls that passed it over.", "account", "gateway", "what")
)

type gatewayCollector struct{ *Server }

func (c *gatewayCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c *gatewayCollector) Collect(ch chan<- prometheus.Metric) {
	for _, g := range c.gateways() {
		for _, u := range g.URIs {
			up := 0.0
			if u.Up {
				up = 1
			}
			ch <- prometheus.MustNewConstMetric(descGatewayUp, prometheus.GaugeValue, up, g.Account, g.Name, u.URI)
		}
		ch <- prometheus.MustNewConstMetric(descGatewayCalls, prometheus.GaugeValue, float64(g.Calls), g.Account, g.Name)
		for what, n := range map[string]uint64{
			"answered": g.Answered, "refused": g.Refused, "failed": g.Failed,
			"skipped: busy": g.Busy, "skipped: rate": g.TooFast, "skipped: down": g.Down,
		} {
			ch <- prometheus.MustNewConstMetric(descGatewayEnds, prometheus.CounterValue, float64(n), g.Account, g.Name, what)
		}
	}
}
