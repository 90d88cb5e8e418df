package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"dialyard/health"
	"dialyard/worker"
)

// Worker is one worker as /v1/workers shows it.
type Worker struct {
	worker.Status
	LastProbe *health.Result `json:"last_probe,omitempty"`
}

func (s *Server) listWorkers(w http.ResponseWriter, _ *http.Request) {
	list := []Worker{}
	for _, status := range s.Pool.Workers() {
		one := Worker{Status: status}
		if last, ok := s.Monitor.Last(status.Name); ok {
			one.LastProbe = &last
		}
		list = append(list, one)
	}
	answer(w, http.StatusOK, list)
}

// reason is what a command's caller gave as one, or that there is none.
func reason(r *http.Request) string {
	return "operator: " + cmp.Or(r.URL.Query().Get("reason"), "no reason given")
}

func (s *Server) recycleWorker(w http.ResponseWriter, r *http.Request) {
	s.command(w, r.PathValue("id"), func(id string) error { return s.Pool.Recycle(id, reason(r)) })
}

// drainWorker takes a worker out at once; refused when no other would be left.
func (s *Server) drainWorker(w http.ResponseWriter, r *http.Request) {
	slot, _, _ := strings.Cut(r.PathValue("id"), ".")
	others := func(st worker.Status) bool { return st.State == worker.Ready && st.ID != slot }
	if !slices.ContainsFunc(s.Pool.Workers(), others) {
		fail(w, http.StatusConflict, "no other worker is ready; recycle starts a successor first")
		return
	}
	s.command(w, r.PathValue("id"), func(id string) error { return s.Pool.Dismiss(id, reason(r)) })
}

func (s *Server) command(w http.ResponseWriter, id string, do func(id string) error) {
	if err := do(id); err != nil {
		status := http.StatusNotFound
		if errors.Is(err, worker.ErrTooYoung) {
			status = http.StatusConflict
		}
		fail(w, status, fmt.Sprintf("%v: %s", err, id))
		return
	}
	s.Log.Info("worker command", "worker", id)
	answer(w, http.StatusAccepted, map[string]string{"worker": id, "status": "accepted"})
}

// probeToken makes a token for one probe call to a worker.
func (s *Server) probeToken(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	known := func(st worker.Status) bool { return st.ID == id || st.Name == id }
	if !slices.ContainsFunc(s.Pool.Workers(), known) {
		fail(w, http.StatusNotFound, "no such worker: "+id)
		return
	}
	answer(w, http.StatusOK, map[string]string{"worker": id, "token": s.Front.ProbeToken(id)})
}

// readyz says whether calls are taken, and with ?verbose why.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	if !s.Front.Able() {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if !r.URL.Query().Has("verbose") {
		fmt.Fprintln(w, s.Front.State())
		return
	}
	calls, runs, transactions := s.Front.Stats.Now()
	fmt.Fprintf(w, "state %s\nworkers %d/%d\ncalls %d\nruns %d\ntransactions %d\n",
		s.Front.State(), s.Pool.Ready(), s.Front.Slots, calls, runs, transactions)
	for _, st := range s.Pool.Workers() {
		fmt.Fprintf(w, "worker %s %s (%s)\n", st.Name, st.State, st.Reason)
	}
	if s.Monitor.Alarm() {
		fmt.Fprintln(w, "alarm: most workers fail their probes together; nothing is killed for it")
	}
	if err := s.Records.Err(); err != nil {
		fmt.Fprintf(w, "records: %v\n", err)
	}
}
