package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot returns the tree of commands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "chirograph",
		Short: "An authorization server and consent platform that can prove what it did",
		Long: `Chirograph serves OAuth 2.0, OpenID Connect and FAPI 2.0 and keeps customers'
consents, all on one tamper-evident log.

Start with "chirograph dev": a bank with customers and third parties on this
machine, nothing to install or to configure.`,
		SilenceUsage: true, SilenceErrors: true, Version: version,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentFlags().StringP("output", "o", "table", "table, json, yaml or jsonl")
	root.PersistentFlags().BoolP("quiet", "q", false, "ids only")
	root.AddCommand(newDev(), newServe(), newConfig(), newVersion(), newApply(), newClient(), newKeys(), newSubject(), newConsent(), newBackchannel(), newDelivery(),
		newAdmin(), newAudit(), newReplay(), newLog(), newProjection(), newRegistration(), newBackup(), newRestore(), newDoctor(), newFlow())
	return root
}

// exactly demands arguments by name, so that the message says which is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		want := "no argument"
		if len(names) > 0 {
			want = strings.Join(names, " ")
		}
		return usageError{fmt.Errorf("%s takes %s, see %s --help", cmd.CommandPath(), want, cmd.CommandPath())}
	}
}

// group is a command that only has subcommands.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError{fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0])}
		}
		return cmd.Help()
	}}
	c.AddCommand(children...)
	return c
}

// logger writes the server's own log to standard error.
func logger(level, format string) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		least = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: least}
	if format == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}
