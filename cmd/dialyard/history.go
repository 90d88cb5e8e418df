package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dialyard/dispatcher/journal"
)

func eventsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "events", Short: "Show what changed, when and why",
		Long: "Events shows the newest of the server's journal: every change of a worker's state,\n" +
			"every verdict with the numbers it rests on, quarantine, plans, gateways, stores,\n" +
			"reloads and operators' commands. The whole history is in data/events.jsonl.",
		Example: "  dialyard events\n  dialyard events --follow --kind verdict,quarantine\n  dialyard events --subject w1 --after 120 --json", Args: cobra.NoArgs,
	}
	var w eventsWish
	cmd.Flags().BoolVarP(&w.follow, "follow", "f", false, "go on with what comes, until the server ends")
	cmd.Flags().Uint64Var(&w.after, "after", 0, "only events with a higher number")
	cmd.Flags().IntVarP(&w.limit, "limit", "n", 0, "how many at the most (default 100)")
	cmd.Flags().StringSliceVar(&w.kinds, "kind", nil, fmt.Sprintf("only these: %v", journal.Kinds()))
	cmd.Flags().StringVar(&w.subject, "subject", "", "only about this: w1, w1.3, acme, acme/main@7")
	cmd.Flags().BoolVar(&w.json, "json", false, "print JSON: a list, or a line for each when following")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		w.sinceGiven = cmd.Flags().Changed("after")
		c, err := newClient(cmd)
		if err != nil {
			return err
		}
		if w.follow {
			return followEvents(cmd.OutOrStdout(), c, &w)
		}
		return listEvents(cmd.OutOrStdout(), c, &w)
	}
	return cmd
}

// eventsWish is what somebody wants to see.
type eventsWish struct {
	follow, json, sinceGiven bool
	after                    uint64
	limit                    int
	kinds                    []string
	subject                  string
}

func (w *eventsWish) path() string {
	query := url.Values{}
	if w.sinceGiven {
		query.Set("after", strconv.FormatUint(w.after, 10))
	}
	if w.limit != 0 {
		query.Set("limit", strconv.Itoa(w.limit))
	}
	if len(w.kinds) > 0 {
		query.Set("kind", strings.Join(w.kinds, ","))
	}
	if w.subject != "" {
		query.Set("subject", w.subject)
	}
	if w.follow {
		query.Set("follow", "1")
	}
	return "/v1/events?" + query.Encode()
}

func listEvents(out io.Writer, c *client, w *eventsWish) error {
	list := []journal.Event{}
	if err := c.do(http.MethodGet, w.path(), nil, &list); err != nil {
		return err
	}
	if w.json {
		return json.NewEncoder(out).Encode(list)
	}
	for i := range list {
		printEvent(out, &list[i])
	}
	return nil
}

// followEvents prints events as they come. It returns when the server ends, with the
// number to go on after.
func followEvents(out io.Writer, c *client, w *eventsWish) error {
	last := w.after
	err := c.stream(w.path(), func(line []byte) error {
		var e struct {
			journal.Event
			Missed uint64 `json:"missed"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		last = max(last, e.Number)
		switch {
		case w.json:
			fmt.Fprintf(out, "%s\n", line)
		case e.Missed > 0:
			fmt.Fprintf(out, "       (%d events are not kept any more)\n", e.Missed)
		default:
			printEvent(out, &e.Event)
		}
		return nil
	})
	if last > 0 {
		err = fmt.Errorf("%w; go on with --after %d", err, last)
	}
	return err
}

// printEvent writes one line, and if there are numbers a second one.
func printEvent(out io.Writer, e *journal.Event) {
	who := ""
	if e.By != "" {
		who = " by " + shorten(e.By, 40)
	}
	fmt.Fprintf(out, "%6d  %s  %-10s  %-18s  %-10s  %s%s\n", e.Number, e.At.Local().Format("2006-01-02 15:04:05.000"),
		shorten(string(e.Kind), 10), shorten(e.Subject, 40), shorten(e.What, 20), shorten(e.Reason, 400), who)
	if len(e.Numbers) == 0 {
		return
	}
	var numbers []string
	for _, name := range slices.Sorted(maps.Keys(e.Numbers)) {
		numbers = append(numbers, shorten(name, 40)+" "+measureText(name, e.Numbers[name]))
	}
	fmt.Fprintf(out, "        %s\n", strings.Join(numbers, "  "))
}

// measureText is a number in the unit that its name ends in.
func measureText(name string, n float64) string {
	switch {
	case strings.HasSuffix(name, "_bytes"):
		return fmt.Sprintf("%.1fM", n/(1<<20))
	case strings.HasSuffix(name, "_seconds"):
		return time.Duration(n * float64(time.Second)).Round(time.Millisecond).String()
	}
	return strconv.FormatFloat(n, 'g', 6, 64)
}
