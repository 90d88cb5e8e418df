package main

import (
	"context"
	"errors"
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

// firstReady is the time for the first worker to be proven.
const firstReady = 15 * time.Second

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Take calls",
		Long:    "Serve runs the SIP front, its workers, the health monitor and the HTTP API.\nSIGHUP reads the configuration and plans.dir again, SIGTERM drains, a second one\nends at once. SIGUSR2 starts the program that lies at the same place now with\n--takeover: it takes the sockets and calls of the server that has its data.dir,\nwhich goes on if the new one cannot.",
		Example: "  dialyard serve\n  dialyard serve --config dialyard.yaml\n  dialyard serve --takeover", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loosenTimers()
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			level := &slog.LevelVar{}
			log := newLog(os.Stderr, cfg.Log, level)
			defer flushLog(log)
			return serve(cmd, cfg, log, level)
		},
	}
	cmd.Flags().Bool("takeover", false, "go on in place of the server that has data.dir")
	return cmd
}

func serve(cmd *cobra.Command, cfg *config.Config, log *slog.Logger, level *slog.LevelVar) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR2)
	spareFront(log)
	limitMemory(cfg, log)
	f, err := begin(cmd, cfg, log, level)
	for {
		if err != nil {
			return err
		}
		err = f.rule(cmd, signals)
		back := (*takeBack)(nil)
		if !errors.As(err, &back) {
			return err
		}
		log.Error("takeover failed, this process goes on", "reason", back.err)
		f.dismissWorkers()
		f, err = f.beginAgain(back.estate)
	}
}

// begin starts the server, in the place of another if that is wanted.
func begin(cmd *cobra.Command, cfg *config.Config, log *slog.Logger, level *slog.LevelVar) (*front, error) {
	ctx, cancel := context.WithTimeout(context.Background(), firstReady)
	defer cancel()
	if takeover, _ := cmd.Flags().GetBool("takeover"); takeover {
		f, err := takeOver(ctx, cfg, log, level)
		if !errors.Is(err, errNobody) {
			return f, err
		}
		log.Info("no server to take over from: a plain start")
	}
	left, err := passedSockets(cfg)
	if err != nil {
		return nil, err
	}
	return startFront(ctx, cfg, log, level, left)
}

// beginAgain starts a server in this process, whose part was over, with what it had left.
func (f *front) beginAgain(left estate) (*front, error) {
	ctx, cancel := context.WithTimeout(context.Background(), firstReady)
	defer cancel()
	return startFront(ctx, f.config.Load(), f.log, f.level, left)
}

// rule takes calls until a signal or a successor ends that.
func (f *front) rule(cmd *cobra.Command, signals <-chan os.Signal) (err error) {
	left := false
	defer func() {
		if !left {
			f.close()
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), firstReady)
	defer cancel()
	early, err := f.waitReady(ctx, signals)
	if err != nil {
		return err
	}
	f.sayReady()
	f.greet(cmd.OutOrStdout())
	if early == syscall.SIGHUP {
		f.reload(cmd)
	} else if early != nil {
		return f.drain(signals)
	}
	for {
		select {
		case s := <-signals:
			switch s {
			case syscall.SIGHUP:
				f.reload(cmd)
			case syscall.SIGUSR2:
				f.upgradeOnSignal()
			default:
				return f.drain(signals)
			}
		case heir := <-f.upgrade.heirs:
			err := f.handOver(heir)
			back := (*takeBack)(nil)
			if left = errors.Is(err, errHandedOver) || errors.As(err, &back); left {
				return back.orNil()
			}
			f.log.Error("not handed over, this process goes on", "reason", err)
		}
	}
}

// waitReady returns when calls can be taken. early is a signal that came before that
// was seen: SIGHUP, of which what it is about may have been read already, or not; or
// one to end.
func (f *front) waitReady(ctx context.Context, signals <-chan os.Signal) (early os.Signal, err error) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !f.dispatcher.Able() {
		select {
		case <-ticker.C:
		case s := <-signals:
			switch {
			case s == syscall.SIGUSR2:
				f.log.Warn("not ready yet, so nobody is started to take over")
			case s == syscall.SIGHUP:
				early = s
			case f.dispatcher.Able():
				return s, nil
			default:
				return nil, fmt.Errorf("stopped before it was ready")
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("no worker became ready within %v; the log says why", firstReady)
		}
	}
	return early, nil
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
	sayReloading()
	defer f.sayReady()
	old := f.config.Load()
	cfg, err := loadConfig(cmd)
	if err != nil {
		f.tellConfig(nil, nil, err)
		return
	}
	given, err := givenPlans(f.started.Plans.Dir)
	if err != nil {
		f.tellConfig(nil, nil, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), firstReady)
	defer cancel()
	good, err := f.checkPlans(ctx, given)
	if err == nil {
		err = f.importPlans(good)
	}
	if err != nil {
		f.tellConfig(nil, nil, err)
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
	f.tellConfig(cfg.Changed(old), later, nil)
}

// reloadable reports whether a key takes effect without a restart.
func reloadable(key string) bool {
	switch key {
	case "routes", "sip.trusted", "log.level", "limits.cpu", "limits.log_lines", "limits.http", "limits.runs", "limits.rate", "limits.load", "limits.calls",
		"accounts", "gateways", "drain.wait", "drain.time", "dial.forbid", "dial.ring", "dial.duration":
		return true
	}
	return false
}
