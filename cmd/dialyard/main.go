// Command dialyard is an isolated-process dialplan dispatcher: a SIP front whose
// calls are decided by Lua plans in worker processes that may die.
//
// This package only ties the others together. main.go names the subcommands, one
// file each; serve.go is the list of what runs in a server.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"dialyard/cmd/dialyard/load"
)

// version is that of the binary; the build may set it.
var version = "0.1.0-dev"

// exitError is an error that asks for an exit status other than 1. Its text may
// be empty when all has been said already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func main() { os.Exit(run(os.Args[1:])) }

// run carries out one command line and returns the exit status: 0 done, 1 not
// done, 2 wrong usage or configuration.
func run(args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return 0
	}
	status := 1
	if exit := (*exitError)(nil); errors.As(err, &exit) {
		status = exit.status
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "dialyard:", text)
	}
	return status
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "dialyard",
		Short:         "An isolated-process dialplan dispatcher",
		Long:          "Dialyard takes SIP calls and has Lua dialplans decide them, in worker processes\nthat may loop, leak or die without costing anybody else a call.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringP("config", "c", "", "configuration file (default ./dialyard.yaml if there is one)")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{2, err} })
	root.AddCommand(
		serveCommand(), checkCommand(), callCommand(), probeCommand(), workersCommand(), eventsCommand(), quarantineCommand(),
		publishCommand(), versionsCommand(), rollbackCommand(),
		load.Command(), configCommand(), versionCommand(), workerCommand(),
	)
	return root
}
