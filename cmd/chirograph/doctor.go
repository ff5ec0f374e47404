package main

import (
	"encoding/json"
	"errors"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"

	"github.com/spf13/cobra"
)

func newDoctor() *cobra.Command {
	c := &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong or will be", Args: exactly(),
		Long: `Looks at the folder, the log's end, keys, checkpoints, the certificate, the disk
and the running server. Changes nothing, but what it asks a running server is in
the log like any operator's request.

"bad" is wrong now, "mind" may go wrong later; exit code 1 if anything is bad.
With --production nothing may be left to mind. With --live only whether a server
runs on the folder is asked, which leaves no trace.`,
	}
	c.Flags().Bool("production", false, "fail on what is only to be minded, too")
	c.Flags().Bool("live", false, "only ask whether a server is alive, as a container's health check does")
	c.MarkFlagsMutuallyExclusive("production", "live")
	c.RunE = doctor
	return locating(c)
}

func doctor(cmd *cobra.Command, _ []string) error {
	where, err := located(cmd)
	if err != nil {
		return err
	}
	if live, _ := cmd.Flags().GetBool("live"); live {
		return ask.Live(cmd.Context(), where)
	}
	found := ask.Examine(cmd.Context(), ask.Options{Config: where, Reads: true, Version: version, Log: logger("error", "text")})
	raw, err := json.Marshal(object{"items": found})
	if err != nil {
		return err
	}
	if err := show(cmd, raw, column{"CHECK", "check"}, column{"RESULT", "result"}, column{"DETAIL", "detail"}); err != nil {
		return err
	}
	strict, _ := cmd.Flags().GetBool("production")
	for _, f := range found {
		if f.Result == ask.Bad || strict && f.Result == ask.Mind {
			return errors.New("not all is well")
		}
	}
	return nil
}
