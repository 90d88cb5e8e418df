package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dialyard/dispatcher/api"
)

func workersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "workers", Short: "List the workers, or drain, recycle, disable or enable one",
		Long: "Workers lists the workers: WORKER is slot and generation, RUNS those it has now of all\n" +
			"it was given, WALLS how many walls its jail has, REASON that of its last change of\nstate. The history is in 'dialyard events'.",
		Example: "  dialyard workers\n  dialyard workers recycle w1 --reason 'looks odd'\n  dialyard workers disable w2 --reason 'see ticket 12'", Args: cobra.NoArgs,
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	all := cmd.Flags().Bool("all", false, "also the workers for suspects")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := newClient(cmd)
		if err != nil {
			return err
		}
		path := "/v1/workers"
		if *all {
			path += "?all=1"
		}
		var list []json.RawMessage
		if err := c.do(http.MethodGet, path, nil, &list); err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(list)
		}
		return printWorkers(cmd.OutOrStdout(), list)
	}
	disable := workerAction("disable", "Empty a worker's place and leave it so until it is enabled, or the server restarts")
	disable.Flags().Bool("force", false, "the last ready worker, too")
	cmd.AddCommand(
		workerAction("drain", "Let a worker end its runs and leave; its place is filled anew"),
		workerAction("recycle", "Replace a worker: its successor is proven before it leaves"),
		disable,
		workerAction("enable", "Fill the place of a disabled worker again"),
	)
	return cmd
}

func workerAction(verb, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use: verb + " WORKER", Short: short,
		Example: "  dialyard workers " + verb + " w1 --reason 'see ticket 12'", Args: cobra.ExactArgs(1),
	}
	reason := cmd.Flags().String("reason", "", "why, for the journal, the log and the list")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := newClient(cmd)
		if err != nil {
			return err
		}
		query := url.Values{"reason": {*reason}}
		if force, err := cmd.Flags().GetBool("force"); err == nil && force {
			query.Set("force", "1")
		}
		path := "/v1/workers/" + url.PathEscape(workerName(args[0])) + "/" + verb + "?" + query.Encode()
		if err := c.do(http.MethodPost, path, nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s accepted\n", workerName(args[0]), verb)
		return nil
	}
	return cmd
}

// workerName lets people say 1 for w1.
func workerName(text string) string {
	if text != "" && strings.Trim(text, "0123456789.") == "" {
		return "w" + text
	}
	return text
}

// maxReason is what is left for the reason of a line of 160 columns when every other
// column is at its widest.
const maxReason = 66

// workerRow is a worker as the API shows it; its state is a word here.
type workerRow struct {
	api.Worker
	State string `json:"state"`
}

func printWorkers(w io.Writer, list []json.RawMessage) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WORKER\tPID\tSTATE\tAGE\tRSS\tHEAP\tRUNS\tPROBE\tWALLS\tREASON")
	var jails []string
	for _, raw := range list {
		var row workerRow
		if err := json.Unmarshal(raw, &row); err != nil {
			return err
		}
		if row.Jail != "" && !slices.Contains(jails, row.Jail) {
			jails = append(jails, row.Jail)
		}
		fmt.Fprintf(t, "%s.%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.ID, row.Generation, orDash(row.Pid), row.State, age(row.Age),
			mebibytes(row.RSS), mebibytes(row.Heap), fmt.Sprintf("%d/%d", row.Runs, row.RunsTotal), row.probe(), walls(row.Jail), shorten(row.Reason, maxReason))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, jail := range jails {
		fmt.Fprintf(w, "%s walls: %s\n", walls(jail), jail)
	}
	return nil
}

// probe is how long ago the last probe was, and what came of it.
func (w *workerRow) probe() string {
	p := w.LastProbe
	if p == nil {
		return "-"
	}
	took := fmt.Sprintf("%.1fms", p.Seconds*1000)
	if !p.OK {
		took = "failed"
	}
	return took + " " + age(time.Since(p.At).Seconds()) + " ago"
}

// age is a time as short as it can be told: 12s, 5m, 3h, 8d.
func age(seconds float64) string {
	switch d := time.Duration(max(0, seconds) * float64(time.Second)); {
	case d == 0:
		return "-"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

func walls(jail string) string {
	if jail == "" {
		return "-"
	}
	return fmt.Sprint(1 + strings.Count(jail, ","))
}

func orDash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func mebibytes(n uint64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fM", float64(n)/(1<<20))
}
