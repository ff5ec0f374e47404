package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"

	"github.com/spf13/cobra"
)

func newConfig() *cobra.Command {
	schema := &cobra.Command{Use: "schema", Short: "Print the JSON Schema of the configuration file", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := config.Schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		}}
	validate := &cobra.Command{Use: "validate", Short: "Check the settings, and the files they name", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := loaded(cmd)
			if err == nil {
				err = readable(c)
			}
			if err == nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "the settings are good")
			}
			return err
		}}
	show := &cobra.Command{Use: "show", Short: "Show every setting as it holds, and where it is from", Args: exactly(), RunE: showConfig}
	return group("config", "The server's settings", newConfigInit(), newMasterKey(), configured(validate), configured(show), schema)
}

// configured adds a flag for every setting.
func configured(c *cobra.Command) *cobra.Command {
	c.Flags().String("config", "", "configuration file (also CHIROGRAPH_CONFIG)")
	defaults := config.Default()
	for _, l := range defaults.Leaves() {
		c.Flags().String(l.Path, "", l.Doc)
	}
	return c
}

// loaded puts flags, environment and file together.
func loaded(cmd *cobra.Command) (config.Config, map[string]config.Origin, error) {
	flags := map[string]string{}
	defaults := config.Default()
	for _, l := range defaults.Leaves() {
		if f := cmd.Flags().Lookup(l.Path); f.Changed {
			flags[l.Path] = f.Value.String()
		}
	}
	named := settingsFile(cmd)
	c, origins, err := config.Load(config.Sources{File: named, Env: os.Environ(), Flags: flags})
	switch {
	case err != nil && named == "":
		err = usageError{fmt.Errorf("%w (no configuration file was named: --config or CHIROGRAPH_CONFIG)", err)}
	case err != nil:
		err = usageError{err}
	}
	return c, origins, err
}

func showConfig(cmd *cobra.Command, _ []string) error {
	c, origins, err := loaded(cmd)
	if err != nil {
		return err
	}
	items := []object{}
	for _, l := range c.Leaves() {
		items = append(items, object{"setting": l.Path, "value": l.Shown(), "from": origins[l.Path], "environment": l.Environment()})
	}
	raw, err := json.Marshal(object{"items": items})
	if err != nil {
		return err
	}
	return show(cmd, raw, column{"SETTING", "setting"}, column{"VALUE", "value"}, column{"FROM", "from"})
}

// readable opens the files that the settings name.
func readable(c config.Config) error {
	for _, pair := range []config.TLS{c.Public.TLS, c.Admin.TLS} {
		if pair.Cert == "" {
			continue
		}
		if _, err := mtls.NewReloader(pair.Cert, pair.Key, logger("error", "text")); err != nil {
			return err
		}
	}
	for _, bundle := range []string{c.MTLS.ClientCA, c.Fetch.CA} {
		if bundle == "" {
			continue
		}
		text, err := os.ReadFile(bundle)
		if err != nil {
			return err
		}
		if _, err := mtls.DecodeCertificates(text); err != nil {
			return fmt.Errorf("%s: %w", bundle, err)
		}
	}
	return nil
}
