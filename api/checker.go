package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/consent"
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
	if !slices.Contains(e.Audience, c.resource) { // RFC 9068 §4
		return nil, oauth.Refuse(oauth.InvalidToken, "RFC 8707 §2", "the access token is not meant for this resource")
	}
	return &checkedPass{s, admitted, v, limits(admitted.live, c.resource), event.Meta{
		Issuer: t.ID, Actor: event.ActorClient, Client: e.Client, Subject: e.Subject, Software: s.Software,
		Interaction: interactionID(p.Interaction), Address: printableASCII(p.Address, 64), UserAgent: printableASCII(p.UserAgent, 256),
	}}, err
}

// limits returns what a token permits at a resource, each judged by the rules
// of a consent and all of them to be met: the consent, and the details of the
// token where the token request narrowed them (RFC 9396, Section 6).
func limits(l live, resource string) []consent.State {
	e := l.token.Issued()
	all := []consent.State{limit(l.consent.Details(), l.consent.Expires(), resource)}
	if e.Details != nil {
		all = append(all, limit(e.Details, e.Expires, resource))
	}
	return all
}

func limit(details []oauth.Detail, expires time.Time, resource string) consent.State {
	here := slices.DeleteFunc(slices.Clone(details), func(d oauth.Detail) bool { return !located(d.Locations, resource) })
	return consent.State{}.Evolve(consent.Authorized{Details: here, Expires: expires})
}

// located reports whether a detail counts at a resource: it names no location,
// or the resource or what the resource is part of (RFC 9396, Section 2.2).
func located(locations []string, resource string) bool {
	return len(locations) == 0 || slices.ContainsFunc(locations, func(l string) bool {
		return l == resource || strings.HasPrefix(resource, strings.TrimSuffix(l, "/")+"/")
	})
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
	limits []consent.State
	meta   event.Meta
}

func (p *checkedPass) Grant() resource.Grant {
	e := p.pass.live.token.Issued()
	return resource.Grant{Token: p.pass.live.id, Client: e.Client, Subject: e.Subject, Consent: e.Consent, Scope: e.Scope}
}

// Permits implements [resource.Pass].
func (p *checkedPass) Permits(permission, account string) bool {
	if account == "" {
		return len(p.Accounts(permission)) > 0
	}
	refused := slices.ContainsFunc(p.limits, func(l consent.State) bool { return !l.Permits(permission, account, p.visit.At) })
	return !refused && p.pass.live.consent.Alive(p.visit.At)
}

// Accounts implements [resource.Pass].
func (p *checkedPass) Accounts(permission string) []string {
	return slices.DeleteFunc(p.pass.live.consent.Accounts(permission, p.visit.At), func(a string) bool { return !p.Permits(permission, a) })
}

// HistoryFrom implements [resource.Pass]. The latest of the limits counts.
func (p *checkedPass) HistoryFrom(account string) string {
	from := ""
	for _, l := range p.limits {
		from = max(from, l.HistoryFrom(account, p.visit.At))
	}
	return from
}

// Record implements [resource.Pass]: the access and the replay key of its
// proof are one append.
func (p *checkedPass) Record(ctx context.Context, a resource.Access) error {
	e := p.pass.live.token.Issued()
	if e.Authorization != "" || e.Backchannel != "" {
		p.meta.Correlation = p.server.origin(e.Authorization, e.Backchannel)
	}
	stream := eventstore.Stream(access.AccessStream(e.Consent, e.Client, p.visit.At))
	_, err := p.server.Journal.Commit(ctx, p.meta, eventstore.Draft{
		Stream: stream, Expect: eventstore.Unchecked(), Once: p.pass.once,
		Events: []any{access.Recorded{
			Token: p.pass.live.id, Consent: e.Consent, Route: a.Route, Permission: a.Permission, Result: a.Result, Accounts: a.Accounts,
		}},
	})
	return proofReplayed(err)
}
