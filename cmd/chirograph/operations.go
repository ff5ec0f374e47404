package main

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"

	"github.com/spf13/cobra"
)

var projectionColumns = []column{
	{"PROJECTION", "name"}, {"VERSION", "version"}, {"POSITION", "position"}, {"HEAD", "head"}, {"FAILING", "failing"},
}

func newProjection() *cobra.Command {
	get := func(*cobra.Command, []string) (string, string, any) { return http.MethodGet, "/admin/projections", nil }
	return group("projection", "Tables that answer questions",
		simple(&cobra.Command{Use: "list", Short: "Show how far each projection is", Args: exactly()}, reads, get, projectionColumns...),
		simple(&cobra.Command{Use: "rebuild PROJECTION", Short: "Fold a projection anew, beside the present one", Args: exactly("PROJECTION")}, changes,
			func(_ *cobra.Command, args []string) (string, string, any) {
				return http.MethodPost, "/admin/projections/" + url.PathEscape(args[0]) + "/rebuild", nil
			}, projectionColumns...),
	)
}

func newRegistration() *cobra.Command {
	c := &cobra.Command{
		Use: "token ISSUER", Short: "Make an initial access token, which opens the registration endpoint (RFC 7591)", Args: exactly("ISSUER"),
		Long: "The token is shown once. Hand it to the developer out of band.",
	}
	c.Flags().String("lifetime", "7d", "how long it is good for")
	return group("registration", "Dynamic client registration",
		simple(c, changes, func(cmd *cobra.Command, args []string) (string, string, any) {
			return http.MethodPost, "/admin/issuers/" + url.PathEscape(args[0]) + "/registration-tokens", object{"lifetime": text(cmd, "lifetime")}
		}, column{"TOKEN", "initial_access_token"}, column{"EXPIRES", "expires_at"}))
}

func newBackup() *cobra.Command {
	c := &cobra.Command{
		Use: "backup FOLDER", Short: "Copy the installation into a new folder, while it is in use", Args: exactly("FOLDER"),
		Long: `Copies the log with its manifest and newest checkpoint, the login state, and the
keyring (in keys/, which must not be kept longer than erasure may take). The
master key is not copied: keep it elsewhere.`,
	}
	return asking(c, changes, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		folder, err := filepath.Abs(args[0])
		if err != nil {
			return err
		}
		raw, err := a.Do(cmd.Context(), http.MethodPost, "/admin/backup", object{"folder": folder})
		if err != nil {
			return err
		}
		return show(cmd, raw, column{"FOLDER", "folder"}, column{"EVENTS", "manifest.events"}, column{"ROOT", "manifest.root"}, column{"NOTE", "note"})
	})
}

func newVersion() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), version)
		return err
	}}
}
