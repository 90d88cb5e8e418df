// Command bench measures a dialyard binary on this machine; `make bench` runs it from the root of the
// repository.
//
// It builds bin/dialyard, unless -binary names another, starts `dialyard serve` on free loopback ports
// with a configuration and data of its own, places calls with the generator of `dialyard load`, and ends
// what it started:
//
//	fixed rates      CPU per call of the front and of the workers, latency
//	highest rate     the highest at which every call is answered in time, once, and as the plan says;
//	                 then the same figures at that rate and at half of it
//	storm            latency of an account's calls while another's scripts never end
//	memory           RSS of the front and its workers: fresh, after a minute of load, a minute later
//	dialled          calls which the plan dials, from INVITE to BYE through both legs, the generator at
//	                 both ends: fixed rates and the highest clean one, in turns with Kamailio's stateful
//	                 relay and a Lua script of its own, where kamailio is installed
//	held             100,000 answered calls at once: live heap and RSS of the front per call
//
// With -compare two binaries run side by side, one under load at a time, in turns, so that what else the
// machine does meets both alike.
//
// CPU per call falls as the rate rises, because work is batched: compare at equal rates only.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	binary, compare string
	quick, json     bool
	rates, dialled  rates
	only            string
	grain           time.Duration
}

// rates is a flag: calls per second, comma-separated.
type rates []float64

func (r *rates) String() string {
	parts := make([]string, len(*r))
	for i, rate := range *r {
		parts[i] = strconv.FormatFloat(rate, 'g', -1, 64)
	}
	return strings.Join(parts, ",")
}

func (r *rates) Set(s string) error {
	*r = nil
	for part := range strings.SplitSeq(s, ",") {
		rate, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || rate <= 0 {
			return fmt.Errorf("%q is not a number of calls per second", part)
		}
		*r = append(*r, rate)
	}
	return nil
}

func parseFlags() options {
	o := options{rates: rates{1000, 3000, 8000, 18000}, dialled: rates{500, 1000, 2000}}
	flag.StringVar(&o.binary, "binary", "", "the `binary` to measure instead of this source")
	flag.StringVar(&o.compare, "compare", "", "an older `binary` to compare with, in interleaved runs")
	flag.BoolVar(&o.quick, "quick", false, "shorter runs and rests: three minutes in all, for a first look")
	flag.BoolVar(&o.json, "json", false, "print the results as JSON")
	flag.Var(&o.rates, "rates", "fixed rates in calls/s, comma-separated")
	flag.Var(&o.dialled, "dialled-rates", "fixed rates of dialled calls in calls/s, comma-separated")
	flag.Func("only", "one `section`: "+strings.Join(sections, ", "), func(s string) error {
		if !slices.Contains(sections, s) {
			return fmt.Errorf("%q is none of %s", s, strings.Join(sections, ", "))
		}
		o.only = s
		return nil
	})
	flag.DurationVar(&o.grain, "grain", 100*time.Microsecond, "grain of the generator, see `dialyard load --help`")
	flag.Parse()
	return o
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, parseFlags(), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// built is where the binary of this source goes, the same place as with `make build`.
const built = "bin/dialyard"

// build makes the binary from the source in the current directory.
func build(ctx context.Context) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", built, "./cmd/dialyard")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", built, err, output)
	}
	return nil
}

// run measures and prints. The servers it starts are gone when it returns.
func run(ctx context.Context, o options, out io.Writer) error {
	b := bench{pace: fullPace, grain: o.grain, rates: o.rates, dialledRates: o.dialled, only: o.only, progress: os.Stderr}
	if o.quick {
		b.pace = quickPace
	}
	if o.binary == "" {
		if err := build(ctx); err != nil {
			return err
		}
		o.binary = built
	}
	var (
		r   results
		err error
	)
	if o.compare != "" {
		r.Comparison, err = b.compare(ctx, o.compare, o.binary)
	} else {
		r, err = b.measure(ctx, o.binary)
	}
	if err != nil {
		return err
	}
	if o.json {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	_, err = io.WriteString(out, r.String())
	return err
}
