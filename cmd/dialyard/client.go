package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
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

// do sends one request and decodes the answer into result, if that is not nil.
func (c *client) do(method, path string, body []byte, result any) error {
	req, err := http.NewRequest(method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("is the server running? %w", errors.Unwrap(err))
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		r := &refusal{status: res.StatusCode}
		if json.Unmarshal(text, &r.Problem) != nil || r.Problem.Error == "" {
			r.Problem.Error = fmt.Sprintf("%s: %s", res.Status, strings.TrimSpace(string(text)))
		}
		return r
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(text, result)
}
