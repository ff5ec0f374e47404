// Chirograph is an authorization server and a consent platform that can prove
// what it did: one program that serves, and that its operators ask.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	if version == "" {
		version = moduleVersion()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the program at once
	}()
	os.Exit(run(ctx, os.Args[1:]))
}

// run runs one command and returns the exit code.
func run(ctx context.Context, args []string) int {
	root, ran := newRoot(), false
	noting(root, &ran)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !ran {
		err = usageError{err} // an unknown command, a flag that is missing
	}
	if err != nil {
		fmt.Fprintln(root.ErrOrStderr(), "chirograph:", told(err))
	}
	return exitCode(err)
}

// noting notes that a command line was understood and a command has begun.
func noting(c *cobra.Command, ran *bool) {
	if do := c.RunE; do != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			*ran = true
			return do(cmd, args)
		}
	}
	for _, child := range c.Commands() {
		noting(child, ran)
	}
}

// version is set by a release when it links; else it is that of the module.
var version string

func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
