package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"

	"github.com/spf13/cobra"
)

func newLog() *cobra.Command {
	c := &cobra.Command{
		Use: "copy", Short: "Copy a log from one engine to another", Args: exactly(),
		Long: `Copies what the target does not have yet, and verifies all of it at the end: the
same events, order, bytes and root. It can be stopped and repeated, and the
source may be in use; nobody may use the target. Source and target are each a
configuration file, or the data folder of a single node.

With --keys the keyring, the sign-in state and the list of erasures follow. Stop
every server of the source before that, or what it seals meanwhile cannot be
read. The master key is never copied: put it where the target's configuration
says.`,
	}
	required(c, "from", "configuration file or data folder of the source")
	required(c, "to", "configuration file or data folder of the target")
	c.Flags().Bool("keys", false, "also the keyring, the sign-in state and the list of erasures")
	c.RunE = copyLog
	return group("log", "The event log as a whole", c)
}

func copyLog(cmd *cobra.Command, _ []string) error {
	from, err := place(text(cmd, "from"), false)
	if err != nil {
		return err
	}
	to, err := place(text(cmd, "to"), true)
	if err != nil {
		return err
	}
	t := platform.Transfer{From: from, To: to, Progress: telling(cmd.ErrOrStderr())}
	t.Keys, _ = cmd.Flags().GetBool("keys")
	report, err := t.Run(cmd.Context())
	if err != nil {
		return err
	}
	raw, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return show(cmd, raw, column{"EVENTS", "events"}, column{"STREAMS", "streams"}, column{"CHECKPOINTS", "checkpoints"}, column{"ROOT", "root"})
}

// telling says now and then how far a long command is.
func telling(w io.Writer) func(done, of int64) error {
	last := time.Now()
	return func(done, of int64) error {
		if time.Since(last) < 2*time.Second {
			return nil
		}
		last = time.Now()
		_, err := fmt.Fprintf(w, "%d of %d events\n", done, of)
		return err
	}
}

// place is the installation that a configuration file or a data folder names.
// The environment says nothing here: it cannot mean both.
func place(name string, mayBeMissing bool) (platform.Options, error) {
	o := platform.Options{Version: version, Log: logger("error", "text")}
	about, err := os.Stat(name)
	if err == nil && !about.IsDir() {
		if o.Config, _, err = config.Read(config.Sources{File: name}); err != nil {
			err = usageError{err}
		}
		return o, err
	}
	if err != nil && (!mayBeMissing || !errors.Is(err, os.ErrNotExist)) {
		return o, usageError{err}
	}
	o.Config = config.Default()
	o.Config.DataDir = name
	return o, nil
}
