package main

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

var subjectColumns = []column{
	{"SUBJECT", "sub"}, {"NAME", "name"}, {"ISSUER", "issuer"}, {"ROLES", "roles"}, {"LEGAL HOLD", "legal_hold"}, {"ERASED", "erased"},
}

func newSubject() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List people in the order in which they were enrolled, or find one by login name", Args: exactly()}
	list.Flags().String("issuer", "", "only of this issuer; required with --name")
	list.Flags().String("name", "", "who has this login name")
	list.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if text(cmd, "name") != "" && text(cmd, "issuer") == "" {
			return usageError{errors.New("--name needs --issuer: each issuer has its own login names")}
		}
		return nil
	}
	hold := &cobra.Command{Use: "hold SUBJECT", Short: "Place a legal hold, which forbids erasure", Args: exactly("SUBJECT")}
	required(hold, "hold", "id of the hold")
	required(hold, "reason", "why; it is kept in the log")
	lift := &cobra.Command{Use: "lift SUBJECT", Short: "Lift a legal hold", Args: exactly("SUBJECT")}
	required(lift, "hold", "id of the hold")
	return group("subject", "People: look up, hold, erase",
		listing(list, "/admin/subjects", func(cmd *cobra.Command) map[string]string {
			return map[string]string{"issuer": text(cmd, "issuer"), "name": text(cmd, "name")}
		}, subjectColumns...),
		simple(&cobra.Command{Use: "get SUBJECT", Short: "Show one person", Args: exactly("SUBJECT")}, reads,
			func(_ *cobra.Command, args []string) (string, string, any) {
				return http.MethodGet, subjectPath(args[0]), nil
			}, subjectColumns...),
		simple(hold, changes, func(cmd *cobra.Command, args []string) (string, string, any) {
			return http.MethodPost, subjectPath(args[0]) + "/hold", object{"hold": text(cmd, "hold"), "reason": text(cmd, "reason")}
		}, subjectColumns...),
		simple(lift, changes, func(cmd *cobra.Command, args []string) (string, string, any) {
			return http.MethodPost, subjectPath(args[0]) + "/lift", object{"hold": text(cmd, "hold")}
		}, subjectColumns...),
		newErase(),
	)
}

func newErase() *cobra.Command {
	c := &cobra.Command{
		Use: "erase SUBJECT", Short: "Destroy the key under which somebody's personal data is sealed", Args: exactly("SUBJECT"),
		Long: `Ends all personal data of a subject, in the log and beside it, for good. What
happened stays provable; names, accounts and addresses read "erased" from then
on. Refused under a legal hold, and while consents are active unless --revoke
ends them first.`,
	}
	required(c, "reason", "why; it is kept in the log")
	c.Flags().Bool("revoke", false, "revoke active consents first")
	return simple(c, changes, func(cmd *cobra.Command, args []string) (string, string, any) {
		revoke, _ := cmd.Flags().GetBool("revoke")
		return http.MethodPost, subjectPath(args[0]) + "/erase", object{"reason": text(cmd, "reason"), "revoke": revoke}
	}, subjectColumns...)
}

func subjectPath(id string) string { return "/admin/subjects/" + url.PathEscape(id) }
