package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/strict"

	"github.com/spf13/cobra"
)

var (
	clientColumns = []column{
		{"CLIENT", "client_id"}, {"NAME", "metadata.client_name"}, {"ISSUER", "issuer"}, {"STATUS", "status"},
		{"AUTHENTICATION", "metadata.token_endpoint_auth_method"}, {"SCOPE", "metadata.scope"},
	}
	clientListColumns = []column{
		{"CLIENT", "client_id"}, {"NAME", "name"}, {"ISSUER", "issuer"}, {"STATUS", "status"},
		{"AUTHENTICATION", "token_endpoint_auth_method"}, {"RESOURCE SERVER", "resource_server"}, {"REGISTERED", "registered_at"},
	}
)

func newClient() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List registrations, the newest first", Args: exactly()}
	list.Flags().String("issuer", "", "only of this issuer")
	return group("client", "Register and manage clients",
		newClientCreate(), newClientUpdate(),
		listing(list, "/admin/clients", func(cmd *cobra.Command) map[string]string {
			return map[string]string{"issuer": text(cmd, "issuer")}
		}, clientListColumns...),
		simple(&cobra.Command{Use: "get CLIENT", Short: "Show a registration", Args: exactly("CLIENT")}, reads,
			func(_ *cobra.Command, args []string) (string, string, any) {
				return http.MethodGet, clientPath(args[0]), nil
			}, clientColumns...),
		simple(&cobra.Command{Use: "delete CLIENT", Short: "Delete a registration: its tokens end", Args: exactly("CLIENT")}, changes,
			func(_ *cobra.Command, args []string) (string, string, any) {
				return http.MethodDelete, clientPath(args[0]), nil
			}, clientColumns...),
		standing("suspend", "Stop a client for now: its tokens do not count"),
		standing("reinstate", "Let a suspended client act again"),
	)
}

func clientPath(id string) string { return "/admin/clients/" + url.PathEscape(id) }

// standing makes a command that changes whether a client may act.
func standing(verb, short string) *cobra.Command {
	c := &cobra.Command{Use: verb + " CLIENT", Short: short, Args: exactly("CLIENT")}
	required(c, "reason", "why; it is kept in the log")
	return simple(c, changes, func(cmd *cobra.Command, args []string) (string, string, any) {
		return http.MethodPost, clientPath(args[0]) + "/" + verb, object{"reason": text(cmd, "reason")}
	}, clientColumns...)
}

func newClientCreate() *cobra.Command {
	c := &cobra.Command{
		Use: "create", Short: "Register a client", Args: exactly(),
		Example: `  chirograph client create -f client.yaml

  # client.yaml
  client_id: budgetly         # made up if left out
  issuer: fapi2
  metadata:                   # as of RFC 7591
    client_name: Budgetly
    redirect_uris: [https://budgetly.example/callback]
    token_endpoint_auth_method: private_key_jwt
    jwks_uri: https://budgetly.example/jwks.json
    grant_types: [authorization_code, refresh_token]
    scope: openid accounts`,
	}
	fromFile(c)
	return asking(c, changes, func(cmd *cobra.Command, a *ask.Asker, _ []string) error {
		return sendClient(cmd, a, http.MethodPost, "/admin/clients")
	})
}

func newClientUpdate() *cobra.Command {
	c := &cobra.Command{Use: "update CLIENT", Short: "Replace a client's metadata", Args: exactly("CLIENT")}
	fromFile(c)
	return asking(c, changes, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		return sendClient(cmd, a, http.MethodPut, clientPath(args[0]))
	})
}

// fromFile adds the flag that names a document.
func fromFile(c *cobra.Command) {
	c.Flags().StringP("file", "f", "", "YAML or JSON file, - for standard input")
	if err := c.MarkFlagRequired("file"); err != nil {
		panic(err)
	}
}

func sendClient(cmd *cobra.Command, a *ask.Asker, method, path string) error {
	var want admin.Client
	if err := readDocument(cmd, text(cmd, "file"), &want); err != nil {
		return err
	}
	raw, err := a.Do(cmd.Context(), method, path, want)
	if err != nil {
		return err
	}
	return show(cmd, raw, clientColumns...)
}

// readDocument reads a YAML or JSON file strictly.
func readDocument(cmd *cobra.Command, file string, v any) error {
	raw, err := readFile(cmd, file)
	if err != nil {
		return err
	}
	if err := strict.Decode(raw, v); err != nil {
		return usageError{fmt.Errorf("%s: %w", file, err)}
	}
	return nil
}

func readFile(cmd *cobra.Command, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(cmd.InOrStdin(), strict.MaxBytes+1))
	}
	return os.ReadFile(file)
}
