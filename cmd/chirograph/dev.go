package main

import (
	"fmt"
	"os"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/dev"

	"github.com/spf13/cobra"
)

func newDev() *cobra.Command {
	o := dev.Options{Version: version}
	logLevel := ""
	c := &cobra.Command{
		Use:   "dev",
		Short: "Try everything on this machine: a sample bank, and the main job played once",
		Long: `Makes keys, a local certificate authority and a sample bank, plays the main job
once over real HTTPS (a third party asks, the customer approves, the third party
reads, the customer stops it, the next read is refused), prints the consent's
timeline from the log, verifies the log, and goes on serving.

Only this machine can reach it. Its data folder can never be served as
production.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out, o.Log = cmd.OutOrStdout(), logger(logLevel, "text")
			return dev.Run(cmd.Context(), o)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.Ephemeral, "ephemeral", false, "forget everything at the end")
	f.BoolVar(&o.Once, "once", false, "end after the story")
	f.IntVar(&o.Public, "port", 8443, "public port, 0 for any")
	f.IntVar(&o.MTLS, "mtls-port", 8444, "port for clients with certificates, 0 for any")
	f.IntVar(&o.Admin, "admin-port", 9443, "admin port, 0 for any")
	f.IntVar(&o.Notify, "notify-port", 8445, "port where the sample clients are pinged and get pushed tokens, 0 for any")
	f.IntVar(&o.Nodes, "nodes", 1, "how many nodes serve together; more than one needs --postgres")
	f.StringVar(&o.Postgres, "postgres", os.Getenv("CHIROGRAPH_STORE__POSTGRES"), "URL of an empty PostgreSQL database that the nodes share")
	f.StringVar(&o.EventStoreDB, "eventstoredb", os.Getenv("CHIROGRAPH_STORE__EVENTSTOREDB"), "connection string of an empty EventStoreDB for the log of the nodes")
	f.StringVar(&logLevel, "log-level", "warn", "debug, info, warn or error")
	c.PersistentFlags().StringVar(&o.Dir, "data", dev.DefaultDir, "data folder")
	c.AddCommand(&cobra.Command{
		Use: "reset", Short: "Wipe the data folder", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := dev.Reset(o.Dir); err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "wiped", o.Dir)
			return nil
		},
	})
	return c
}
