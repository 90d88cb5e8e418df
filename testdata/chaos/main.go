// Command chaos keeps a dialyard server in trouble and judges how it fares; `make chaos` runs it for an
// hour from the root of the repository.
//
// It builds bin/dialyard-faults, whose scripts may do what a flaw of the runtime would, unless -binary
// names another; starts it with a configuration and data of its own; places the calls of twenty accounts
// whose plans behave well, by the generator of `dialyard load`; has three more accounts attack; and every
// few seconds does one thing at random that should not happen:
//
//	recycle  ── under -recycle calls/s each worker is replaced once; no call may be lost
//	    │
//	traffic ═══ twenty accounts ═════════════════════════════════════▶ judge ── table, exit status
//	faults  ─── kill ── stop ── attack ── publish ── freeze ── ... ──▶   ▲
//	watch   ··· memory, descriptors, processes, each second ·········▶───┘
//	    │
//	calm     ── what is left of it all: descriptors, processes, quarantine
//
// Rules, any of which broken makes the exit status 1: no call of the well-behaved goes wrong but those that
// were on a worker which died after an effect, at most one in 10,000; every call is answered; only versions
// of the hostile accounts are quarantined; the figures of detection hold; the memory of the front does not
// grow by a mebibyte an hour; no descriptor and no process is left over.
//
// The same -seed makes the same faults in the same order. What they meet is a matter of time.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	binary   string
	duration time.Duration
	every    time.Duration
	rate     float64 // calls/s of all well-behaved accounts
	recycle  float64 // calls/s while each worker is replaced
	seed     uint64
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.binary, "binary", "", "the `binary` to trouble, built with the tag faults, instead of this source")
	flag.DurationVar(&o.duration, "duration", time.Hour, "how long")
	flag.DurationVar(&o.every, "every", 5*time.Second, "time between two faults")
	flag.Float64Var(&o.rate, "rate", 300, "calls/s of the accounts that behave well, together")
	flag.Float64Var(&o.recycle, "recycle", 1000, "calls/s under which each worker is replaced once, at first")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the faults and their order")
	flag.Parse()
	return o
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	broken, err := run(ctx, parseFlags(), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || broken {
		os.Exit(1)
	}
}

// built is where the binary of this source goes.
const built = "bin/dialyard-faults"

func build(ctx context.Context) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "faults", "-o", built, "./cmd/dialyard")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", built, err, output)
	}
	return nil
}

// run is one execution. broken reports whether a rule was. What it starts is gone when it returns.
func run(ctx context.Context, o options, out io.Writer) (broken bool, err error) {
	if o.binary == "" {
		if err := build(ctx); err != nil {
			return false, err
		}
		o.binary = built
	}
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return false, err
	}
	defer s.kill()
	fmt.Fprintf(out, "seed %d, %v at %g calls/s, a fault every %v\n", o.seed, o.duration, o.rate, o.every)
	t := newTrouble(o, s, os.Stderr)
	if err := t.run(ctx); err != nil {
		return false, err
	}
	rules := t.judge()
	t.write(out, rules)
	if len(rules) > 0 {
		fmt.Fprintf(out, "\nwhat is left of the server is in %s\n", s.dir)
		return true, nil
	}
	return false, os.RemoveAll(s.dir)
}
