package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dialyard/dispatcher/api"
)

// client talks to the HTTP API of a running server.
type client struct {
	base, token string
	http        http.Client
}

// newClient finds the server where the configuration says it listens, and the
// token in its data directory; a missing token shows when one is needed.
func newClient(cmd *cobra.Command) (*client, error) {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return nil, err
	}
	c := &client{base: "http://" + cfg.HTTP.Listen, http: http.Client{Timeout: 30 * time.Second}}
	if token, err := os.ReadFile(filepath.Join(cfg.Data.Dir, "admin.token")); err == nil {
		c.token = strings.TrimSpace(string(token))
	}
	return c, nil
}

// refusal is an answer of the API other than 2xx.
type refusal struct {
	status int
	api.Problem
}

func (r *refusal) Error() string {
	if r.Caret != "" {
		return r.Problem.Error + "\n" + r.Caret
	}
	return r.Problem.Error
}

// maxAnswer is the most octets that are read of an answer.
const maxAnswer = 16 << 20

// do sends one request and decodes the answer into result, if that is not nil.
func (c *client) do(method, path string, body []byte, result any) error {
	res, err := c.send(method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(text, result)
}

// send sends one request. An answer other than 2xx is a *refusal. The body is the
// caller's to close.
func (c *client) send(method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	req.Header.Set("X-Operator", operatorName())
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("is the server running? %w", errors.Unwrap(err))
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	r := &refusal{status: res.StatusCode}
	if json.Unmarshal(text, &r.Problem) != nil || r.Problem.Error == "" {
		r.Problem.Error = fmt.Sprintf("%s: %s", res.Status, strings.TrimSpace(string(text)))
	}
	return nil, r
}

// maxLine is the longest line of a stream; an event has some kilobytes at the most.
const maxLine = 64 << 10

// stream asks for lines and gives each that is not empty to take, until the server
// ends or take returns an error.
func (c *client) stream(path string, take func(line []byte) error) error {
	c.http.Timeout = 0 // it goes on for as long as somebody watches
	res, err := c.send(http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := take(lines.Bytes()); err != nil {
			return err
		}
	}
	return errors.Join(errEnded, lines.Err())
}

// errEnded is why a stream ends that nobody has broken off here.
var errEnded = errors.New("the server has ended")

// operatorName is who gives commands, for the server's journal: the user of this
// process, and before sudo.
func operatorName() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}
