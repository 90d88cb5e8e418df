package load

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Options say what a run does. Target, Rate and Duration are required, zero elsewhere means the default.
type Options struct {
	// Target is the called SIP URI with a loopback host: sip:100@127.0.0.1:5060. The port may be absent
	// and is 5060 then.
	Target string
	// Rate is the number of calls due per second, above 0 and at most 1,000,000.
	Rate float64
	// Duration is how long calls are started, at least long enough for one call. The run itself takes up
	// to Timeout longer.
	Duration time.Duration
	// Sockets is the number of local UDP ports which share the calls, 1 to 256, default 8.
	Sockets int
	// Timeout bounds the wait for a final response, counted from the instant the call was due, 10 ms to
	// 60 s, default 4 s. A call without one by then is lost.
	Timeout time.Duration
	// Grain is how long calls and responses gather before the generator looks at them, at most 5 ms,
	// default 0: at once. A grain of 100 µs saves a third of the generator's own CPU at 20,000 calls/s;
	// latencies show up to two grains more, and the server sees small bursts.
	Grain time.Duration
	// Headers are added to each INVITE, each a whole line "Name: value" without its line end.
	Headers []string
	// Retransmit sends an unanswered INVITE again as Timer A demands (RFC 3261 section 17.1.1.2).
	Retransmit bool
}

// Limits and defaults of Options.
const (
	maxRate        = 1_000_000
	defaultSockets = 8
	maxSockets     = 256
	defaultTimeout = 4 * time.Second
	minTimeout     = 10 * time.Millisecond
	maxTimeout     = 60 * time.Second
	maxGrain       = 5 * time.Millisecond
)

// withDefaults fills what is zero and has a default.
func (o Options) withDefaults() Options {
	if o.Sockets == 0 {
		o.Sockets = defaultSockets
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return o
}

// check names the first option which is out of its range.
func (o Options) check() error {
	switch calls := o.Rate * o.Duration.Seconds(); {
	case !(o.Rate > 0 && o.Rate <= maxRate):
		return fmt.Errorf("rate %v: must be above 0 and at most %d calls per second", o.Rate, maxRate)
	case o.Duration <= 0:
		return fmt.Errorf("duration %v: must be above 0", o.Duration)
	case calls > math.MaxUint32:
		return fmt.Errorf("rate %v for %v: more than %d calls", o.Rate, o.Duration, uint32(math.MaxUint32))
	case o.Sockets < 1 || o.Sockets > maxSockets:
		return fmt.Errorf("sockets %d: must be 1 to %d", o.Sockets, maxSockets)
	case o.Timeout < minTimeout || o.Timeout > maxTimeout:
		return fmt.Errorf("timeout %v: must be %v to %v", o.Timeout, minTimeout, maxTimeout)
	case o.Grain < 0 || o.Grain > maxGrain:
		return fmt.Errorf("grain %v: must be 0 to %v", o.Grain, maxGrain)
	}
	for _, line := range o.Headers {
		if err := checkHeader(line); err != nil {
			return fmt.Errorf("header %q: %w", line, err)
		}
	}
	return nil
}

// checkHeader refuses a line which is not one header field, so that an option cannot smuggle in a second.
func checkHeader(line string) error {
	name, _, found := strings.Cut(line, ":")
	switch {
	case !found || name == "" || strings.ContainsAny(name, " \t"):
		return errors.New(`must read "Name: value"`)
	case hasControls(line):
		return errors.New("contains a control character")
	}
	return nil
}

func hasControls(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
