package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
)

// hintTokens implements [api.HintTokens] with the keys that the tenant's hint
// issuers registered or publish. They are kept and fetched as those of clients
// are.
type hintTokens struct{ keys *clientKeys }

// Verify implements [api.HintTokens].
func (h hintTokens) Verify(ctx context.Context, t api.Tenant, compact string, now time.Time) (api.HintToken, error) {
	claimed, err := jose.PeekHintIssuer(compact)
	if err != nil {
		return api.HintToken{}, err
	}
	i := slices.IndexFunc(t.Settings.HintIssuers, func(known issuer.HintIssuer) bool { return known.Issuer == claimed })
	if i < 0 {
		return api.HintToken{}, fmt.Errorf("%w: not from a hint issuer of the tenant", jose.ErrUnknownKey)
	}
	fact, err := h.verify(ctx, t, t.Settings.HintIssuers[i], compact)
	if err != nil {
		return api.HintToken{}, err
	}
	err = t.Profile.CheckHintToken(fact, oauth.Judging{Now: now, Issuer: t.URL})
	if errors.Is(err, oauth.ExpiredLoginHintToken) {
		return api.HintToken{}, api.ErrHintExpired
	}
	if err != nil {
		return api.HintToken{}, err
	}
	subject, login, err := fact.Customer(t.URL)
	return api.HintToken{Issuer: fact.Issuer, Subject: subject, Login: login}, err
}

func (h hintTokens) verify(ctx context.Context, t api.Tenant, from issuer.HintIssuer, compact string) (fact oauth.HintToken, err error) {
	owner := oauth.Client{ID: "hints of " + t.ID + " by " + from.Issuer} // no client_id has a space
	owner.JWKS, owner.JWKSURI = from.JWKS, from.JWKSURI
	_, err = h.keys.verify(ctx, owner, t, func(keys []jose.Key) (string, error) {
		fact, err = jose.VerifyHint(compact, keys)
		return "", err
	})
	return fact, err
}
