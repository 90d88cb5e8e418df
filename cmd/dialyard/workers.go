package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dialyard/dispatcher/api"
)

func workersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "workers", Short: "List the workers, or drain or recycle one",
		Example: "  dialyard workers\n  dialyard workers recycle w1 --reason 'looks odd'", Args: cobra.NoArgs,
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := newClient(cmd)
		if err != nil {
			return err
		}
		var list []json.RawMessage
		if err := c.do(http.MethodGet, "/v1/workers", nil, &list); err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(list)
		}
		return printWorkers(cmd, list)
	}
	cmd.AddCommand(
		workerAction("drain", "Let a worker end its runs and leave; its place is filled anew"),
		workerAction("recycle", "Replace a worker: its successor is proven before it leaves"),
	)
	return cmd
}

func workerAction(verb, short string) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " WORKER", Short: short, Example: "  dialyard workers " + verb + " w1", Args: cobra.ExactArgs(1)}
	reason := cmd.Flags().String("reason", "", "why, for the log and the list")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := newClient(cmd)
		if err != nil {
			return err
		}
		path := "/v1/workers/" + url.PathEscape(args[0]) + "/" + verb + "?reason=" + url.QueryEscape(*reason)
		if err := c.do(http.MethodPost, path, nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s accepted\n", args[0], verb)
		return nil
	}
	return cmd
}

func printWorkers(cmd *cobra.Command, list []json.RawMessage) error {
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WORKER\tPID\tSTATE\tAGE\tRSS\tHEAP\tRUNS\tTOTAL\tPROBE\tREASON")
	for _, raw := range list {
		var w struct {
			api.Worker
			State string `json:"state"`
		}
		if err := json.Unmarshal(raw, &w); err != nil {
			return err
		}
		probe := "-"
		if p := w.LastProbe; p != nil {
			probe = fmt.Sprintf("%.1fms", p.Seconds*1000)
			if !p.OK {
				probe = "failed"
			}
		}
		age := time.Duration(w.Age * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(t, "%s.%d\t%d\t%s\t%v\t%s\t%s\t%d\t%d\t%s\t%s\n", w.ID, w.Generation, w.Pid, w.State, age,
			mebibytes(w.RSS), mebibytes(w.Heap), w.Runs, w.RunsTotal, probe, w.Reason)
	}
	return t.Flush()
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1fM", float64(n)/(1<<20)) }
