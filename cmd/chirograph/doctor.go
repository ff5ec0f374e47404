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
		Long: "Looks at the settings, the folder, keys, checkpoints, certificates and the running server. Changes nothing.",
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		where, err := located(cmd)
		if err != nil {
			return err
		}
		found := ask.Examine(cmd.Context(), ask.Options{Config: where, Reads: true, Version: version, Log: logger("error", "text")})
		raw, err := json.Marshal(object{"items": found})
		if err != nil {
			return err
		}
		if err := show(cmd, raw, column{"CHECK", "check"}, column{"RESULT", "result"}, column{"DETAIL", "detail"}); err != nil {
			return err
		}
		for _, f := range found {
			if f.Result == ask.Bad {
				return errors.New("something is wrong")
			}
		}
		return nil
	}
	return locating(c)
}
