package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	readyWithin = 30 * time.Second // from the start until it takes calls
	stopWithin  = 45 * time.Second // from SIGTERM to the end
	slots       = 4                // workers: two may die and two are left
)

// server is the `dialyard serve` that is troubled.
type server struct {
	dir       string
	sip, http string // host:port
	callee    map[string]string
	cmd       *exec.Cmd
	exited    chan struct{}
	client    http.Client
	token     string
}

// startServer starts it on free ports and waits until it is ready.
func startServer(ctx context.Context, binary string) (*server, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	s := &server{exited: make(chan struct{}), callee: map[string]string{}}
	// A connection that is kept would be a descriptor of the server's.
	s.client = http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if s.dir, err = os.MkdirTemp("", "dialyard-chaos-"); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command(binary, "serve", "--config", filepath.Join(s.dir, "dialyard.yaml"))
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, log, log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.cmd.Wait()
		close(s.exited)
	}()
	if err := s.awaitReady(ctx); err != nil {
		s.kill()
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(s.dir, "data", "admin.token"))
	s.token = strings.TrimSpace(string(token))
	return s, err
}

// prepare writes the plans and the configuration.
func (s *server) prepare() (err error) {
	if s.sip, err = freePort(); err != nil {
		return err
	}
	if s.http, err = freePort(); err != nil {
		return err
	}
	accounts, routes := "", ""
	for _, a := range everybody() {
		if a.dials {
			if s.callee[a.name], err = freePort(); err != nil {
				return err
			}
		}
		file := filepath.Join(s.dir, "plans", a.name, "main", "main.lua")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(s.source(a)), 0o600); err != nil {
			return err
		}
		if !a.hostile {
			accounts += fmt.Sprintf("  - {name: %s, runs: 0, rate: 0, load: 0}\n", a.name)
		}
		routes += fmt.Sprintf("  - {match: {user: %[1]q}, account: %[1]s, plan: main}\n", a.name)
	}
	return os.WriteFile(filepath.Join(s.dir, "dialyard.yaml"), []byte(s.config(accounts, routes)), 0o600)
}

// source is a plan with its callee's address in it.
func (s *server) source(a account) string {
	return strings.ReplaceAll(a.source, "CALLEE", s.callee[a.name])
}

func (s *server) config(accounts, routes string) string {
	return fmt.Sprintf(`sip: {listen: ["udp://%s"]}
http: {listen: %q}
data: {dir: data}
plans: {dir: plans}
workers: {count: %d}
log: {level: warn, format: json}
accounts:
%sroutes:
%s`, s.sip, s.http, slots, accounts, routes)
}

func (s *server) awaitReady(ctx context.Context) error {
	deadline := time.Now().Add(readyWithin)
	for {
		if list, err := s.workers(); err == nil && len(ready(list)) == slots {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.exited:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("it ended before it was ready: %v\n%s", s.cmd.ProcessState, text)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready within %v", readyWithin)
		}
	}
}

// alive is false once the front has ended.
func (s *server) alive() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// stop asks the server to end and waits for it.
func (s *server) stop() error {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
		if code := s.cmd.ProcessState.ExitCode(); code != 0 {
			return fmt.Errorf("the front ended with %v", s.cmd.ProcessState)
		}
		return nil
	case <-time.After(stopWithin):
		s.kill()
		return fmt.Errorf("the front did not end within %v of SIGTERM", stopWithin)
	}
}

// kill ends the server at once, if it has not ended yet; its workers die with it.
func (s *server) kill() {
	if s.alive() {
		s.cmd.Process.Kill()
		<-s.exited
	}
}

// worker is one as the API shows it.
type worker struct {
	ID         string `json:"id"`
	Generation int    `json:"generation"`
	Pid        int    `json:"pid"`
	State      string `json:"state"`
	Reason     string `json:"reason"`
}

func (w worker) name() string { return fmt.Sprintf("%s.%d", w.ID, w.Generation) }

func ready(list []worker) (some []worker) {
	for _, w := range list {
		if w.State == "ready" {
			some = append(some, w)
		}
	}
	return some
}

func (s *server) workers() (list []worker, err error) {
	return list, s.ask(http.MethodGet, "/v1/workers", "", &list)
}

// refusal is an answer of the API other than 2xx.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.text) }

// ask sends a request to the API and decodes the answer into result, if that is not nil.
func (s *server) ask(method, path, body string, result any) error {
	request, err := http.NewRequest(method, "http://"+s.http+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return &refusal{response.StatusCode, string(bytes.TrimSpace(text))}
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(text, result)
}

// logged is how much the server has said so far, and how often a text is in it from some octet on.
func (s *server) logged(from int64, text string) (size int64, times int) {
	f, err := os.Open(filepath.Join(s.dir, "log"))
	if err != nil {
		return from, 0
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return from, 0
	}
	data, _ := io.ReadAll(f)
	return from + int64(len(data)), bytes.Count(data, []byte(text))
}

// freePort is a loopback host:port which is free for UDP and TCP just now.
func freePort() (string, error) {
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		addr := tcp.Addr().String()
		udp, err := net.ListenPacket("udp", addr)
		tcp.Close()
		if err == nil {
			udp.Close()
			return addr, nil
		}
	}
	return "", errors.New("no port is free for both UDP and TCP")
}
