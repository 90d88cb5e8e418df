package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// request asks the API and returns status and body; token is the bearer, if any.
func (s *server) request(method, path, token, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, "http://"+s.web+path, strings.NewReader(body))
	s.must(err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	s.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	s.must(err)
	return res.StatusCode, string(text)
}

func (s *server) token() string {
	s.t.Helper()
	path := filepath.Join(s.dir, "data", "admin.token")
	info, err := os.Stat(path)
	s.must(err)
	if info.Mode().Perm() != 0o600 {
		s.t.Errorf("the token file has mode %v, want 0600", info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	s.must(err)
	return strings.TrimSpace(string(text))
}

func TestTheAPIRefusesWithWords(t *testing.T) {
	s := startServer(t)
	token := s.token()
	const main = "/v1/accounts/test/plans/main"
	for name, c := range map[string]struct {
		method, path, token, body string
		status                    int
		words                     string
	}{
		"no token":         {"PUT", main, "", pure, 401, "admin.token"},
		"wrong token":      {"PUT", main, token + "x", pure, 401, "admin.token"},
		"bad plan":         {"PUT", main, token, "call:reject(\n", 422, "main.lua:"},
		"bad name":         {"PUT", "/v1/accounts/test/plans/Main!", token, pure, 400, "Main!"},
		"too large":        {"PUT", main, token, strings.Repeat("-- x\n", 100000), 413, "262144 bytes"},
		"unknown plan":     {"GET", "/v1/accounts/test/plans/none/versions", token, "", 404, "none"},
		"unknown version":  {"POST", main + "/rollback?version=9", token, "", 404, "9"},
		"version no digit": {"POST", main + "/rollback?version=x", token, "", 400, "number"},
		"unknown worker":   {"POST", "/v1/workers/w9/recycle", token, "", 404, "w9"},
		"recycle, no word": {"POST", "/v1/workers/w1/recycle", "", "", 401, "admin.token"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := s.request(c.method, c.path, c.token, c.body)
			var problem struct{ Error string }
			if err := json.Unmarshal([]byte(text), &problem); err != nil || status != c.status || !strings.Contains(problem.Error, c.words) {
				t.Errorf("%d %s, want %d with %q", status, text, c.status, c.words)
			}
		})
	}
	if a := s.call("100"); a.Status != 302 {
		t.Errorf("after all that a call is answered %d", a.Status)
	}
}

func TestACompileErrorNamesItsPlace(t *testing.T) {
	s := startServer(t)
	status, text := s.request("PUT", "/v1/accounts/test/plans/main", s.token(), "local a = 1\nlocal b = = 2\n")
	var problem struct {
		File, Caret  string
		Line, Column int
	}
	if err := json.Unmarshal([]byte(text), &problem); err != nil {
		t.Fatal(err)
	}
	if status != 422 || problem.File != "main.lua" || problem.Line != 2 || problem.Column != 11 || !strings.Contains(problem.Caret, "^") {
		t.Errorf("%d %s", status, text)
	}
}

func TestTheServerTellsHowItIs(t *testing.T) {
	s := startServer(t)
	s.call("100")
	for path, words := range map[string][]string{
		"/livez":           {"ok"},
		"/readyz":          {"ready"},
		"/readyz?verbose":  {"workers 2/2", "worker w1.1 ready"},
		"/metrics":         {"dialyard_calls_total 1", `dialyard_call_outcomes_total{reason="decided"} 1`, "dialyard_workers_ready 2", "dialyard_worker_rss_bytes", "dialyard_call_seconds_bucket"},
		"/v1/workers":      {`"id":"w1"`, `"state":"ready"`, `rlimits","rss_bytes"`, `"last_probe":{"ok":true`},
		"/v1/workers/none": {"404"},
	} {
		status, text := s.request("GET", path, "", "")
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %d lacks %s:\n%s", path, status, w, text[:min(len(text), 600)])
			}
		}
	}
}
