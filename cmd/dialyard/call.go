package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dialyard/health/probe"
)

func callCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "call URI", Short: "Place a test call and show its messages",
		Long: "Call places one INVITE as any phone would and prints the messages with their times.\n" +
			"It exits 0 if the call was answered or redirected (2xx, 3xx), 1 if it was refused,\nand 2 if nothing answered.",
		Example: "  dialyard call sip:100@127.0.0.1\n  dialyard call 'sip:100@127.0.0.1:5060;transport=tcp' --header 'X-Priority: high'",
		Args:    cobra.ExactArgs(1),
	}
	from := cmd.Flags().String("from", "dialyard", "user of the From header")
	headers := cmd.Flags().StringArray("header", nil, "a header to add, as 'Name: value'")
	timeout := cmd.Flags().Duration("timeout", 32*time.Second, "how long to wait for the final answer")
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		target, err := probe.ParseTarget(args[0])
		if err != nil {
			return &exitError{2, err}
		}
		fields, err := parseFields(*headers)
		if err != nil {
			return &exitError{2, err}
		}
		caller, err := probe.NewCaller(*from)
		if err != nil {
			return err
		}
		defer caller.Close()
		ctx, cancel := context.WithTimeout(cmd.Context(), *timeout)
		defer cancel()
		show := func(s probe.Step) { printStep(cmd, s) }
		if *asJSON {
			show = nil
		}
		answer, err := caller.Call(ctx, target, fields, show)
		if err != nil {
			return &exitError{2, fmt.Errorf("call %s: %w", args[0], err)}
		}
		return reportCall(cmd, answer, *asJSON)
	}
	return cmd
}

func printStep(cmd *cobra.Command, s probe.Step) {
	arrow := "<──"
	if s.Sent {
		arrow = "──>"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%9.3f ms  %s  %s\n", float64(s.After.Microseconds())/1000, arrow, s.Line)
}

// reportCall prints how the call ended; the exit status says it too.
func reportCall(cmd *cobra.Command, a *probe.Answer, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		if err := json.NewEncoder(out).Encode(a); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "\n%d %s after %.3f ms\n", a.Status, a.Reason, float64(a.Took.Microseconds())/1000)
		for _, f := range a.Headers {
			switch name := strings.ToLower(f.Name); {
			case name == "contact", name == "warning", name == "retry-after", strings.HasPrefix(name, "x-"):
				fmt.Fprintf(out, "%s: %s\n", f.Name, f.Value)
			}
		}
	}
	if a.Status >= 400 {
		return &exitError{status: 1}
	}
	return nil
}

func parseFields(lines []string) ([]probe.Field, error) {
	var fields []probe.Field
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, fmt.Errorf("a header is given as 'Name: value', not %q", line)
		}
		fields = append(fields, probe.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return fields, nil
}
