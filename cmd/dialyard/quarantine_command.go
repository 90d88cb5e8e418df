package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dialyard/dispatcher/blame"
)

func quarantineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "quarantine", Short: "List the versions of plans that kill workers, or release one",
		Long: "Quarantine lists the versions of plans that are suspected of killing workers, which run\n" +
			"apart, and those that are guilty of it, which do not run: their callers hear 500.",
		Example: "  dialyard quarantine\n  dialyard quarantine release acme/main@7 --reason 'tried it by hand'", Args: cobra.NoArgs,
	}
	listing := &cobra.Command{Use: "list", Short: "List them", Example: "  dialyard quarantine list --json", Args: cobra.NoArgs, RunE: listQuarantine}
	for _, c := range []*cobra.Command{cmd, listing} {
		c.Flags().Bool("json", false, "print JSON")
	}
	cmd.RunE = listQuarantine
	cmd.AddCommand(listing, releaseCommand())
	return cmd
}

func listQuarantine(cmd *cobra.Command, _ []string) error {
	c, err := newClient(cmd)
	if err != nil {
		return err
	}
	list := []blame.Case{}
	if err := c.do(http.MethodGet, "/v1/quarantine", nil, &list); err != nil {
		return err
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "nothing is held against any version")
		return nil
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "VERSION\tSTANDING\tSINCE\tDEATHS\tGOOD RUNS\tLAST DEATH")
	for _, one := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\n", shorten(one.Version.String(), 50), one.Standing, one.Since.Local().Format(time.DateTime),
			len(one.Deaths), goodRuns(&one), lastDeath(&one))
	}
	return t.Flush()
}

// goodRuns is how far a suspect is from being cleared.
func goodRuns(c *blame.Case) string {
	if c.Standing != blame.Suspect {
		return "-"
	}
	return fmt.Sprintf("%d of %d", c.Good, c.Needed)
}

func lastDeath(c *blame.Case) string {
	n := len(c.Deaths)
	if n == 0 {
		return "-"
	}
	d := c.Deaths[n-1]
	return d.Worker + ": " + shorten(d.Reason, 50)
}

func releaseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "release ACCOUNT/PLAN@VERSION", Short: "Let a version run again with the others",
		Example: "  dialyard quarantine release acme/main@7 --reason 'tried it by hand'", Args: cobra.ExactArgs(1),
	}
	reason := cmd.Flags().String("reason", "", "why, for the journal and the log")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		plan, number, _ := strings.Cut(args[0], "@")
		if _, err := strconv.ParseUint(number, 10, 32); err != nil {
			return &exitError{2, fmt.Errorf("a version is named ACCOUNT/PLAN@NUMBER, such as acme/main@7, not %q", args[0])}
		}
		path, err := planPath(plan)
		if err != nil {
			return err
		}
		c, err := newClient(cmd)
		if err != nil {
			return err
		}
		if err := c.do(http.MethodPost, path+"/versions/"+number+"/release?reason="+url.QueryEscape(*reason), nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: released\n", args[0])
		return nil
	}
	return cmd
}
