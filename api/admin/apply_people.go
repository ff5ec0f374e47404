package admin

import (
	"slices"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/subject"
)

func (a *application) client(want Client) error {
	m := a.meta
	m.Issuer, m.Client = want.Issuer, want.ID
	state, _, err := a.API.Clients.Load(a.ctx, want.ID)
	if err != nil {
		return err
	}
	if !state.Exists() {
		if _, err := a.register(a.ctx, m, want); err != nil {
			return err
		}
		a.did("client", want.ID, "registered")
		return a.clientStanding(want, client.State{})
	}
	if state.Issuer() != want.Issuer {
		return conflict("the client belongs to issuer " + state.Issuer())
	}
	metadata, err := a.acceptable(a.ctx, want.Issuer, want.Metadata)
	if err != nil {
		return err
	}
	update := client.Update{Updated: client.Updated{Metadata: metadata, Statement: metadata.SoftwareStatement, Via: "operator"}}
	if err := execute(a, a.API.Clients.Streams, m, want.ID, client.Command(update), "client", "updated"); err != nil {
		return err
	}
	return a.clientStanding(want, state)
}

func (a *application) clientStanding(want Client, before client.State) error {
	m := a.meta
	m.Issuer, m.Client = want.Issuer, want.ID
	switch {
	case want.Suspended == nil:
		return nil
	case *want.Suspended != "":
		cmd := client.Suspend{Suspended: client.Suspended{Reason: *want.Suspended}}
		return execute(a, a.API.Clients.Streams, m, want.ID, client.Command(cmd), "client", "suspended")
	case before.Suspended():
		cmd := client.Reinstate{Reinstated: client.Reinstated{Reason: "declared so"}}
		return execute(a, a.API.Clients.Streams, m, want.ID, client.Command(cmd), "client", "reinstated")
	}
	return nil
}

func (a *application) customer(want Customer) error {
	switch {
	case !identifier(want.ID):
		return invalid("id must have 1 to 128 letters, digits and -._~")
	case want.Name == "":
		return invalid("name is required")
	}
	at, found, err := a.API.Tenant(a.ctx, want.Issuer)
	if err != nil || !found {
		return orMissing(err, "there is no issuer "+want.Issuer)
	}
	if want.Test != (at.Settings.Purpose == issuer.Conformance) {
		return conflict("an issuer whose purpose is conformance has customers with test: true, and no other has")
	}
	state, _, err := a.API.Subjects.Load(a.ctx, want.ID)
	switch {
	case err != nil:
		return err
	case state.Erased():
		return subject.ErrErased
	case !state.Exists():
		if err := a.person(want, subject.Enroll{Enrolled: subject.Enrolled{Issuer: want.Issuer, Name: want.Name, Test: want.Test}}, "enrolled"); err != nil {
			return err
		}
	case state.Issuer() != want.Issuer:
		return conflict("the customer belongs to issuer " + state.Issuer())
	}
	if err := a.directory(want); err != nil {
		return err
	}
	return a.roles(want, state.Roles())
}

// person decides a command about a subject, sealed with the subject's key.
func (a *application) person(want Customer, cmd subject.Command, what string) error {
	m := a.meta
	m.Issuer, m.Subject = want.Issuer, want.ID
	return execute(a, a.API.Subjects.Streams, m, want.ID, cmd, "customer", what)
}

func (a *application) directory(want Customer) error {
	changed, err := a.People.Put(a.ctx, want)
	if err != nil {
		return err
	}
	if changed {
		a.did("customer", want.ID, "entered in the directory")
	}
	if err := a.userCode(want); err != nil || want.Login == nil {
		return err
	}
	if want.Login.Password == "" {
		return invalid("login needs a password or a password_file")
	}
	changed, err = a.People.SetLogin(a.ctx, want.Issuer, want.ID, want.Login.Name, want.Login.Password)
	if err != nil {
		return invalid("login: " + err.Error())
	}
	bind := subject.BindCredential{CredentialBound: subject.CredentialBound{ID: "password", Kind: "password"}, Again: changed}
	return a.person(want, bind, "password set")
}

// userCode sets or takes away the customer's user code, if it is declared.
func (a *application) userCode(want Customer) error {
	if want.UserCode == nil {
		return nil
	}
	changed, err := a.People.SetUserCode(a.ctx, want.ID, *want.UserCode)
	if err != nil {
		return invalid("user_code: " + err.Error())
	}
	if *want.UserCode == "" {
		return a.person(want, subject.RemoveCredential{CredentialRemoved: subject.CredentialRemoved{ID: "user_code"}}, "user code taken away")
	}
	bind := subject.BindCredential{CredentialBound: subject.CredentialBound{ID: "user_code", Kind: "user code"}, Again: changed}
	return a.person(want, bind, "user code set")
}

// roles grants and withdraws until somebody has exactly the declared ones.
func (a *application) roles(want Customer, have []string) error {
	if want.Roles == nil {
		return nil
	}
	for _, r := range *want.Roles {
		if err := a.person(want, subject.GrantRole{RoleGranted: subject.RoleGranted{Role: r}}, "became "+r); err != nil {
			return err
		}
	}
	for _, r := range have {
		if slices.Contains(*want.Roles, r) {
			continue
		}
		if err := a.person(want, subject.WithdrawRole{RoleWithdrawn: subject.RoleWithdrawn{Role: r}}, "is no longer "+r); err != nil {
			return err
		}
	}
	return nil
}
