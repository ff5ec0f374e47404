package main

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

var backchannelColumns = []column{
	{"REQUEST", "backchannel_id"}, {"CLIENT", "client_id"}, {"SUBJECT", "sub"}, {"MODE", "delivery_mode"}, {"STATUS", "status"},
	{"ASKED", "asked_at"}, {"EXPIRES", "expires_at"}, {"DECIDED", "decided_at"}, {"CONSENT", "consent_id"}, {"TOKEN", "jti"},
}

func newBackchannel() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List the requests of clients or to customers, the newest first", Args: exactly()}
	list.Flags().String("client", "", "by this client")
	list.Flags().String("subject", "", "of this customer")
	list.Flags().String("status", "", "requested, shown, approved, denied, redeemed, failed or expired")
	return group("backchannel", "What clients asked without a browser (CIBA)",
		listing(list, "/admin/backchannels", func(cmd *cobra.Command) map[string]string {
			return map[string]string{"client": text(cmd, "client"), "subject": text(cmd, "subject"), "status": text(cmd, "status")}
		}, backchannelColumns...),
		simple(&cobra.Command{Use: "get REQUEST", Short: "Show one request", Args: exactly("REQUEST")}, reads,
			func(_ *cobra.Command, args []string) (string, string, any) {
				return http.MethodGet, "/admin/backchannels/" + url.PathEscape(args[0]), nil
			}, backchannelColumns...),
	)
}
