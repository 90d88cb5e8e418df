package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dialyard/dispatcher/api"
	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/store"
)

// planPath is where the API has a plan, given as ACCOUNT/PLAN.
func planPath(text string) (string, error) {
	id, err := store.ParsePlanID(text)
	if err != nil {
		return "", &exitError{2, err}
	}
	return "/v1/accounts/" + url.PathEscape(id.Account) + "/plans/" + url.PathEscape(id.Plan), nil
}

func publishCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "publish ACCOUNT/PLAN FILE", Short: "Make a file, zip or folder the live version of a plan",
		Example: "  dialyard publish demo/main plans/main.lua", Args: cobra.ExactArgs(2),
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, err := planPath(args[0])
		if err != nil {
			return err
		}
		bundle, err := readBundle(args[1])
		if err != nil {
			return err
		}
		body, err := zipBundle(bundle)
		if err != nil {
			return err
		}
		return planCommand(cmd, http.MethodPut, path, body, args[0], *asJSON)
	}
	return cmd
}

func rollbackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rollback ACCOUNT/PLAN [VERSION]", Short: "Make an earlier version of a plan live again",
		Example: "  dialyard rollback demo/main\n  dialyard rollback demo/main 3", Args: cobra.RangeArgs(1, 2),
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, err := planPath(args[0])
		if err != nil {
			return err
		}
		path += "/rollback"
		if len(args) == 2 {
			if _, err := strconv.ParseUint(args[1], 10, 32); err != nil {
				return &exitError{2, fmt.Errorf("a version is a number, not %q", args[1])}
			}
			path += "?version=" + args[1]
		}
		return planCommand(cmd, http.MethodPost, path, nil, args[0], *asJSON)
	}
	return cmd
}

// planCommand sends a command that answers with the version now live.
func planCommand(cmd *cobra.Command, method, path string, body []byte, plan string, asJSON bool) error {
	c, err := newClient(cmd)
	if err != nil {
		return err
	}
	var v store.Version
	if err := c.do(method, path, body, &v); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(v)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: version %d is live (%.12s)\n", plan, v.Number, v.Hash)
	return nil
}

func versionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "versions ACCOUNT/PLAN", Short: "List the versions of a plan",
		Example: "  dialyard versions demo/main", Args: cobra.ExactArgs(1),
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, err := planPath(args[0])
		if err != nil {
			return err
		}
		c, err := newClient(cmd)
		if err != nil {
			return err
		}
		var list []api.Version
		if err := c.do(http.MethodGet, path+"/versions", nil, &list); err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(list)
		}
		for _, v := range list {
			standing := ""
			if v.Live {
				standing = "live"
			}
			if v.Standing != blame.Innocent {
				standing = strings.TrimPrefix(standing+", "+v.Standing.String(), ", ")
			}
			if n := len(v.Deaths); n > 0 {
				standing += ": " + shorten(v.Deaths[n-1].Reason, 80)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%4d  %.12s  %s  %-6s  %s\n", v.Number, v.Hash, v.Created.Format(time.DateTime), v.Source, standing)
		}
		return nil
	}
	return cmd
}
