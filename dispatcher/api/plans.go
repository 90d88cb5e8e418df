package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"dialyard/dialplans"
	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/journal"
	"dialyard/dispatcher/store"
)

const (
	maxUpload = 1 << 20 // octets read of a body; the bundle's own limit is smaller
	checkTime = 10 * time.Second
)

// PlanID reads and checks the plan a request is about.
func planID(w http.ResponseWriter, r *http.Request) (store.PlanID, bool) {
	id := store.PlanID{Account: r.PathValue("account"), Plan: r.PathValue("plan")}
	if err := id.Validate(); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return id, false
	}
	return id, true
}

// publish checks a bundle in a worker, stores it and puts it in force. Until then
// the version that was live answers calls.
func (s *Server) publish(w http.ResponseWriter, r *http.Request) {
	id, ok := planID(w, r)
	if !ok {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpload))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, "the upload is over 1 MiB")
		return
	}
	bundle, err := store.ReadUpload(body)
	if err != nil {
		fail(w, uploadStatus(err), err.Error())
		return
	}
	if !s.check(w, r, bundle) {
		return
	}
	version, err := s.Plans.Publish(id, bundle, "upload", time.Now())
	if err != nil {
		s.Log.Error("publish", "account", id.Account, "plan", id.Plan, "reason", err)
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	s.Refresh()
	s.Log.Info("plan published", "account", id.Account, "plan", id.Plan, "version", version.Number)
	s.tellPlan(r, id, version, "published")
	answer(w, http.StatusOK, version)
}

func uploadStatus(err error) int {
	if large := (*store.TooLargeError)(nil); errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// check reports whether a bundle compiles, and answers if it does not.
func (s *Server) check(w http.ResponseWriter, r *http.Request, b store.Bundle) bool {
	ctx, cancel := context.WithTimeout(r.Context(), checkTime)
	defer cancel()
	wrong, err := s.Pool.Check(ctx, b)
	if err != nil {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "the plan could not be checked: "+err.Error())
		return false
	}
	if wrong != nil {
		e := dialplans.ErrorFromProto(wrong)
		answer(w, http.StatusUnprocessableEntity, Problem{
			Error: e.Error(), File: e.File, Line: e.Line, Column: e.Column, Caret: e.Caret(),
		})
		return false
	}
	return true
}

func (s *Server) listPlans(w http.ResponseWriter, r *http.Request) {
	live := map[string]store.Version{}
	for _, id := range s.Plans.Plans() {
		if v, ok := s.Plans.Live(id); ok && id.Account == r.PathValue("account") {
			live[id.Plan] = v
		}
	}
	answer(w, http.StatusOK, live)
}

func (s *Server) versions(w http.ResponseWriter, r *http.Request) {
	id, ok := planID(w, r)
	if !ok {
		return
	}
	list, err := s.Plans.Versions(id)
	if err != nil {
		fail(w, planStatus(err), err.Error())
		return
	}
	answer(w, http.StatusOK, s.judged(id, list))
}

// rollback makes an earlier version live: ?version=N, or the one before.
func (s *Server) rollback(w http.ResponseWriter, r *http.Request) {
	id, ok := planID(w, r)
	if !ok {
		return
	}
	var number uint64
	if text := r.URL.Query().Get("version"); text != "" {
		var err error
		if number, err = strconv.ParseUint(text, 10, 32); err != nil || number == 0 {
			fail(w, http.StatusBadRequest, "version is a number from 1, not "+strconv.Quote(text))
			return
		}
	}
	version, err := s.Plans.Rollback(id, uint32(number))
	if err != nil {
		fail(w, planStatus(err), err.Error())
		return
	}
	s.Refresh()
	s.Log.Info("plan rolled back", "account", id.Account, "plan", id.Plan, "version", version.Number)
	s.tellPlan(r, id, version, "rolled back")
	answer(w, http.StatusOK, version)
}

// tellPlan writes down which version is live now.
func (s *Server) tellPlan(r *http.Request, id store.PlanID, v store.Version, what string) {
	version := blame.Version{Account: id.Account, Plan: id.Plan, Number: v.Number}
	s.Journal.Add(journal.Event{Kind: journal.Plan, Subject: version.String(), What: what, Reason: v.Source, By: operator(r)})
}

func planStatus(err error) int {
	if errors.Is(err, store.ErrUnknownPlan) || errors.Is(err, store.ErrUnknownVersion) {
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}
