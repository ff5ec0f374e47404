package api

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

// A live token is one that was found and, if active, everything it stands on.
type live struct {
	id      string
	token   token.State
	holder  oauth.Client
	consent consent.State
}

// errInactive is why a token does not count. The caller decides what to tell.
type errInactive struct {
	why   string
	known bool // the token is genuine, so that its use may be recorded
}

func (e *errInactive) Error() string { return e.why }

// check finds an access token of an issuer and decides whether it is active at
// this moment: issued and not revoked, not expired, its consent alive, its
// refresh token not revoked, its client and subject in good standing, its key
// not compromised. It answers with an [*errInactive] if not.
func (s *Server) check(ctx context.Context, v *visit, presented string) (live, error) {
	found, err := s.find(ctx, v, presented)
	if err != nil {
		return found, err
	}
	e := found.token.Issued()
	holder, _, err := s.Clients.Get(ctx, e.Client)
	found.holder = oauth.Client{ID: e.Client, ClientMetadata: holder.Metadata()}
	switch {
	case err != nil:
		return found, err
	case holder.Issuer() != v.Tenant.ID:
		return found, &errInactive{why: "the token is not one of this issuer's"}
	case !found.token.Active(v.At):
		return found, &errInactive{"the token has expired or was revoked", true}
	case !holder.Active():
		return found, &errInactive{"the client may not act now", true}
	}
	if e.Consent == "" {
		return found, nil
	}
	return s.checkConsent(ctx, v, found)
}

func (s *Server) checkConsent(ctx context.Context, v *visit, found live) (live, error) {
	e := found.token.Issued()
	var err error
	if found.consent, _, err = s.Consents.Load(ctx, e.Consent); err != nil {
		return found, err
	}
	if !found.consent.Alive(v.At) {
		return found, &errInactive{"the consent has ended", true}
	}
	who, _, err := s.Subjects.Get(ctx, e.Subject)
	if err != nil {
		return found, err
	}
	if who.Erased() {
		return found, &errInactive{"the customer was erased", true}
	}
	if e.Refresh == "" {
		return found, nil
	}
	parent, _, err := s.Refreshes.Load(ctx, e.Refresh)
	if err != nil {
		return found, err
	}
	if !parent.Exists() || parent.Revoked() {
		return found, &errInactive{"the refresh token it came with was revoked", true}
	}
	return found, nil
}

// find returns the token that is presented, opaque or JWT, active or not.
func (s *Server) find(ctx context.Context, v *visit, presented string) (live, error) {
	if opaque, ok := oauth.ParseArtefact(presented); ok {
		state, _, err := s.Tokens.Load(ctx, opaque.ID)
		if err == nil && !state.Names(opaque) {
			err = &errInactive{why: "there is no such token"}
		}
		return live{id: opaque.ID, token: state}, err
	}
	return s.findJWT(ctx, v, presented)
}

const maxToken = 16 << 10

func (s *Server) findJWT(ctx context.Context, v *visit, presented string) (live, error) {
	if len(presented) > maxToken {
		return live{}, &errInactive{why: "the token is too long"}
	}
	keys, err := s.verifying(ctx, v.Tenant.ID)
	if err != nil {
		return live{}, err
	}
	signed, err := s.Signer.Verify(ctx, presented, keys.key)
	if keys.failed != nil {
		return live{}, keys.failed
	}
	if err != nil || signed.Type != "at+jwt" { // RFC 9068 §4
		return live{}, &errInactive{why: "the token is not one of this issuer's"}
	}
	var claims struct {
		Issuer string `json:"iss"`
		ID     string `json:"jti"`
	}
	if err := json.Unmarshal(signed.Claims, &claims); err != nil || claims.Issuer != v.Tenant.URL {
		return live{}, &errInactive{why: "the token is not one of this issuer's"}
	}
	state, _, err := s.Tokens.Load(ctx, claims.ID)
	if err == nil && (!state.Exists() || state.Issued().Key != signed.KeyID) {
		err = &errInactive{why: "the token was never issued"}
	}
	return live{id: claims.ID, token: state}, err
}

// details returns what the token carries of its consent (RFC 9396, Section 9).
func (l live) details() []oauth.Detail {
	if narrowed := l.token.Issued().Details; narrowed != nil {
		return narrowed
	}
	return l.consent.Details()
}

// inactive reports whether err only says that a token does not count.
func inactive(err error) bool {
	_, is := errors.AsType[*errInactive](err)
	return is
}
