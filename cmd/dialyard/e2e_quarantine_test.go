package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"dialyard/dispatcher/blame"
)

// cases is what the server holds against versions of plans.
func (s *server) cases() (list []blame.Case) {
	s.t.Helper()
	status, text := s.request("GET", "/v1/quarantine", s.token(), "")
	if status != http.StatusOK {
		s.t.Fatalf("the list of cases: %d %s", status, text)
	}
	s.must(json.Unmarshal([]byte(text), &list))
	return list
}

// TestAPlanThatKillsWorkersIsQuarantined: it has two workers of its own to kill, and
// nobody else notices.
func TestAPlanThatKillsWorkersIsQuarantined(t *testing.T) {
	s := startServer(t, withFaults, plan("exit", `fault.exit()`))
	good := s.load("100", 100, 8*time.Second)
	time.Sleep(500 * time.Millisecond)
	if a := s.call("plan-exit"); a.Status != 500 {
		t.Errorf("the first caller heard %d, want 500", a.Status)
	}
	s.eventually(3*time.Second, "the plan is guilty", func() bool {
		list := s.cases()
		return len(list) > 0 && list[0].Plan == "exit" && list[0].Standing == blame.Guilty
	})
	deaths := strings.Count(s.logText(), `"state":"down"`)
	for range 5 {
		if a := s.call("plan-exit"); a.Status != 500 || !strings.Contains(a.Get("Warning"), "suspended") {
			t.Errorf("in quarantine: answered %d, %q", a.Status, a.Get("Warning"))
		}
	}
	if n := strings.Count(s.logText(), `"state":"down"`); n != deaths {
		t.Errorf("%d more workers died after the plan was quarantined", n-deaths)
	}
	onlyStatus(t, good.wait(), 302)
	s.eventually(3*time.Second, "whoever was on the same worker is cleared", func() bool {
		for i := range 5 {
			s.call([]string{"100", "101"}[i%2])
		}
		return len(s.cases()) == 1
	})
}

// TestQuarantineOutlivesARestartAndEndsByAnOperator covers its life.
func TestQuarantineOutlivesARestartAndEndsByAnOperator(t *testing.T) {
	s := startServer(t, withFaults, plan("exit", `fault.exit()`))
	s.call("plan-exit")
	s.eventually(3*time.Second, "the plan is guilty", func() bool { return len(s.cases()) == 1 })
	s.stop()
	s.start()
	s.waitReady()
	if a := s.call("plan-exit"); !strings.Contains(a.Get("Warning"), "suspended") {
		t.Errorf("after a restart: answered %d, %q", a.Status, a.Get("Warning"))
	}
	status, text := s.request("POST", "/v1/accounts/test/plans/exit/versions/1/release?reason=tried+it", s.token(), "")
	if status != http.StatusOK {
		t.Fatalf("release: %d %s", status, text)
	}
	if a := s.call("plan-exit"); !strings.Contains(a.Get("Warning"), "interrupted") && !strings.Contains(a.Get("Warning"), "suspended") {
		t.Errorf("after the release: answered %d, %q", a.Status, a.Get("Warning"))
	}
	s.eventually(3*time.Second, "the plan is guilty again", func() bool {
		list := s.cases()
		return len(list) == 1 && list[0].Standing == blame.Guilty
	})
	if !strings.Contains(s.logText(), "tried it") {
		t.Error("the log does not say why it was released")
	}
}

// TestAnAccountMayGoBackByItself to the version before one that kills workers.
func TestAnAccountMayGoBackByItself(t *testing.T) {
	s := startServer(t, withFaults, settings("accounts: [{name: test, rollback: true}]"))
	if status, text := s.request("PUT", "/v1/accounts/test/plans/main", s.token(), "fault.exit()"); status != http.StatusOK {
		t.Fatalf("publish: %d %s", status, text)
	}
	if a := s.call("100"); a.Status != 500 {
		t.Errorf("the bad version answered %d", a.Status)
	}
	s.eventually(3*time.Second, "the version before is live", func() bool { return s.call("100").Status == 302 })
	if list := s.cases(); len(list) != 1 || list[0].Number != 2 {
		t.Errorf("held against the plan: %+v", list)
	}
}
