package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dialyard/cmd/dialyard/config"
	"dialyard/health/probe"
)

func probeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "probe", Short: "Place a health probe through a worker and print its headers",
		Long: "Probe asks the server for a token, places the probe call with it and prints the\n" +
			"worker's health headers. It exits 0 if the worker is healthy, 1 if it is not, and\n2 if the server or the worker cannot be reached.",
		Example: "  dialyard probe --worker w2\n  sipp ... -key token $(dialyard probe --token)", Args: cobra.NoArgs,
	}
	worker := cmd.Flags().String("worker", "w1", "the worker, as in 'dialyard workers'")
	tokenOnly := cmd.Flags().Bool("token", false, "print a token and place no call; it is good for one call within 30 s")
	timeout := cmd.Flags().Duration("timeout", 2*time.Second, "how long to wait for the answer")
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		token, err := fetchToken(cmd, *worker)
		if err != nil {
			return err
		}
		if *tokenOnly {
			fmt.Fprintln(cmd.OutOrStdout(), token)
			return nil
		}
		answer, err := placeProbe(cmd.Context(), cfg, token, *timeout)
		return reportProbe(cmd, answer, err, *asJSON)
	}
	return cmd
}

func fetchToken(cmd *cobra.Command, worker string) (string, error) {
	c, err := newClient(cmd)
	if err != nil {
		return "", err
	}
	var answer struct{ Token string }
	if err := c.do(http.MethodPost, "/v1/workers/"+url.PathEscape(worker)+"/probe-token", nil, &answer); err != nil {
		return "", &exitError{2, err}
	}
	return answer.Token, nil
}

func placeProbe(ctx context.Context, cfg *config.Config, token string, timeout time.Duration) (*probe.Answer, error) {
	front, err := probe.ParseTarget(frontURI(cfg.SIP.Listen))
	if err != nil {
		return nil, err
	}
	caller, err := probe.NewCaller("probe")
	if err != nil {
		return nil, err
	}
	defer caller.Close()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return caller.Health(ctx, front, token, rand.Text())
}

func reportProbe(cmd *cobra.Command, a *probe.Answer, err error, asJSON bool) error {
	if a != nil {
		if asJSON {
			json.NewEncoder(cmd.OutOrStdout()).Encode(a)
		} else {
			printHealth(cmd, a)
		}
	}
	switch {
	case errors.Is(err, probe.ErrUnreachable):
		return &exitError{2, err}
	case err != nil:
		return &exitError{1, fmt.Errorf("not healthy: %w", err)}
	}
	return nil
}

func printHealth(cmd *cobra.Command, a *probe.Answer) {
	fmt.Fprintf(cmd.OutOrStdout(), "%d %s after %.3f ms\n", a.Status, a.Reason, float64(a.Took.Microseconds())/1000)
	for _, f := range a.Headers {
		if strings.HasPrefix(f.Name, "X-Dialyard-") {
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", f.Name, f.Value)
		}
	}
}

// frontURI is where a caller on this host reaches the front: the first address
// it listens on, by loopback if that is every address.
func frontURI(listen []config.Listen) string {
	first := listen[0]
	host, port, err := net.SplitHostPort(first.Address)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return fmt.Sprintf("sip:health@%s;transport=%s", net.JoinHostPort(host, port), first.Transport)
}
