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
	// A BYE goes out again likewise (section 17.1.2.2).
	Retransmit bool
	// Answer is the address at which the run takes calls itself, udp://127.0.0.1:5070: a loopback address
	// and a port which the called server's plan dials. Empty, somebody else answers.
	Answer string
	// Ring is the time from an INVITE at the callee to its 180, PickUp from the 180 to the 200. Their sum
	// counts against Timeout and is less. Both need Answer.
	Ring, PickUp time.Duration
	// Hold is how long a caller keeps an answered call before it sends its BYE, 0 to 1 h, default 0: at
	// once. A held call costs the generator some 400 bytes. The run takes up to Hold longer.
	Hold time.Duration
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
	maxHold        = time.Hour
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
	case o.Hold < 0 || o.Hold > maxHold:
		return fmt.Errorf("hold %v: must be 0 to %v", o.Hold, maxHold)
	case o.Ring < 0 || o.PickUp < 0 || o.Ring+o.PickUp >= o.Timeout:
		return fmt.Errorf("ring %v and pickup %v: must be together less than timeout %v", o.Ring, o.PickUp, o.Timeout)
	case o.Answer == "" && o.Ring+o.PickUp > 0:
		return errors.New("ring and pickup: need an address to answer at")
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
