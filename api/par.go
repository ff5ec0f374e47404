package api

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// pushRequest serves the pushed authorization request endpoint (RFC 9126,
// Section 2).
func (s *Server) pushRequest(v *visit) error {
	params, raw, err := form(v.Request())
	if err != nil {
		return err
	}
	c, err := s.authenticate(v, params) // FAPI2-SP §5.3.2.2-2.2
	if err != nil {
		return err
	}
	request := oauth.ParseAuthorizationRequest(params)
	if request.ClientID == "" {
		request.ClientID = c.ID
	}
	proof, err := s.proof(v, c, "/par")
	if err != nil {
		return err
	}
	pushed, err := s.push(v, c, request, proof, withoutCredentials(raw))
	if err != nil {
		return err
	}
	return v.JSON(http.StatusCreated, pushed) // RFC 9126 §2.2
}

// push records a request that the profile permits and hands out a reference
// to it.
func (s *Server) push(v *visit, c *caller, r oauth.AuthorizationRequest, proof *oauth.Proof, body string) (pushedRequest, error) {
	issuer := v.Tenant.Server()
	issuer.Now = v.At
	if err := v.Tenant.Profile.Check(r, c.Client, issuer); err != nil {
		return pushedRequest{}, err
	}
	if r.AuthorizationDetails != "" && !v.Tenant.Settings.Accounts {
		return pushedRequest{}, oauth.Refuse(oauth.InvalidAuthorizationDetails, "RFC 9396 §5", "this issuer offers no authorization_details")
	}
	jkt, err := codeBinding(r, proof)
	if err != nil {
		return pushedRequest{}, err
	}
	uri := newArtefact()
	life := v.Tenant.Settings.PushedLifetime
	e := authorization.Pushed{Client: c.ID, Digest: uri.Digest(), Expires: v.At.Add(life), JKT: jkt, Evidence: c.Evidence}
	if r.Personal() {
		e.Personal = body
	} else {
		e.Body = body
	}
	stream := s.Authorizations.Stream(uri.ID)
	c.Meta.Correlation = string(stream)
	_, err = s.Journal.Commit(v.Request().Context(), c.Meta,
		eventstore.Draft{Stream: stream, Expect: eventstore.Absent(), Events: []any{e}, Once: c.Once})
	if err != nil {
		return pushedRequest{}, replayed(c, err)
	}
	return pushedRequest{oauth.RequestURIPrefix + uri.Text(), seconds(life)}, nil
}

// codeBinding returns the thumbprint that binds the code: dpop_jkt, or the key
// of the proof (RFC 9449, Sections 10 and 10.1).
func codeBinding(r oauth.AuthorizationRequest, proof *oauth.Proof) (string, error) {
	switch {
	case proof == nil:
		return r.DPoPJKT, nil
	case r.DPoPJKT != "" && r.DPoPJKT != proof.Thumbprint:
		return "", oauth.Refuse(oauth.InvalidRequest, "RFC 9449 §10.1", "dpop_jkt is not the thumbprint of the proof's key")
	}
	return proof.Thumbprint, nil
}

// pushedRequest is the response of RFC 9126, Section 2.2.
type pushedRequest struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"`
}

// withoutCredentials returns a form as it was received, byte for byte, without
// the parameters that authenticate its sender and those named besides, however
// their names are encoded.
func withoutCredentials(raw []byte, besides ...string) string {
	var kept [][]byte
	for pair := range bytes.SplitSeq(raw, []byte("&")) {
		encoded, _, _ := bytes.Cut(pair, []byte("="))
		name, err := url.QueryUnescape(string(encoded))
		if err == nil && name != "client_assertion" && name != "client_secret" && !slices.Contains(besides, name) {
			kept = append(kept, pair)
		}
	}
	return string(bytes.Join(kept, []byte("&")))
}
