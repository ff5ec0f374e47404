package main

import (
	"os"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/dev"

	"github.com/spf13/cobra"
)

// What a command does with the installation.
type intent int

const (
	reads   intent = iota // changes nothing
	changes               // an installation that exists
	creates               // makes the data folder if it is missing
)

// locating adds the flags that say which installation a command is about.
func locating(c *cobra.Command) *cobra.Command {
	c.Flags().String("config", "", "configuration file of the server (also CHIROGRAPH_CONFIG)")
	c.Flags().String("data", "", "data folder, if there is no configuration file (default: chirograph-data, or .chirograph of dev)")
	return c
}

// located returns the configuration that a command is about: that of the file
// which a flag or CHIROGRAPH_CONFIG names and of the environment, or of a data
// folder alone.
func located(cmd *cobra.Command) (config.Config, error) {
	flags := map[string]string{}
	if data := text(cmd, "data"); data != "" {
		flags["data_dir"] = data
	}
	c, origins, err := config.Read(config.Sources{File: settingsFile(cmd), Env: os.Environ(), Flags: flags})
	if err != nil {
		return c, usageError{err}
	}
	if _, err := os.Stat(c.DataDir); err == nil || origins["data_dir"] != config.FromDefault {
		return c, nil
	}
	if _, err := os.Stat(dev.DefaultDir); err == nil {
		c.DataDir = dev.DefaultDir
	}
	return c, nil
}

// settingsFile is the configuration file that is to be read, "" for none.
func settingsFile(cmd *cobra.Command) string {
	if named := text(cmd, "config"); named != "" {
		return named
	}
	return os.Getenv(config.FileVariable)
}

// asking makes a command that asks the installation something.
func asking(c *cobra.Command, will intent, do func(*cobra.Command, *ask.Asker, []string) error) *cobra.Command {
	c.RunE = func(cmd *cobra.Command, args []string) (err error) {
		where, err := located(cmd)
		if err != nil {
			return err
		}
		a, err := ask.Open(cmd.Context(), ask.Options{
			Config: where, Reads: will == reads, Create: will == creates, Version: version, Log: logger("error", "text"),
		})
		if err != nil {
			return err
		}
		defer func() {
			if closing := a.Close(); err == nil {
				err = closing
			}
		}()
		return do(cmd, a, args)
	}
	return locating(c)
}

// simple makes a command that sends one request and shows the answer.
func simple(c *cobra.Command, will intent, request func(*cobra.Command, []string) (method, path string, body any), columns ...column) *cobra.Command {
	return asking(c, will, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		method, path, body := request(cmd, args)
		raw, err := a.Do(cmd.Context(), method, path, body)
		if err != nil {
			return err
		}
		return show(cmd, raw, columns...)
	})
}

// text returns a flag's value.
func text(cmd *cobra.Command, name string) string {
	v, err := cmd.Flags().GetString(name)
	if err != nil {
		panic(err) // the flag is not declared
	}
	return v
}

// required adds a flag that must be given.
func required(c *cobra.Command, name, usage string) {
	c.Flags().String(name, "", usage)
	if err := c.MarkFlagRequired(name); err != nil {
		panic(err)
	}
}

// limited adds the flag that says how many items are wanted.
func limited(c *cobra.Command) *cobra.Command {
	c.Flags().Int("limit", 100, "at most so many")
	return c
}

// listing makes a command that shows a listing, page after page.
func listing(c *cobra.Command, path string, params func(*cobra.Command) map[string]string, columns ...column) *cobra.Command {
	return asking(limited(c), reads, func(cmd *cobra.Command, a *ask.Asker, _ []string) error {
		limit, _ := cmd.Flags().GetInt("limit")
		raw, err := a.All(cmd.Context(), path, params(cmd), limit)
		if err != nil {
			return err
		}
		return show(cmd, raw, columns...)
	})
}

// object is the body of a request.
type object map[string]any
