package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/oauth"

	lru "github.com/hashicorp/golang-lru/v2"
)

// parsedClients bounds the clients whose keys stay parsed.
const parsedClients = 10_000

// clientKeys implements [api.ClientKeys]: a client's keys are parsed once, not
// at each request.
type clientKeys struct {
	parsed  *lru.Cache[string, parsedKeys]
	fetched *fetched
}

// parsedKeys are the keys in one set of bytes; other bytes are another set.
type parsedKeys struct {
	raw  []byte
	keys []jose.Key
}

func newClientKeys(f *fetched) (*clientKeys, error) {
	cache, err := lru.New[string, parsedKeys](parsedClients)
	return &clientKeys{cache, f}, err
}

// Assertion implements [api.ClientKeys].
func (k *clientKeys) Assertion(ctx context.Context, c oauth.Client, t api.Tenant, compact string) (oauth.Assertion, client.KeySeen, error) {
	if c.JWKSURI == "" {
		keys, err := k.registered(c)
		if err != nil {
			return oauth.Assertion{}, client.KeySeen{}, err
		}
		return verified(c, compact, keys, client.KeySeen{Source: "registration"})
	}
	set, err := k.fetched.keys(ctx, c, t, false)
	if err != nil {
		return oauth.Assertion{}, client.KeySeen{}, err
	}
	fact, seen, err := verified(c, compact, set.Keys, published(c.JWKSURI, set.FetchedAt))
	if !errors.Is(err, jose.ErrUnknownKey) {
		return fact, seen, err
	}
	if set, err = k.fetched.keys(ctx, c, t, true); err != nil { // the client may have new keys
		return oauth.Assertion{}, client.KeySeen{}, err
	}
	return verified(c, compact, set.Keys, published(c.JWKSURI, set.FetchedAt))
}

func published(uri string, at time.Time) client.KeySeen {
	return client.KeySeen{Source: uri, Fetched: at}
}

// verified checks an assertion and completes what is recorded of the key that
// signed it.
func verified(c oauth.Client, compact string, keys []jose.Key, seen client.KeySeen) (oauth.Assertion, client.KeySeen, error) {
	fact, err := jose.VerifyAssertion(compact, keys)
	if err != nil {
		return fact, seen, err
	}
	if c.TokenEndpointAuthAlg != "" && !sameAlgorithm(c.TokenEndpointAuthAlg, fact.Algorithm) {
		return fact, seen, fmt.Errorf("%w: the client registered %s", jose.ErrAlgorithm, c.TokenEndpointAuthAlg)
	}
	i := slices.IndexFunc(keys, func(key jose.Key) bool { return key.Thumbprint == fact.Thumbprint })
	if i >= 0 {
		seen.Thumbprint, seen.JWK = keys[i].Thumbprint, keys[i].JWK
	}
	return fact, seen, nil
}

// sameAlgorithm knows that Ed25519 has two names (RFC 9864, Section 2.2).
func sameAlgorithm(a, b string) bool {
	ed := []string{jose.EdDSA, jose.Ed25519}
	return a == b || slices.Contains(ed, a) && slices.Contains(ed, b)
}

func (k *clientKeys) registered(c oauth.Client) ([]jose.Key, error) {
	if known, found := k.parsed.Get(c.ID); found && bytes.Equal(known.raw, c.JWKS) {
		return known.keys, nil
	}
	keys, err := jose.ParseKeys(c.JWKS)
	if err == nil {
		k.parsed.Add(c.ID, parsedKeys{c.JWKS, keys})
	}
	return keys, err
}

// Claimed implements [api.ClientKeys].
func (k *clientKeys) Claimed(compact string) string {
	id, err := jose.PeekIssuer(compact)
	if err != nil {
		return ""
	}
	return id
}

// Certificates implements [api.ClientKeys].
func (k *clientKeys) Certificates(ctx context.Context, c oauth.Client, t api.Tenant) ([]string, error) {
	var keys []jose.Key
	var err error
	if c.JWKSURI == "" {
		keys, err = k.registered(c)
	} else {
		set, fetchErr := k.fetched.keys(ctx, c, t, false)
		keys, err = set.Keys, fetchErr
	}
	var all []string
	for _, key := range keys {
		if key.CertificateThumbprint != "" {
			all = append(all, key.CertificateThumbprint)
		}
	}
	return all, err
}

// Check implements [api.ClientKeys].
func (k *clientKeys) Check(m oauth.ClientMetadata) (oauth.ClientMetadata, error) {
	if m.TLSSubjectDN != "" {
		dn, err := mtls.NormalizeDN(m.TLSSubjectDN)
		if err != nil {
			return m, err
		}
		m.TLSSubjectDN = dn
	}
	if len(m.JWKS) == 0 {
		return m, nil
	}
	keys, err := jose.ParseKeys(m.JWKS)
	if err != nil {
		return m, err
	}
	certified := slices.ContainsFunc(keys, func(key jose.Key) bool { return key.CertificateThumbprint != "" })
	switch {
	case len(keys) == 0:
		return m, fmt.Errorf("%w: jwks has no key of an accepted kind", jose.ErrKey)
	case m.TokenEndpointAuthMethod == "self_signed_tls_client_auth" && !certified:
		return m, fmt.Errorf("%w: jwks has no certificate (x5c)", jose.ErrKey)
	}
	return m, nil
}
