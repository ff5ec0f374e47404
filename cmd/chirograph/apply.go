package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"

	"github.com/spf13/cobra"
)

const applyExample = `  chirograph apply -f bank.yaml

  # bank.yaml
  issuers:
    - id: fapi2
      url: https://bank.example/fapi2
      profile: fapi2-security-profile-final
      settings: {accounts: true, resources: [https://bank.example/api]}
      keys: {algorithms: [ES256, PS256], rotation: 90d}
  clients:
    - client_id: budgetly
      issuer: fapi2
      metadata: {client_name: Budgetly, token_endpoint_auth_method: private_key_jwt, …}
  customers:
    - id: alice
      issuer: fapi2
      name: Alice Marsh
      login: {name: alice, password_file: alice.password}
      accounts: [{id: a-1, name: Everyday, number: "•••• 0101", currency: EUR}]`

func newApply() *cobra.Command {
	c := &cobra.Command{
		Use: "apply", Short: "Make issuers, clients and customers as a file declares them", Args: exactly(),
		Long: `Reads a declaration and changes what differs from it. What the file does not
name stays as it is. Applying the same file again changes nothing.`,
		Example: applyExample,
	}
	fromFile(c)
	return asking(c, creates, func(cmd *cobra.Command, a *ask.Asker, _ []string) error {
		file := text(cmd, "file")
		var d admin.Document
		if err := readDocument(cmd, file, &d); err != nil {
			return err
		}
		if err := resolve(&d, filepath.Dir(file)); err != nil {
			return err
		}
		raw, err := a.Do(cmd.Context(), http.MethodPost, "/admin/apply", d)
		if err != nil {
			return err
		}
		return changed(cmd, raw, column{"ID", "id"}, column{"KIND", "kind"}, column{"CHANGE", "did"})
	})
}

// changed shows what applying a document did.
func changed(cmd *cobra.Command, raw json.RawMessage, columns ...column) error {
	if form, _ := cmd.Flags().GetString("output"); form == "table" && len(rows(raw)) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "everything is as declared")
		return nil
	}
	return show(cmd, raw, columns...)
}

// resolve reads the secrets that a document names by file. Paths are relative
// to the document.
func resolve(d *admin.Document, folder string) error {
	for i := range d.Issuers {
		for k := range d.Issuers[i].SigningKeys {
			key := &d.Issuers[i].SigningKeys[k]
			if err := secret(folder, &key.File, &key.Private); err != nil {
				return err
			}
		}
	}
	for i := range d.Customers {
		if login := d.Customers[i].Login; login != nil {
			if err := secret(folder, &login.PasswordFile, &login.Password); err != nil {
				return err
			}
			login.Password = strings.TrimRight(login.Password, "\r\n")
		}
		if err := userCode(&d.Customers[i], folder); err != nil {
			return err
		}
	}
	return nil
}

func userCode(c *admin.Customer, folder string) error {
	if c.UserCodeFile == "" {
		return nil
	}
	code := ""
	if c.UserCode != nil {
		code = *c.UserCode
	}
	err := secret(folder, &c.UserCodeFile, &code)
	code = strings.TrimRight(code, "\r\n")
	c.UserCode = &code
	return err
}

func secret(folder string, file, value *string) error {
	if *file == "" {
		return nil
	}
	if *value != "" {
		return usageError{fmt.Errorf("%s: a value is given besides the file", *file)}
	}
	path := *file
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	text, err := os.ReadFile(path)
	*file, *value = "", string(text)
	return err
}
