package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// registrationScope opens the registration endpoint. A client that came
// through it cannot have the scope: only the operator hands it out.
const registrationScope = "registration"

// handedOut reports whether only the operator hands a scope out: a client that
// registers by itself is no app of the bank either.
func handedOut(scope string) bool { return scope == registrationScope || scope == deviceScope }

// operator stands in the place of the client in tokens that the operator made.
const operator = "operator"

// A registrar is who may register a client: the id of the token, and the
// replay keys of the proof that came with it.
type registrar struct {
	token string
	once  []eventstore.Once
}

// NewInitialAccessToken returns a token that opens an issuer's registration
// endpoint until it expires or is revoked (RFC 7591, Section 3). It is to be
// handed to developers out of band.
func (s *Server) NewInitialAccessToken(ctx context.Context, m event.Meta, issuer string, life time.Duration) (string, error) {
	t, found, err := s.Tenant(ctx, issuer)
	if err != nil {
		return "", err
	}
	if !found || !t.Settings.Registration {
		return "", errors.New("there is no such issuer, or it does not register clients on request")
	}
	a := newArtefact()
	_, err = s.Tokens.Execute(ctx, m, a.ID, token.Issue{Issued: token.Issued{
		Client: operator, Scope: registrationScope, Audience: []string{t.URL},
		Digest: a.Digest(), Expires: s.Now().Add(life).Truncate(time.Second),
	}})
	if err != nil {
		return "", err
	}
	return a.Text(), nil
}

// mayRegister checks the token that guards registration: an initial access
// token of the operator, or an access token of a client with the scope.
func (s *Server) mayRegister(v *visit) (registrar, error) {
	ctx := v.Request().Context()
	p, err := s.presented(v, "/register")
	if err != nil {
		return registrar{}, err
	}
	if by, initial, err := s.initialToken(ctx, v, p); initial || err != nil {
		return by, err
	}
	admitted, err := s.admitToken(ctx, v, p)
	if err != nil {
		return registrar{}, err
	}
	e := admitted.live.token.Issued()
	v.caller = e.Client
	if !slices.Contains(strings.Fields(e.Scope), registrationScope) {
		return registrar{}, oauth.Refuse(oauth.InsufficientScope, "RFC 7591 §3", "the access token does not have the scope "+registrationScope)
	}
	return registrar{admitted.live.id, admitted.once}, nil
}

// initialToken reports whether the token is one the operator made for this
// issuer. It is not bound to a key, whatever the profile: binding is demanded
// of the access tokens of clients, and who presents this one has neither
// client nor registered key yet. No client authenticated for it, which tells
// it from a token of a client that is called like the operator.
func (s *Server) initialToken(ctx context.Context, v *visit, p resource.Presented) (registrar, bool, error) {
	a, opaque := oauth.ParseArtefact(p.Token)
	if !opaque || !strings.EqualFold(p.Scheme, "Bearer") {
		return registrar{}, false, nil
	}
	state, _, err := s.Tokens.Load(ctx, a.ID)
	e := state.Issued()
	switch {
	case err != nil:
		return registrar{}, false, err
	case !state.Names(a) || e.Client != operator || e.Evidence.ClientAuth != "" || !slices.Contains(e.Audience, v.Tenant.URL):
		return registrar{}, false, nil
	case !state.Active(v.At):
		return registrar{}, true, oauth.Refuse(oauth.InvalidToken, "RFC 6750 §3.1", "the initial access token has expired or was revoked")
	case e.Scope != registrationScope:
		return registrar{}, true, oauth.Refuse(oauth.InsufficientScope, "RFC 7591 §3", "the token is not good for registration")
	}
	return registrar{token: a.ID}, true, nil
}
