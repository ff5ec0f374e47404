package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"

	"github.com/spf13/cobra"
)

func newAdmin() *cobra.Command {
	c := &cobra.Command{
		Use: "grant LOGIN", Short: "Make somebody of the bank's staff, with roles", Args: exactly("LOGIN"),
		Long: `Gives somebody a login at the platform's own issuer and exactly these roles:
admin may do everything, auditor reads the audit trail, investigator also sees
past states. The first administrator is made this way on the stopped folder.

Without --password-file a password is made and shown once.`,
	}
	c.Flags().StringSlice("role", []string{"admin"}, "admin, auditor or investigator; may be repeated")
	c.Flags().String("name", "", "what the person is called (default: the login)")
	c.Flags().String("password-file", "", "file with the password")
	return group("admin", "The bank's own staff", asking(c, creates, grant))
}

func grant(cmd *cobra.Command, a *ask.Asker, args []string) error {
	login := &admin.Login{Name: args[0], PasswordFile: text(cmd, "password-file")}
	if err := secret(".", &login.PasswordFile, &login.Password); err != nil {
		return err
	}
	login.Password = strings.TrimRight(login.Password, "\r\n")
	made := login.Password == ""
	if made {
		login.Password = rand.Text()
	}
	roles, _ := cmd.Flags().GetStringSlice("role")
	name := text(cmd, "name")
	if name == "" {
		name = args[0]
	}
	raw, err := a.Do(cmd.Context(), http.MethodPost, "/admin/apply", admin.Document{Customers: []admin.Customer{{
		ID: "staff-" + args[0], Issuer: serve.PlatformIssuer, Name: name, Login: login, Roles: &roles,
	}}})
	if err != nil {
		return err
	}
	if made {
		fmt.Fprintln(cmd.ErrOrStderr(), "the password is shown only now")
		raw, err = json.Marshal(object{"sub": "staff-" + args[0], "login": args[0], "password": login.Password, "roles": roles})
		if err != nil {
			return err
		}
		return show(cmd, raw, column{"SUBJECT", "sub"}, column{"LOGIN", "login"}, column{"PASSWORD", "password"}, column{"ROLES", "roles"})
	}
	return show(cmd, raw, column{"SUBJECT", "id"}, column{"CHANGE", "did"})
}
