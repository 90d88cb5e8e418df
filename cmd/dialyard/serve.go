package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"dialyard/cmd/dialyard/config"
)

const (
	firstReady = 15 * time.Second // for the first worker to be proven
	drainTime  = 30 * time.Second // for calls to end at SIGTERM
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Take calls",
		Long:    "Serve runs the SIP front, its workers, the health monitor and the HTTP API.\nSIGHUP reads the configuration and plans.dir again, SIGTERM drains, a second one\nends at once.",
		Example: "  dialyard serve\n  dialyard serve --config dialyard.yaml", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			level := &slog.LevelVar{}
			return serve(cmd, cfg, newLog(os.Stderr, cfg.Log, level), level)
		},
	}
}

func serve(cmd *cobra.Command, cfg *config.Config, log *slog.Logger, level *slog.LevelVar) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	starting, cancel := context.WithTimeout(context.Background(), firstReady)
	defer cancel()
	f, err := startFront(starting, cfg, log, level)
	if err != nil {
		return err
	}
	defer f.close()
	again, err := f.waitReady(starting, signals)
	if err != nil {
		return err
	}
	f.greet(cmd.OutOrStdout())
	if again {
		f.reload(cmd)
	}
	for s := range signals {
		if s != syscall.SIGHUP {
			break
		}
		f.reload(cmd)
	}
	return f.drain(signals)
}

// waitReady returns when calls can be taken. again reports a SIGHUP that came
// before: what it is about may have been read already, or not.
func (f *front) waitReady(ctx context.Context, signals <-chan os.Signal) (again bool, err error) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !f.dispatcher.Able() {
		select {
		case <-ticker.C:
		case s := <-signals:
			if s != syscall.SIGHUP {
				return false, fmt.Errorf("stopped before it was ready")
			}
			again = true
		case <-ctx.Done():
			return false, fmt.Errorf("no worker became ready within %v; the log says why", firstReady)
		}
	}
	return again, nil
}

// greet tells a person where the server is and what to try.
func (f *front) greet(w io.Writer) {
	cfg := f.config.Load()
	uri := strings.TrimSuffix(strings.Replace(frontURI(cfg.SIP.Listen), "sip:health@", "sip:100@", 1), ";transport=udp")
	fmt.Fprintf(w, "dialyard %s takes calls\n", version)
	for _, a := range f.dispatcher.Edge.Addresses() {
		fmt.Fprintf(w, "  sip   %s\n", a)
	}
	fmt.Fprintf(w, "  http  http://%s\n  data  %s\n\n", cfg.HTTP.Listen, f.data.path)
	fmt.Fprintf(w, "try, in another terminal:\n  %[1]s call '%[2]s'\n  %[1]s workers\n  %[1]s probe\n\n", os.Args[0], uri)
}

// reload reads the configuration and the plans again. A fault in either changes
// nothing.
func (f *front) reload(cmd *cobra.Command) {
	old := f.config.Load()
	cfg, err := loadConfig(cmd)
	if err != nil {
		f.log.Error("reload: configuration unchanged", "reason", err.Error())
		return
	}
	given, err := givenPlans(f.started.Plans.Dir)
	if err != nil {
		f.log.Error("reload: configuration unchanged", "reason", err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), firstReady)
	defer cancel()
	good, err := f.checkPlans(ctx, given)
	if err == nil {
		err = f.importPlans(good)
	}
	if err != nil {
		f.log.Error("reload: configuration unchanged", "reason", err.Error())
		return
	}
	f.config.Store(cfg)
	f.level.Set(cfg.Log.Level)
	f.refresh()
	var later []string
	for _, key := range cfg.Changed(old) {
		if !reloadable(key) {
			later = append(later, key)
		}
	}
	f.log.Info("reloaded", "changed", cfg.Changed(old), "at_restart", later)
}

// reloadable reports whether a key takes effect without a restart.
func reloadable(key string) bool {
	switch key {
	case "routes", "sip.trusted", "log.level", "limits.cpu", "limits.log_lines", "limits.runs", "limits.rate", "limits.load", "limits.calls",
		"accounts", "gateways", "dial.forbid", "dial.ring", "dial.duration":
		return true
	}
	return false
}

// drain refuses new calls, lets those under way end, and returns; a second signal
// ends the wait.
func (f *front) drain(signals <-chan os.Signal) error {
	f.log.Info("draining")
	f.dispatcher.Drain()
	deadline := time.After(drainTime)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		calls, runs, _ := f.dispatcher.Stats.Now()
		if calls+runs == 0 {
			return nil
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return fmt.Errorf("%d calls were still under way after %v", calls, drainTime)
		case s := <-signals:
			if s == syscall.SIGHUP {
				continue
			}
			f.log.Warn("stopped at once", "calls", calls)
			f.dispatcher.Close()
			f.records.Close()
			f.calls.Close()
			os.Exit(1) // the workers die with this process
		}
	}
}
