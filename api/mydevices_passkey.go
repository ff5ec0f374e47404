package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/subject"
)

// passkeyView is what a page carries for a ceremony.
type passkeyView struct {
	Options string // JSON, for the browser
	Nonce   string
	Script  string
}

// freshly reports whether a customer signed in so lately that the password need
// not be asked for again.
func freshly(v *visit, who Session) bool { return v.At.Before(who.AuthTime.Add(5 * time.Minute)) }

const registering = "registration"

// registration is the ceremony that makes a passkey.
func (s *Server) registration(v *visit, who Session, state subject.State, nonce string) (Ceremony, bool, error) {
	c, ok := s.ceremony(v, who.Subject, state, digestOf("chirograph passkey registration", v.Tenant.URL, who.Subject, nonce))
	if !ok {
		return c, false, nil
	}
	known, err := s.Directory.Claims(v.Request().Context(), who.Subject)
	if c.Customer, _ = known["name"].(string); c.Customer == "" {
		c.Customer = "Customer"
	}
	if c.Bank == "" {
		c.Bank = c.RelyingParty
	}
	return c, true, err
}

func (s *Server) offerRegistration(v *visit, who Session, state subject.State) (passkeyView, error) {
	nonce, carried := s.newNonce(v, registering, who.ID, who.Subject)
	c, ok, err := s.registration(v, who, state, nonce)
	if err != nil || !ok {
		return passkeyView{}, err
	}
	options, err := s.Passkeys.CreationOptions(v.Request().Context(), c)
	return passkeyView{string(options), carried, passkeyScript.name}, err
}

// addPasskey registers a passkey of a customer who has just proved to be that.
func (s *Server) addPasskey(v *visit, who Session) error {
	params, err := pageForm(v.Request())
	if err != nil {
		return err
	}
	if !freshly(v, who) {
		p, err := s.confirm(v, who, params.Get("password"))
		if p.Text != "" && p.After == 0 {
			p.Text = "The password is not right. No passkey is added yet."
		}
		if err != nil || p.Text != "" {
			return s.again(v, who, p, err)
		}
	}
	nonce, err := s.openNonce(v, params.Get("ceremony"), registering, who.ID, who.Subject)
	if err != nil {
		return err
	}
	err = s.keepPasskey(v, who, nonce, params.Get("passkey"), passkeyName(params.Get("name")))
	if p, known := registrationProblem(err); known {
		s.Log.InfoContext(v.Request().Context(), "a passkey is not registered", "issuer", v.Tenant.ID, "err", err)
		return s.showDevices(v, who, p)
	}
	if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/my/devices")
}

func (s *Server) again(v *visit, who Session, p problem, err error) error {
	if err != nil {
		return err
	}
	return s.showDevices(v, who, p)
}

// keepPasskey keeps the passkey and then lets the log know it, from when on it
// counts.
func (s *Server) keepPasskey(v *visit, who Session, nonce, response, name string) error {
	ctx := v.Request().Context()
	state, _, err := s.Subjects.Get(ctx, who.Subject)
	if err != nil {
		return err
	}
	c, ok, err := s.registration(v, who, state, nonce)
	if err != nil || !ok {
		return errors.Join(err, ErrPasskey)
	}
	made, err := s.Passkeys.Register(ctx, c, []byte(response), name, v.At)
	if err != nil {
		return err
	}
	_, err = s.Subjects.Execute(ctx, s.ownMeta(v, who), who.Subject, subject.BindCredential{
		CredentialBound: subject.CredentialBound{ID: boundAs(made.ID), Kind: "passkey"}})
	return err
}

// passkeyName is what a customer calls a passkey.
func passkeyName(typed string) string {
	const limit = 64
	if typed = strings.TrimSpace(typed); typed == "" || len(typed) > limit || !printableText(typed) {
		return "Passkey"
	}
	return typed
}

func registrationProblem(err error) (p problem, known bool) {
	p = problem{Field: "add-passkey", Status: http.StatusBadRequest}
	switch {
	case errors.Is(err, ErrPasskeyTaken):
		p.Text = "This passkey is registered already."
	case errors.Is(err, ErrPasskeys):
		p.Text = "You have as many passkeys as can be. Remove one first."
	case errors.Is(err, ErrPasskey):
		p.Text = "The browser did not make a passkey. This needs JavaScript, and a device that checks that it is you."
	default:
		return problem{}, false
	}
	return p, true
}
