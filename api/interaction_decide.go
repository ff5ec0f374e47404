package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// decide takes the answer of the consent page.
func (s *Server) decide(v *visit) error {
	return s.step(v, func(i interaction, params url.Values) error {
		switch params.Get("decision") {
		case "approve":
			return s.approve(v, i, params)
		case "cancel":
			return s.decline(v, i, "the customer declined")
		}
		return oauth.Refuse(oauth.InvalidRequest, "", "the form has no decision")
	})
}

// cancelSignIn takes the no of somebody who has not signed in.
func (s *Server) cancelSignIn(v *visit) error {
	return s.step(v, func(i interaction, _ url.Values) error {
		return s.decline(v, i, "the customer cancelled")
	})
}

func (s *Server) decline(v *visit, i interaction, description string) error {
	return s.end(v, i, authorization.Customer, oauth.Refuse(oauth.AccessDenied, "RFC 6749 §4.1.2.1", description))
}

// approve takes the customer's yes to exactly what was shown.
func (s *Server) approve(v *visit, i interaction, params url.Values) error {
	who, err := s.answering(v, i)
	if errors.Is(err, ErrNoSession) {
		return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/interaction?i="+s.sealTicket(v, i))
	}
	if err == nil {
		i, err = s.identify(v, i, who)
	}
	var o offer
	if err == nil {
		o, err = s.offer(v.Request().Context(), v.Tenant, i.question(who), v.At)
	}
	if err != nil {
		return s.leave(v, i, err)
	}
	_, shown, err := s.explain(v.Tenant, i.question(who), o)
	switch {
	case err != nil:
		return err
	case !s.wasShown(v, i, shown, params.Get("shown")):
		return s.showOffer(v, i, who, o, changedMeanwhile)
	}
	grant, err := o.grant(params["account"])
	if errors.Is(err, errNoChoice) {
		return s.showOffer(v, i, who, o, nothingChosen)
	}
	grant.Consent, grant.Subject, grant.Scope = newID(), who.Subject, i.request.Scope
	grant.Shown, grant.Template, grant.Locale = shown, requestTemplate, locale
	return s.agree(v, i, who, grant)
}

// agree appends the yes, the consent and the code in this order, so that a
// reload completes what a crash leaves. The first append decides between
// racers.
func (s *Server) agree(v *visit, i interaction, who Session, grant authorization.Granted) error {
	code, issue := s.newCode(v, i)
	err := settle(v.Request().Context(), s.Authorizations, s.journeyMeta(v, i, who), i.ticket.id, func(state authorization.State, revision eventstore.Revision) ([]eventstore.Draft, error) {
		yes := authorization.Grant{Granted: grant, Browser: i.browser, At: v.At}
		granted, err := s.Authorizations.Draft(i.ticket.id, state, revision, yes)
		if err != nil {
			return nil, err
		}
		state = state.Evolve(grant)
		agreed, err := s.agreed(v, i, state)
		if err != nil {
			return nil, err
		}
		coded, err := s.Authorizations.Draft(i.ticket.id, state, revision+1, issue)
		return []eventstore.Draft{granted, agreed, coded}, err
	})
	if err != nil {
		return s.leave(v, i, err)
	}
	return s.redirect(v, i, "code", code.Text())
}

// agreed is the consent that a granted request leads to.
func (s *Server) agreed(v *visit, i interaction, journey authorization.State) (eventstore.Draft, error) {
	g, p := journey.Grant(), journey.Person()
	return s.Consents.Draft(g.Consent, consent.State{}, eventstore.NoRevision, consent.Authorize{At: v.At, Authorized: consent.Authorized{
		Client: i.client.ID, Subject: g.Subject, Scope: g.Scope, Details: g.Details, Permissions: g.Permissions, Expires: g.Expires,
		Authorization: i.ticket.id, ACR: p.ACR, AuthTime: p.AuthTime, Shown: g.Shown, Template: g.Template, Locale: g.Locale,
	}})
}

// newCode makes a code of the journey. Like request_uri it names its stream.
func (s *Server) newCode(v *visit, i interaction) (oauth.Artefact, authorization.IssueCode) {
	code := newArtefact()
	code.ID = i.ticket.id
	return code, authorization.IssueCode{Browser: i.browser, CodeIssued: authorization.CodeIssued{
		Digest: code.Digest(), Expires: v.At.Add(v.Tenant.Settings.CodeLifetime)}}
}
