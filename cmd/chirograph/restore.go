package main

import (
	"encoding/json"
	"fmt"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"

	"github.com/spf13/cobra"
)

func newRestore() *cobra.Command {
	c := &cobra.Command{
		Use: "restore [FOLDER]", Short: "Put a backup into the data folder, or accept the loss of events",
		Long: `With FOLDER: checks the backup in full and puts it into the data folder, which
must have no log. The master key must be there already (master.key, or
keys.master_key_file). A keyring that is there stays, so that nobody who was
erased comes back; every erasure that the log or the list beside the checkpoints
knows is repeated.

A log that is older than the newest checkpoint found anywhere is not served. If
what came after it is lost for good, --accept-loss begins a new epoch whose
first event says so. Without FOLDER it does that for the log that is there.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("restore takes one FOLDER")}
			}
			return nil
		},
	}
	c.Flags().Bool("accept-loss", false, "go on although later events are lost")
	c.Flags().String("reason", "", "why events are lost; it is kept in the log")
	c.RunE = restore
	return locating(c)
}

func restore(cmd *cobra.Command, args []string) error {
	where, err := located(cmd)
	if err != nil {
		return err
	}
	accept, _ := cmd.Flags().GetBool("accept-loss")
	r := platform.Restore{AcceptLoss: accept, Reason: text(cmd, "reason")}
	if len(args) == 1 {
		r.From = args[0]
	}
	switch {
	case r.From == "" && !accept:
		return usageError{fmt.Errorf("restore needs a FOLDER, or --accept-loss for the log that is there")}
	case accept && r.Reason == "":
		return usageError{fmt.Errorf("--accept-loss needs --reason: it is kept in the log")}
	}
	report, err := platform.Restored(cmd.Context(), platform.Options{Config: where, Version: version, Log: logger("error", "text")}, r)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return show(cmd, raw, column{"EVENTS", "events"}, column{"EPOCH", "epoch"}, column{"LOST", "lost"}, column{"ROOT", "root"})
}
