package api

import (
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"dialyard/dispatcher"
	"dialyard/dispatcher/journal"
	"dialyard/dispatcher/store"
	"dialyard/health"
	"dialyard/worker"
)

// A Server answers HTTP requests from what it is given.
type Server struct {
	Front   *dispatcher.Dispatcher
	Pool    *worker.Pool
	Monitor *health.Monitor
	Plans   *store.Plans
	Records *store.Records
	Calls   *store.Calls
	Keeps   *store.Keeps
	Journal *journal.Journal
	// Probes are timed by whoever places them.
	Probes *ProbeTimes
	// Jail is what holds the workers, and JailGaps what is missing.
	Jail, JailGaps string
	// Refresh puts the live versions of Plans in force for new calls.
	Refresh func()
	// Token is the bearer token of everything that changes something.
	Token string
	Log   *slog.Logger

	followers atomic.Int64 // of the journal
}

// Handler is the whole API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.metrics())
	mux.HandleFunc("GET /v1/workers", s.listWorkers)
	mux.HandleFunc("GET /v1/gateways", s.authorized(s.listGateways))
	mux.HandleFunc("POST /v1/workers/{id}/drain", s.authorized(s.drainWorker))
	mux.HandleFunc("POST /v1/workers/{id}/recycle", s.authorized(s.recycleWorker))
	mux.HandleFunc("POST /v1/workers/{id}/disable", s.authorized(s.disableWorker))
	mux.HandleFunc("POST /v1/workers/{id}/enable", s.authorized(s.enableWorker))
	mux.HandleFunc("GET /v1/events", s.authorized(s.events))
	mux.HandleFunc("POST /v1/workers/{id}/probe-token", s.authorized(s.probeToken))
	mux.HandleFunc("GET /v1/accounts/{account}/plans", s.authorized(s.listPlans))
	mux.HandleFunc("PUT /v1/accounts/{account}/plans/{plan}", s.authorized(s.publish))
	mux.HandleFunc("GET /v1/accounts/{account}/plans/{plan}/versions", s.authorized(s.versions))
	mux.HandleFunc("POST /v1/accounts/{account}/plans/{plan}/rollback", s.authorized(s.rollback))
	mux.HandleFunc("POST /v1/accounts/{account}/plans/{plan}/versions/{version}/release", s.authorized(s.release))
	mux.HandleFunc("GET /v1/quarantine", s.authorized(s.listCases))
	return mux
}

// authorized lets a request pass that carries the bearer token (RFC 6750).
func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(s.Token)) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="dialyard"`)
			fail(w, http.StatusUnauthorized, "send the token of data/admin.token as Authorization: Bearer TOKEN")
			return
		}
		next(w, r)
	}
}

// Problem is the body of every refusal.
type Problem struct {
	Error  string `json:"error"`
	File   string `json:"file,omitempty"` // of a plan that does not compile
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Caret  string `json:"caret,omitempty"` // the source line, and a ^ below the fault
}

func fail(w http.ResponseWriter, status int, why string) { answer(w, status, Problem{Error: why}) }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // the client may be gone; nobody else cares
}
