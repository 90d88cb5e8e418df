package api

import (
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

// listWorkers shows the ordinary workers, with ?all=1 those for suspects too.
func (s *Server) listWorkers(w http.ResponseWriter, r *http.Request) {
	list := []Worker{}
	workers := s.Pool.Workers
	if truth(r, "all") {
		workers = s.Pool.All
	}
	for _, status := range workers() {
		one := Worker{Status: status}
		if last, ok := s.Monitor.Last(status.Name); ok && status.State != worker.Disabled {
			one.LastProbe = &last
		}
		list = append(list, one)
	}
	answer(w, http.StatusOK, list)
}

// truth reads a switch of a query: ?name, ?name=1 or ?name=true.
func truth(r *http.Request, name string) bool {
	values, given := r.URL.Query()[name]
	return given && (values[0] == "" || values[0] == "1" || values[0] == "true")
}

func (s *Server) recycleWorker(w http.ResponseWriter, r *http.Request) {
	s.command(w, r, "recycle", func(id string) error { return s.Pool.Recycle(id, reason(r)) })
}

// disableWorker empties a slot until it is enabled; with ?force=1 the last one too.
func (s *Server) disableWorker(w http.ResponseWriter, r *http.Request) {
	s.command(w, r, "disable", func(id string) error {
		err := s.Pool.Disable(id, reason(r), truth(r, "force"))
		if errors.Is(err, worker.ErrLastWorker) {
			return fmt.Errorf("%w, and new calls would be refused; disable it all the same with --force, or ?force=1", err)
		}
		return err
	})
}

func (s *Server) enableWorker(w http.ResponseWriter, r *http.Request) {
	s.command(w, r, "enable", func(id string) error { return s.Pool.Enable(id, reason(r)) })
}

// drainWorker takes a worker out at once; refused when no other would be left.
func (s *Server) drainWorker(w http.ResponseWriter, r *http.Request) {
	slot, _, _ := strings.Cut(r.PathValue("id"), ".")
	others := func(st worker.Status) bool { return st.State == worker.Ready && st.ID != slot }
	if !slices.ContainsFunc(s.Pool.Workers(), others) {
		fail(w, http.StatusConflict, "no other worker is ready; recycle starts a successor first")
		return
	}
	s.command(w, r, "drain", func(id string) error { return s.Pool.Dismiss(id, reason(r)) })
}

// command carries out what an operator wishes of a worker. What comes of it is in the
// list of workers, and in the journal.
func (s *Server) command(w http.ResponseWriter, r *http.Request, verb string, do func(id string) error) {
	id := r.PathValue("id")
	if err := do(id); err != nil {
		fail(w, commandStatus(err), fmt.Sprintf("%v: %s", err, id))
		return
	}
	s.audit(r, verb, id)
	answer(w, http.StatusAccepted, map[string]string{"worker": id, "status": "accepted"})
}

func commandStatus(err error) int {
	for _, now := range []error{worker.ErrTooYoung, worker.ErrLastWorker, worker.ErrNotOff} {
		if errors.Is(err, now) {
			return http.StatusConflict
		}
	}
	return http.StatusNotFound
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
	s.EachStore(func(name string, err error) {
		if err != nil {
			fmt.Fprintf(w, "%s: %v\n", name, err)
		}
	})
}
