package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"dialyard/dialplans"
	"dialyard/dispatcher/api"
	"dialyard/dispatcher/store"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "check FILE...", Short: "Say whether plans compile",
		Long:    "Check reads plans (a main.lua, a zip, or a folder with a main.lua) and says where\none does not compile. It runs nothing.",
		Example: "  dialyard check plans/demo/main/main.lua", Args: cobra.MinimumNArgs(1),
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		bad := 0
		for _, path := range args {
			problem := checkPlan(path)
			if problem != nil {
				bad++
			}
			printCheck(cmd.OutOrStdout(), path, problem, *asJSON)
		}
		if bad > 0 {
			return &exitError{status: 1}
		}
		return nil
	}
	return cmd
}

// checkPlan compiles what lies at path; nil means that all is well.
func checkPlan(path string) *api.Problem {
	bundle, err := readBundle(path)
	if err == nil {
		_, err = dialplans.Compile(bundle)
	}
	if err == nil {
		return nil
	}
	problem := &api.Problem{Error: err.Error()}
	if e := (*dialplans.Error)(nil); errors.As(err, &e) {
		problem.File, problem.Line, problem.Column, problem.Caret = e.File, e.Line, e.Column, e.Caret()
	}
	return problem
}

func printCheck(w io.Writer, path string, p *api.Problem, asJSON bool) {
	switch {
	case asJSON:
		json.NewEncoder(w).Encode(map[string]any{"path": path, "ok": p == nil, "problem": p})
	case p == nil:
		fmt.Fprintf(w, "%s: ok\n", path)
	default:
		fmt.Fprintf(w, "%s: %s\n", path, p.Error)
		if p.Caret != "" {
			fmt.Fprintln(w, p.Caret)
		}
	}
}

// readBundle reads a file as an upload would be, or a folder's Lua files.
func readBundle(path string) (store.Bundle, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return store.ReadUpload(body)
	}
	bundle := store.Bundle{}
	root := os.DirFS(path)
	err = walkLua(root, func(name string, source []byte) { bundle[filepath.ToSlash(name)] = source })
	if err == nil {
		err = bundle.Validate()
	}
	return bundle, err
}
