package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"dialyard/cmd/dialyard/config"
)

// loadConfig reads the configuration the command line names. Every fault in it
// asks for exit status 2.
func loadConfig(cmd *cobra.Command) (*config.Config, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(path, os.Environ())
	if err != nil {
		return nil, &exitError{2, err}
	}
	return cfg, nil
}

func configCommand() *cobra.Command {
	parent := &cobra.Command{Use: "config", Short: "Check or print the configuration", Example: "  dialyard config check\n  dialyard config print"}
	check := &cobra.Command{
		Use: "check", Short: "Say whether the configuration is right", Example: "  dialyard config check --config dialyard.yaml", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			source := cfg.File
			if source == "" {
				source = "defaults and environment, no file"
			}
			fmt.Fprintln(cmd.OutOrStdout(), "ok:", source)
			return nil
		},
	}
	printIt := &cobra.Command{
		Use: "print", Short: "Print every key with the value in force", Example: "  dialyard config print > dialyard.yaml", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(cfg)
			}
			return cfg.Print(cmd.OutOrStdout())
		},
	}
	printIt.Flags().Bool("json", false, "print JSON")
	parent.AddCommand(check, printIt)
	return parent
}
