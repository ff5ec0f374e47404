package api

import (
	"context"
	"errors"
	"strings"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// presented reads the access token of a request from the Authorization header,
// the only place it may be in (FAPI2-SP, Section 5.3.4).
func (s *Server) presented(v *visit, path string) (resource.Presented, error) {
	r := v.Request()
	cert, err := s.Certificates.Certificate(r)
	if err != nil {
		return resource.Presented{}, oauth.Refuse(oauth.InvalidToken, "RFC 8705 §3", "the client certificate cannot be read")
	}
	return resource.Present(r, v.Tenant.URLs(path), cert)
}

// A pass is an access token that is active and was presented by the holder of
// its key.
type pass struct {
	live live
	once []eventstore.Once
}

// admitToken checks an access token and that its presenter holds the key it is
// bound to (RFC 9449, Section 7; RFC 8705, Section 3). If the token was genuine
// and rightly bound but is no longer active, it also returns the pass, so that
// the attempt can be recorded.
func (s *Server) admitToken(ctx context.Context, v *visit, p resource.Presented) (pass, error) {
	found, err := s.check(ctx, v, p.Token)
	ended, isEnded := errors.AsType[*errInactive](err)
	if err != nil && (!isEnded || !ended.known) {
		return pass{}, invalidToken(err)
	}
	once, bindingErr := s.holds(v, p, found)
	if bindingErr != nil {
		return pass{}, bindingErr
	}
	return pass{found, once}, invalidToken(err)
}

func invalidToken(err error) error {
	if ended, is := errors.AsType[*errInactive](err); is {
		return &oauth.Error{Code: oauth.InvalidToken, By: "RFC 6750 §3.1", Description: ended.why, Cause: err}
	}
	return err
}

// holds proves that the presenter has the key the token is bound to.
func (s *Server) holds(v *visit, p resource.Presented, found live) ([]eventstore.Once, error) {
	cnf := found.token.Issued().Confirmation
	dpop := strings.EqualFold(p.Scheme, "DPoP")
	demanded := v.Tenant.Profile.SenderBinding
	switch {
	case !cnf.Bound() && demanded.Demanded(): // issued under an earlier profile of the issuer
		return nil, oauth.Refuse(oauth.InvalidToken, demanded.By, "the access token is not bound to a key of its holder")
	case cnf.JKT != "" && !dpop:
		return nil, oauth.Refuse(oauth.InvalidToken, "RFC 9449 §7.1", "the access token is bound to a DPoP key and needs the DPoP scheme")
	case cnf.JKT == "" && dpop:
		return nil, oauth.Refuse(oauth.InvalidToken, "RFC 9449 §7.1", "the access token is not bound to a DPoP key")
	case dpop:
		return s.holdsProof(v, p, cnf.JKT)
	case cnf.X5TS != "" && (p.Certificate == nil || p.Certificate.Thumbprint != cnf.X5TS):
		return nil, oauth.Refuse(oauth.InvalidToken, "RFC 8705 §3", "the access token is bound to another certificate")
	}
	return nil, nil
}

func (s *Server) holdsProof(v *visit, p resource.Presented, jkt string) ([]eventstore.Once, error) {
	fact, err := s.parseProof(p.Proofs)
	if err != nil {
		return nil, err
	}
	err = v.Tenant.Profile.CheckProof(fact, oauth.Proving{
		Judging: oauth.Judging{Now: v.At, Issuer: v.Tenant.URL},
		Method:  p.Method, URLs: p.URLs, SameURI: s.Proofs.SameURI, AccessToken: p.Token, Thumbprint: jkt,
		NonceNeeded: v.Tenant.Settings.DPoPNonce != "off",
		NonceValid:  func(n string) bool { return s.Nonces.Valid(n, v.Tenant.ID, roleRS, v.At) },
	})
	key := onceKey(v.At.Add(proofWindow), v.At, "dpop", fact.Thumbprint, fact.URI, fact.ID)
	return []eventstore.Once{key}, err
}

// challenged makes a refused access token the answer of a protected resource:
// its challenges, and its status, which for a bad proof is not that of the
// authorization server's endpoints (RFC 6750, Section 3; RFC 9449, Section 7.1).
func (s *Server) challenged(v *visit, scope string, err error) error {
	_, special := errors.AsType[*httpError](err)
	refusal, known := errors.AsType[*oauth.Error](err)
	if special || !known || resource.Status(refusal.Code) >= 500 {
		return err
	}
	resource.Challenge(v.Response().Header(), refusal, scope, v.Tenant.Profile.SigningAlgs.Of)
	s.offerNonce(v)
	return &httpError{refusal, resource.Status(refusal.Code), 0}
}

// offerNonce sends the nonce for the next proof towards a protected resource
// (RFC 9449, Sections 8.2 and 9).
func (s *Server) offerNonce(v *visit) {
	if v.Tenant.Settings.DPoPNonce != "off" {
		v.Response().Header().Set("DPoP-Nonce", s.Nonces.Issue(v.Tenant.ID, roleRS, v.At))
	}
}

// proofReplayed says what was replayed where only a proof can be.
func proofReplayed(err error) error {
	if errors.Is(err, eventstore.ErrReplay) {
		return oauth.Refuse(oauth.InvalidDPoPProof, "RFC 9449 §11.1", "the DPoP proof was used before")
	}
	return err
}

// requestedClaims returns the claims parameter of the request that a token
// goes back to.
func (s *Server) requestedClaims(ctx context.Context, journey, refresh string) (oauth.ClaimsRequest, error) {
	if journey == "" && refresh != "" {
		state, _, err := s.Refreshes.Load(ctx, refresh)
		if err != nil {
			return oauth.ClaimsRequest{}, err
		}
		journey = state.Issued().Authorization
	}
	if journey == "" {
		return oauth.ClaimsRequest{}, nil
	}
	var state authorization.State
	state, _, err := s.Authorizations.Load(ctx, journey)
	if err != nil {
		return oauth.ClaimsRequest{}, err
	}
	return oauth.ParseClaims(state.Request().Claims)
}
