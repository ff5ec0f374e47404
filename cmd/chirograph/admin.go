package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/domain/subject"

	"github.com/spf13/cobra"
)

func newAdmin() *cobra.Command {
	c := &cobra.Command{
		Use: "grant LOGIN", Short: "Make somebody of the bank's staff, with roles", Args: exactly("LOGIN"),
		Long: `Gives somebody a login at the platform's own issuer and exactly these roles:
admin may do everything, auditor reads the audit trail, investigator also sees
past states. The first administrator is made this way on the stopped folder.

A password is made and shown once, unless --password-file has one. Who is staff
already keeps theirs; --new-password replaces it.`,
	}
	c.Flags().StringSlice("role", []string{"admin"}, "admin, auditor or investigator; may be repeated")
	c.Flags().String("name", "", "what the person is called (default: the login)")
	c.Flags().String("password-file", "", "file with the password")
	c.Flags().Bool("new-password", false, "make a new password for somebody who has one")
	c.MarkFlagsMutuallyExclusive("password-file", "new-password")
	c.PreRunE = knownRoles
	return group("admin", "The bank's own staff", asking(c, creates, grant))
}

// knownRoles looks before anything is made or changed.
func knownRoles(cmd *cobra.Command, _ []string) error {
	roles, _ := cmd.Flags().GetStringSlice("role")
	for _, role := range roles {
		if !slices.Contains(subject.Roles, role) {
			return usageError{fmt.Errorf("there is no role %q, only %s", role, strings.Join(subject.Roles, ", "))}
		}
	}
	return nil
}

func grant(cmd *cobra.Command, a *ask.Asker, args []string) error {
	roles, _ := cmd.Flags().GetStringSlice("role")
	login, name := args[0], text(cmd, "name")
	before, known, err := staff(cmd, a, login)
	if err != nil {
		return err
	}
	if name == "" {
		name = cmp.Or(before, login)
	}
	password, made, err := passwordFor(cmd, known)
	if err != nil {
		return err
	}
	want := admin.Customer{ID: staffID(login), Issuer: serve.PlatformIssuer, Name: name, Roles: &roles}
	if password != "" {
		want.Login = &admin.Login{Name: login, Password: password}
	}
	raw, err := a.Do(cmd.Context(), http.MethodPost, "/admin/apply", admin.Document{Customers: []admin.Customer{want}})
	if err != nil {
		return err
	}
	if !made {
		return changed(cmd, raw, column{"SUBJECT", "id"}, column{"CHANGE", "did"})
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "the password is shown only now")
	raw, err = json.Marshal(object{"sub": want.ID, "login": login, "password": password, "roles": roles})
	if err != nil {
		return err
	}
	return show(cmd, raw, column{"PASSWORD", "password"}, column{"LOGIN", "login"}, column{"SUBJECT", "sub"}, column{"ROLES", "roles"})
}

func staffID(login string) string { return "staff-" + login }

// staff returns the name of somebody who is staff already.
func staff(cmd *cobra.Command, a *ask.Asker, login string) (name string, known bool, err error) {
	raw, err := a.Do(cmd.Context(), http.MethodGet, subjectPath(staffID(login)), nil)
	if refused, ok := errors.AsType[*ask.Refused](err); ok && refused.Status == http.StatusNotFound {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	var who admin.Subject
	return who.Name, true, json.Unmarshal(raw, &who)
}

// passwordFor returns the password to set, "" for none, and whether it was
// made here.
func passwordFor(cmd *cobra.Command, known bool) (password string, made bool, err error) {
	if file := text(cmd, "password-file"); file != "" {
		err := secret(".", &file, &password)
		return strings.TrimRight(password, "\r\n"), false, err
	}
	anew, _ := cmd.Flags().GetBool("new-password")
	if known && !anew {
		return "", false, nil
	}
	return rand.Text(), true, nil
}
