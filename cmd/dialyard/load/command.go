package load

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
)

// Command is `dialyard load`. It fails when a call was lost or a message unexpected.
func Command() *cobra.Command {
	var (
		o      Options
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "load [flags] URI",
		Short: "Place many calls at a steady rate on a server on this machine",
		Long: `Place many calls at a steady rate on a server on this machine and report how they fared.

Each call is an INVITE, its final response and the ACK; a call which is answered is hung up, at once
or after --hold. With --answer the command takes calls as well: let the server's plan dial
sip:...@HOST:PORT of that address, and the report tells what came of each call at both of its ends.
Calls start when they are due, however slow the server is, and latency counts from that instant.
The exit code is 1 when a call is lost, placed twice or not hung up, or a message cannot be explained.
Interrupted, it starts no more calls, hangs up, waits for those in flight and reports.`,
		Example: `  dialyard load --rate 5000 --duration 10s sip:100@127.0.0.1:5060
  dialyard load --rate 200 --duration 1m --header "X-Campaign: spring" --json sip:100@127.0.0.1
  dialyard load --rate 500 --hold 1m --answer udp://127.0.0.1:5070 sip:100@127.0.0.1`,
		Args:         cobra.ExactArgs(1),
		SilenceUsage: true,
		RunE: func(c *cobra.Command, args []string) error {
			o.Target = args[0]
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
			defer stop()
			context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
			r, err := Run(ctx, o)
			if err != nil {
				return err
			}
			if err := print(c, r, asJSON); err != nil {
				return err
			}
			return r.Err()
		},
	}
	f := c.Flags()
	f.Float64Var(&o.Rate, "rate", 100, "calls per second")
	f.DurationVar(&o.Duration, "duration", 10*time.Second, "how long calls are started")
	f.IntVar(&o.Sockets, "sockets", defaultSockets, "local UDP ports which share the calls")
	f.DurationVar(&o.Timeout, "timeout", defaultTimeout, "a call without a final response by then is lost")
	f.DurationVar(&o.Grain, "grain", 0, "let calls and responses gather for this long; cheaper at high rates")
	f.StringArrayVar(&o.Headers, "header", nil, `header line "Name: value" for each INVITE, may be repeated`)
	f.BoolVar(&o.Retransmit, "retransmit", false, "send unanswered INVITEs and BYEs again (RFC 3261 Timers A and E)")
	f.StringVar(&o.Answer, "answer", "", "take the calls which the server dials, at `udp://HOST:PORT`")
	f.DurationVar(&o.Ring, "ring", 0, "with --answer: time from the INVITE to the 180")
	f.DurationVar(&o.PickUp, "pickup", 0, "with --answer: time from the 180 to the 200")
	f.DurationVar(&o.Hold, "hold", 0, "how long an answered call is held before its BYE")
	f.BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

// print writes the report to the command's standard output.
func print(c *cobra.Command, r Report, asJSON bool) error {
	if !asJSON {
		_, err := c.OutOrStdout().Write([]byte(r.String()))
		return err
	}
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", "  ")
	return e.Encode(r)
}
