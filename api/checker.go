package api

import (
	"context"
	"errors"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// Checker returns the resource-side checks for one issuer's tokens that are
// meant for a resource (RFC 8707), deciding on the log itself.
func (s *Server) Checker(issuer, resourceURI string) resource.Checker {
	return &checker{s, issuer, resourceURI}
}

type checker struct {
	server   *Server
	issuer   string
	resource string
}

// Check implements [resource.Checker].
func (c *checker) Check(ctx context.Context, p resource.Presented) (resource.Pass, error) {
	s := c.server
	t, found, err := s.Tenant(ctx, c.issuer)
	if err != nil {
		return nil, err
	}
	if !found || !t.Active {
		return nil, oauth.Refuse(oauth.InvalidToken, "RFC 6750 §3.1", "the issuer is suspended")
	}
	v := &visit{Tenant: t, At: s.Now(), endpoint: "resource"}
	admitted, err := s.admitToken(ctx, v, p)
	if admitted.live.id == "" {
		return nil, err
	}
	e := admitted.live.token.Issued()
	pass := &checkedPass{c.server, admitted, v, event.Meta{
		Issuer: t.ID, Actor: event.ActorClient, Client: e.Client, Subject: e.Subject, Software: s.Software,
		Interaction: interactionID(p.Interaction), Address: p.Address, UserAgent: printableASCII(p.UserAgent, 256),
	}}
	if err == nil && !meant(e.Audience, c.resource) {
		return nil, oauth.Refuse(oauth.InvalidToken, "RFC 8707 §2", "the access token is not meant for this resource")
	}
	return pass, err
}

func meant(audience []string, resource string) bool {
	for _, a := range audience {
		if a == resource {
			return true
		}
	}
	return false
}

// Nonce implements [resource.Checker].
func (c *checker) Nonce() string {
	t, found, err := c.server.Tenant(context.Background(), c.issuer)
	if err != nil || !found || t.Settings.DPoPNonce == "off" {
		return ""
	}
	return c.server.Nonces.Issue(t.ID, roleRS, c.server.Now())
}

// Algorithms implements [resource.Checker].
func (c *checker) Algorithms() []string {
	t, _, _ := c.server.Tenant(context.Background(), c.issuer)
	return t.Profile.SigningAlgs.Of
}

type checkedPass struct {
	server *Server
	pass   pass
	visit  *visit
	meta   event.Meta
}

func (p *checkedPass) Grant() resource.Grant {
	e := p.pass.live.token.Issued()
	return resource.Grant{Token: p.pass.live.id, Client: e.Client, Subject: e.Subject, Consent: e.Consent, Scope: e.Scope}
}

// Permits also honours details that the token request narrowed.
func (p *checkedPass) Permits(permission, account string) bool {
	l := p.pass.live
	if !l.consent.Permits(permission, account, p.visit.At) {
		return false
	}
	narrowed := l.token.Issued().Details
	if narrowed == nil {
		return true
	}
	asked := oauth.Detail{Type: oauth.AccountInformation, Permissions: []string{permission}}
	if account != "" {
		asked.Accounts = []string{account}
	}
	for _, d := range narrowed {
		d.HistoryFrom = ""
		if oauth.Narrower([]oauth.Detail{asked}, []oauth.Detail{d}) {
			return true
		}
	}
	return false
}

func (p *checkedPass) Accounts(permission string) []string {
	var all []string
	for _, a := range p.pass.live.consent.Accounts(permission, p.visit.At) {
		if p.Permits(permission, a) {
			all = append(all, a)
		}
	}
	return all
}

func (p *checkedPass) HistoryFrom(account string) string {
	from := p.pass.live.consent.HistoryFrom(account, p.visit.At)
	for _, d := range p.pass.live.token.Issued().Details {
		from = max(from, d.HistoryFrom)
	}
	return from
}

// Record implements [resource.Pass]: the access and the replay key of its
// proof are one append.
func (p *checkedPass) Record(ctx context.Context, a resource.Access) error {
	e := p.pass.live.token.Issued()
	if e.Authorization != "" {
		p.meta.Correlation = string(p.server.Authorizations.Stream(e.Authorization))
	}
	stream := eventstore.Stream(access.AccessStream(e.Consent, e.Client, p.visit.At))
	_, err := p.server.Journal.Commit(ctx, p.meta, eventstore.Draft{
		Stream: stream, Expect: eventstore.Unchecked(), Once: p.pass.once,
		Events: []any{access.Recorded{
			Token: p.pass.live.id, Consent: e.Consent, Route: a.Route, Permission: a.Permission, Result: a.Result, Accounts: a.Accounts,
		}},
	})
	if errors.Is(err, eventstore.ErrReplay) {
		return oauth.Refuse(oauth.InvalidDPoPProof, "RFC 9449 §11.1", "the DPoP proof was used before")
	}
	return err
}
