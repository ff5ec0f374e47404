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
func (k *clientKeys) Assertion(ctx context.Context, c oauth.Client, t api.Tenant, compact string) (fact oauth.Assertion, seen client.KeySeen, err error) {
	seen, err = k.verify(ctx, c, t, func(keys []jose.Key) (string, error) {
		fact, err = jose.VerifyAssertion(compact, keys)
		return fact.Thumbprint, errors.Join(err, registeredAlg(c.TokenEndpointAuthAlg, fact.Algorithm, err))
	})
	return fact, seen, err
}

// Request implements [api.ClientKeys].
func (k *clientKeys) Request(ctx context.Context, c oauth.Client, t api.Tenant, compact string) (fact oauth.SignedRequest, seen client.KeySeen, err error) {
	seen, err = k.verify(ctx, c, t, func(keys []jose.Key) (string, error) {
		fact, err = jose.VerifyRequest(compact, keys)
		return fact.Thumbprint, errors.Join(err, registeredAlg(c.RequestAlg, fact.Algorithm, err))
	})
	return fact, seen, err
}

// registeredAlg refuses an algorithm that is not the one a client registered.
func registeredAlg(registered, used string, already error) error {
	if already != nil || registered == "" || sameAlgorithm(registered, used) {
		return nil
	}
	return fmt.Errorf("%w: the client registered %s", jose.ErrAlgorithm, registered)
}

// verify tries the client's keys, fetched anew if none fits, and tells which
// one it was.
func (k *clientKeys) verify(ctx context.Context, c oauth.Client, t api.Tenant, try func([]jose.Key) (string, error)) (client.KeySeen, error) {
	if c.JWKSURI == "" {
		keys, err := k.registered(c)
		if err != nil {
			return client.KeySeen{}, err
		}
		return tried(keys, client.KeySeen{Source: "registration"}, try)
	}
	set, err := k.fetched.keys(ctx, c, t, false)
	if err != nil {
		return client.KeySeen{}, err
	}
	seen, err := tried(set.Keys, published(c.JWKSURI, set.FetchedAt), try)
	if !errors.Is(err, jose.ErrUnknownKey) {
		return seen, err
	}
	if set, err = k.fetched.keys(ctx, c, t, true); err != nil { // the client may have new keys
		return client.KeySeen{}, err
	}
	return tried(set.Keys, published(c.JWKSURI, set.FetchedAt), try)
}

func published(uri string, at time.Time) client.KeySeen {
	return client.KeySeen{Source: uri, Fetched: at}
}

// tried completes what is recorded of the key that verified something.
func tried(keys []jose.Key, seen client.KeySeen, try func([]jose.Key) (string, error)) (client.KeySeen, error) {
	thumbprint, err := try(keys)
	if err != nil {
		return seen, err
	}
	if i := slices.IndexFunc(keys, func(key jose.Key) bool { return key.Thumbprint == thumbprint }); i >= 0 {
		seen.Thumbprint, seen.JWK = keys[i].Thumbprint, keys[i].JWK
	}
	return seen, nil
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
