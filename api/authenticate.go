package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/url"
	"time"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// A caller is a client that has proved itself, and how.
type caller struct {
	oauth.Client
	Evidence    oauth.Evidence
	Certificate *oauth.Certificate
	Meta        event.Meta
	Once        []eventstore.Once
	again       map[[32]byte]*oauth.Error // what to answer when one of Once was used before
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2

// authenticate proves who sent a form, by the method the client registered
// (RFC 6749, Section 2.3). It accepts exactly one method.
func (s *Server) authenticate(v *visit, params url.Values) (*caller, error) {
	r := v.Request()
	v.At = s.Now() // the form may have taken its time to arrive
	if r.Header.Get("Authorization") != "" || params.Has("client_secret") {
		return nil, oauth.Refuse(oauth.InvalidClient, v.Tenant.Profile.ClientAuth.By, "client secrets are not accepted")
	}
	assertion := params.Get("client_assertion")
	id := params.Get("client_id")
	if id == "" && assertion != "" {
		id = s.ClientKeys.Claimed(assertion)
	}
	if id == "" {
		return nil, oauth.Refuse(oauth.InvalidClient, "RFC 6749 §2.3", "client authentication is required")
	}
	state, err := s.knownClient(r.Context(), v.Tenant, id)
	if err != nil {
		return nil, err
	}
	c := &caller{Client: oauth.Client{ID: id, ClientMetadata: state.Metadata()}}
	c.Evidence.ClientAuth = c.TokenEndpointAuthMethod
	if c.Certificate, err = s.Certificates.Certificate(r); err != nil {
		return nil, oauth.Refuse(oauth.InvalidClient, "RFC 8705 §2", "the client certificate cannot be read")
	}
	seen, err := s.prove(r.Context(), v, c, params)
	if err != nil {
		return nil, err
	}
	v.caller = id
	if wait := s.Limits.Wait("client:"+id, v.At); wait > 0 { // not before: nobody else may use up its limit
		return nil, tooMany(wait)
	}
	if err := s.recent.used(c.ID, c.Once, v.At); err != nil {
		return nil, replayed(c, err)
	}
	c.Meta = s.meta(v, event.ActorClient)
	return c, s.record(r.Context(), c, state, seen)
}

// knownClient returns a client that may act at an issuer. Unknown, foreign,
// suspended and deleted clients look alike from outside.
func (s *Server) knownClient(ctx context.Context, t Tenant, id string) (client.State, error) {
	if len(id) > 128 || printableASCII(id, 128) != id {
		return client.State{}, oauth.Refuse(oauth.InvalidClient, "RFC 6749 §2.2", "client_id is malformed")
	}
	state, _, err := s.Clients.Get(ctx, id)
	if err != nil {
		return client.State{}, err
	}
	if !state.Active() || state.Issuer() != t.ID {
		return client.State{}, oauth.Refuse(oauth.InvalidClient, "RFC 6749 §5.2", "the client is unknown or may not act now")
	}
	return state, nil
}

// prove checks the assertion or certificate, and returns the keys it was
// checked with.
func (s *Server) prove(ctx context.Context, v *visit, c *caller, params url.Values) ([]client.KeySeen, error) {
	assertion, kind := params.Get("client_assertion"), params.Get("client_assertion_type")
	if c.TokenEndpointAuthMethod == "private_key_jwt" {
		return s.proveByAssertion(ctx, v, c, assertion, kind)
	}
	if assertion != "" || kind != "" {
		return nil, oauth.Refuse(oauth.InvalidClient, "RFC 6749 §2.3", "the client is registered for another authentication method")
	}
	return s.proveByCertificate(ctx, v, c)
}

func (s *Server) proveByAssertion(ctx context.Context, v *visit, c *caller, compact, kind string) ([]client.KeySeen, error) {
	switch {
	case compact == "":
		return nil, oauth.Refuse(oauth.InvalidClient, "RFC 7523 §2.2", "client_assertion is required")
	case kind != assertionType:
		return nil, oauth.Refuse(oauth.InvalidClient, "RFC 7523 §2.2", "client_assertion_type must be "+assertionType)
	}
	fact, key, err := s.ClientKeys.Assertion(ctx, c.Client, v.Tenant, compact)
	if err != nil {
		return nil, &oauth.Error{Code: oauth.InvalidClient, By: "RFC 7523 §3", Description: "the client assertion does not verify", Cause: err}
	}
	judging := oauth.Judging{Now: v.At, Issuer: v.Tenant.URL, Endpoints: append(v.Tenant.URLs("/token"), v.Tenant.URLs("/"+v.endpoint)...)}
	if err := v.Tenant.Profile.CheckAssertion(fact, c.ID, judging); err != nil {
		return nil, err
	}
	c.Evidence.ClientAssertion, c.Evidence.Key = fact.Raw, fact.Thumbprint
	c.guard(onceKey(fact.Expires, v.At, "assertion", v.Tenant.ID, c.ID, fact.ID),
		oauth.Refuse(oauth.InvalidClient, "RFC 7523 §3", "the client assertion was used before"))
	return []client.KeySeen{key}, nil
}

func (s *Server) proveByCertificate(ctx context.Context, v *visit, c *caller) ([]client.KeySeen, error) {
	var registered []string
	if c.TokenEndpointAuthMethod == "self_signed_tls_client_auth" {
		var err error
		if registered, err = s.ClientKeys.Certificates(ctx, c.Client, v.Tenant); err != nil {
			return nil, &oauth.Error{Code: oauth.InvalidClient, By: "RFC 8705 §2.2", Description: "the client's JWK set cannot be had", Cause: err}
		}
	}
	judging := oauth.Judging{Now: v.At, Issuer: v.Tenant.URL}
	if err := oauth.CheckCertificate(c.Certificate, c.ClientMetadata, registered, judging); err != nil {
		return nil, err
	}
	c.Evidence.Certificate = c.Certificate.Thumbprint
	return seenChain(c.Certificate), nil
}

func seenChain(cert *oauth.Certificate) []client.KeySeen {
	return []client.KeySeen{{Thumbprint: cert.Thumbprint, Chain: cert.Chain, Source: "tls"}}
}

// record makes sure that every key is in the log before the first event that
// names its thumbprint.
func (s *Server) record(ctx context.Context, c *caller, state client.State, seen []client.KeySeen) error {
	for _, key := range seen {
		if key.Thumbprint == "" || state.Knows(key.Thumbprint) {
			continue
		}
		if _, err := s.Clients.Execute(ctx, c.Meta, c.ID, client.SeeKey{KeySeen: key}); err != nil {
			return err
		}
	}
	return nil
}

// recordKeys is record for keys that a request shows after its client was
// authenticated.
func (s *Server) recordKeys(ctx context.Context, c *caller, seen ...client.KeySeen) error {
	state, _, err := s.Clients.Get(ctx, c.ID)
	if err != nil {
		return err
	}
	return s.record(ctx, c, state, seen)
}

// guard has a replay key committed with what the request appends, and says how
// a request is refused that comes after the key was used.
func (c *caller) guard(key eventstore.Once, refusal *oauth.Error) {
	if c.again == nil {
		c.again = map[[32]byte]*oauth.Error{}
	}
	c.Once, c.again[key.Key] = append(c.Once, key), refusal
}

// onceKey makes the replay key of a one-time value in its scope.
func onceKey(expires, now time.Time, scope ...string) eventstore.Once {
	h := sha256.New()
	for _, part := range scope {
		h.Write([]byte{byte(len(part) >> 8), byte(len(part))})
		h.Write([]byte(part))
	}
	return eventstore.Once{Key: [32]byte(h.Sum(nil)), Issued: now, Expires: expires}
}

const (
	roleAS = "as" // nonces of the authorization server
	roleRS = "rs" // and of resource servers
)

// proofWindow is how long the jti of a proof is remembered: as long as its iat
// is accepted.
const proofWindow = 6 * time.Minute

// proof verifies the DPoP proof of a request to the authorization server, if
// it carries one (RFC 9449, Section 4.3).
func (s *Server) proof(v *visit, c *caller, path string) (*oauth.Proof, error) {
	headers := v.Request().Header.Values("DPoP")
	if len(headers) == 0 {
		return nil, nil
	}
	if by := v.Tenant.Profile.SenderBinding; !by.Permits("dpop") {
		return nil, oauth.Refuse(oauth.InvalidDPoPProof, by.By, "this issuer binds access tokens to certificates, not to DPoP keys")
	}
	fact, err := s.parseProof(headers)
	if err != nil {
		return nil, err
	}
	err = v.Tenant.Profile.CheckProof(fact, oauth.Proving{
		Judging: oauth.Judging{Now: v.At, Issuer: v.Tenant.URL},
		Method:  v.Request().Method, URLs: v.Tenant.URLs(path), SameURI: s.Proofs.SameURI,
		NonceNeeded: v.Tenant.Settings.DPoPNonce == "all",
		NonceValid:  func(n string) bool { return s.Nonces.Valid(n, v.Tenant.ID, roleAS, v.At) },
	})
	if err != nil {
		return nil, err
	}
	c.Evidence.DPoP = fact.Raw
	c.guard(onceKey(v.At.Add(proofWindow), v.At, "dpop", fact.Thumbprint, v.Tenant.URL+path, fact.ID), proofUsed)
	return &fact, nil
}

func (s *Server) parseProof(headers []string) (oauth.Proof, error) {
	if len(headers) != 1 {
		return oauth.Proof{}, oauth.Refuse(oauth.InvalidDPoPProof, "RFC 9449 §4.3-1.1", "there must be one DPoP header")
	}
	fact, err := s.Proofs.Proof(headers[0])
	if err != nil {
		return fact, &oauth.Error{Code: oauth.InvalidDPoPProof, By: "RFC 9449 §4.3", Description: "the DPoP proof is not valid", Cause: err}
	}
	return fact, nil
}

// replayed names what was presented twice.
func replayed(c *caller, err error) error {
	again, ok := errors.AsType[*eventstore.Replayed](err)
	if !ok {
		return err
	}
	if refusal, known := c.again[again.Key]; known {
		return refusal
	}
	return proofUsed
}

var proofUsed = oauth.Refuse(oauth.InvalidDPoPProof, "RFC 9449 §11.1", "the DPoP proof was used before")
