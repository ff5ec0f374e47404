package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/domain/installation"

	"github.com/spf13/cobra"
)

func newServe() *cobra.Command {
	c := &cobra.Command{
		Use: "serve", Short: "Serve", Args: exactly(),
		Long: `Serves the issuers of the data folder until SIGTERM or SIGINT: then readiness
fails, requests under way end, a last checkpoint is signed. A second signal ends
at once. SIGHUP reads the certificates again.

Settings come from flags, the environment (CHIROGRAPH_SECTION__KEY), the file and
defaults, in this order.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, _, err := loaded(cmd)
			if err != nil {
				return err
			}
			return serving(cmd.Context(), settings)
		},
	}
	return configured(c)
}

// serving opens everything and serves until ctx ends.
func serving(ctx context.Context, settings config.Config) error {
	log := logger(settings.Log.Level, settings.Log.Format)
	now, err := clock()
	if err != nil {
		return err
	}
	bound, err := serve.Bind(settings)
	if err != nil {
		return err
	}
	p, err := platform.Open(ctx, platform.Options{
		Config: settings, Purpose: installation.Production, Create: true, Version: version, Now: now, Log: log,
	})
	if err != nil {
		return errors.Join(err, bound.Close())
	}
	s, err := serve.New(ctx, p, bound)
	if err != nil {
		return errors.Join(err, p.Close(), bound.Close())
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	go func() {
		for range hangup {
			if err := s.Reload(); err != nil {
				log.Error("certificates stay as they are", "err", err)
			}
		}
	}()
	log.Info("serving", "version", version, "public", settings.Public.Listen, "mtls", settings.MTLS.Listen, "admin", settings.Admin.Listen)
	if err = errors.Join(s.Run(ctx), p.Close()); err == nil {
		log.Info("stopped")
	}
	return err
}
