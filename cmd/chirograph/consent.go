package main

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

var consentColumns = []column{
	{"CONSENT", "consent_id"}, {"CLIENT", "client_id"}, {"SUBJECT", "sub"}, {"STATUS", "status"}, {"SINCE", "authorized_at"},
	{"EXPIRES", "expires_at"}, {"ACCESSES", "accesses"}, {"LAST ACCESS", "last_access_at"}, {"ENDED", "ended_at"}, {"BY", "ended_by"},
}

func newConsent() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List the consents of a client or of a customer, the newest first", Args: exactly()}
	list.Flags().String("client", "", "given to this client")
	list.Flags().String("subject", "", "given by this customer")
	list.MarkFlagsOneRequired("client", "subject")
	list.MarkFlagsMutuallyExclusive("client", "subject")
	revoke := &cobra.Command{Use: "revoke CONSENT", Short: "End a consent for the bank", Args: exactly("CONSENT")}
	required(revoke, "reason", "why; it is kept in the log")
	return group("consent", "Consents: list, show, revoke",
		listing(list, "/admin/consents", func(cmd *cobra.Command) map[string]string {
			return map[string]string{"client": text(cmd, "client"), "subject": text(cmd, "subject")}
		}, consentColumns...),
		simple(&cobra.Command{Use: "get CONSENT", Short: "Show one consent", Args: exactly("CONSENT")}, reads,
			func(_ *cobra.Command, args []string) (string, string, any) {
				return http.MethodGet, consentPath(args[0]), nil
			}, consentColumns...),
		simple(revoke, changes, func(cmd *cobra.Command, args []string) (string, string, any) {
			return http.MethodPost, consentPath(args[0]) + "/revoke", object{"reason": text(cmd, "reason")}
		}, consentColumns...),
	)
}

func consentPath(id string) string { return "/admin/consents/" + url.PathEscape(id) }
