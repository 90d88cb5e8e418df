package api

import (
	"net/http"
	"strconv"
	"time"

	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/store"
)

// Version is one version of a plan as its owner sees it.
type Version struct {
	store.Version
	Standing blame.Standing `json:"standing"`
	Deaths   []blame.Death  `json:"deaths,omitempty"` // of workers that it may have killed, the newest last
}

// judged adds what is held against the versions of a plan.
func (s *Server) judged(id store.PlanID, list []store.Version) []Version {
	all := []Version{}
	for _, v := range list {
		c, _ := s.Front.Blame.Case(blame.Version{Account: id.Account, Plan: id.Plan, Number: v.Number})
		all = append(all, Version{v, c.Standing, c.Deaths})
	}
	return all
}

// listCases shows everything that is held against versions of plans.
func (s *Server) listCases(w http.ResponseWriter, _ *http.Request) {
	list := s.Front.Blame.Cases(time.Now())
	if list == nil {
		list = []blame.Case{}
	}
	answer(w, http.StatusOK, list)
}

// release takes what is held against a version back.
func (s *Server) release(w http.ResponseWriter, r *http.Request) {
	id, ok := planID(w, r)
	if !ok {
		return
	}
	number, err := strconv.ParseUint(r.PathValue("version"), 10, 32)
	if err != nil {
		fail(w, http.StatusBadRequest, "version is a number from 1, not "+strconv.Quote(r.PathValue("version")))
		return
	}
	v := blame.Version{Account: id.Account, Plan: id.Plan, Number: uint32(number)}
	if !s.Front.Blame.Release(v, time.Now()) {
		fail(w, http.StatusNotFound, "nothing is held against "+v.String())
		return
	}
	s.audit(r, "release", v.String())
	answer(w, http.StatusOK, map[string]string{"released": v.String()})
}
