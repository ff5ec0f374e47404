package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"

	"github.com/spf13/cobra"
)

var keyColumns = []column{
	{"KEY", "kid"}, {"ISSUER", "issuer"}, {"ALG", "alg"}, {"STATUS", "status"}, {"ANNOUNCED", "announced_at"}, {"SINCE", "since"},
}

func newKeys() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List signing keys in the order in which they were announced", Args: exactly()}
	list.Flags().String("issuer", "", "only of this issuer")
	announce := &cobra.Command{Use: "announce", Short: "Make a key and publish it, so that caches know it before it signs", Args: exactly()}
	required(announce, "issuer", "whose key")
	announce.Flags().String("alg", "ES256", "ES256, PS256 or EdDSA")
	compromise := &cobra.Command{Use: "compromise KEY", Short: "Declare that a key is known to others: nothing it signed counts", Args: exactly("KEY")}
	required(compromise, "reason", "what is known")
	return group("keys", "Manage signing keys",
		asking(list, reads, func(cmd *cobra.Command, a *ask.Asker, _ []string) error {
			raw, err := a.Get(cmd.Context(), "/admin/keys", map[string]string{"issuer": text(cmd, "issuer")})
			if err != nil {
				return err
			}
			return show(cmd, raw, keyColumns...)
		}),
		simple(announce, changes, func(cmd *cobra.Command, _ []string) (string, string, any) {
			return http.MethodPost, "/admin/keys", object{"issuer": text(cmd, "issuer"), "alg": text(cmd, "alg")}
		}, keyColumns...),
		keyStep("activate", "Let an announced key sign"),
		keyStep("retire", "End signing; what was signed is verified on"),
		simple(compromise, changes, func(cmd *cobra.Command, args []string) (string, string, any) {
			return http.MethodPost, keyPath(args[0]) + "/compromise", object{"reason": text(cmd, "reason")}
		}, keyColumns...),
		keyStep("destroy", "Destroy the private half of a key that signs no more"),
		newRotate(),
	)
}

func keyPath(kid string) string { return "/admin/keys/" + url.PathEscape(kid) }

func keyStep(verb, short string) *cobra.Command {
	return simple(&cobra.Command{Use: verb + " KEY", Short: short, Args: exactly("KEY")}, changes,
		func(_ *cobra.Command, args []string) (string, string, any) {
			return http.MethodPost, keyPath(args[0]) + "/" + verb, nil
		}, keyColumns...)
}

func newRotate() *cobra.Command {
	c := &cobra.Command{
		Use: "rotate ISSUER", Short: "Take the next step: announce new keys, or let announced ones sign", Args: exactly("ISSUER"),
		Long: `The first call announces a key for each algorithm. Called again ten minutes
later, when every cache knows them, they begin to sign and the old ones retire.
--now does both at once; clients that cache the key set then fail for a while.`,
	}
	c.Flags().Bool("now", false, "do not wait for caches")
	return asking(c, changes, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		now, _ := cmd.Flags().GetBool("now")
		raw, err := a.Do(cmd.Context(), http.MethodPost, "/admin/issuers/"+url.PathEscape(args[0])+"/rotate", object{"now": now})
		if err != nil {
			return err
		}
		if !now {
			fmt.Fprintln(cmd.ErrOrStderr(), "announced keys sign when this is called again at least ten minutes after their announcement")
		}
		return show(cmd, raw, keyColumns...)
	})
}
