package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/chirograph/chirograph/adapters/keys"

	"github.com/spf13/cobra"
)

func newMasterKey() *cobra.Command {
	return &cobra.Command{
		Use: "master-key FILE", Short: "Make the master key that every node of an installation is given", Args: exactly("FILE"),
		Long: `Writes a new master key, for its owner only. If FILE is there already it stays.

Nodes that share a store all need the same master key, as master.key in data_dir
or where keys.master_key_file says. One node makes its own at the first start.
Keep a copy apart from every backup: without it the keyring opens nothing.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(filepath.Dir(args[0]), 0o700); err != nil {
				return err
			}
			if _, err := keys.OpenMaster(args[0], true); err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "the master key is", args[0])
			return nil
		},
	}
}
