package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
)

// authorize serves the authorization endpoint (RFC 6749, Section 3.1) for
// requests that were pushed (RFC 9126, Section 4). Opening a request writes
// nothing, however often and in whatever browser it is done. Parameters beside
// client_id and request_uri are ignored.
func (s *Server) authorize(v *visit) error {
	params, err := authorizationParams(v.Request())
	if err != nil {
		return err
	}
	i, err := s.open(v, params)
	if err != nil {
		return err
	}
	if v.Request().Method == http.MethodPost {
		// A form posted by the client's site comes without our cookies, which
		// are SameSite=Lax; the navigation that follows has them.
		query := url.Values{"client_id": {params.Get("client_id")}, "request_uri": {params.Get("request_uri")}}
		return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/authorize?"+query.Encode())
	}
	if err := s.answerable(v, i); err != nil {
		refusal, ok := errors.AsType[*oauth.Error](err)
		if !ok {
			return err
		}
		return s.redirectError(v, i, refusal)
	}
	i.browser = s.browser(v)
	return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/interaction?i="+s.sealTicket(v, i))
}

func authorizationParams(r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		params, _, err := form(r)
		return params, err
	}
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, oauth.Refuse(oauth.InvalidRequest, "RFC 6749 App. B", "the query is not form-encoded")
	}
	return params, once(params)
}

// open finds the request that a client pushed. What it refuses cannot be told
// to the client, because nothing shows that the client sent the browser.
func (s *Server) open(v *visit, params url.Values) (interaction, error) {
	sent, id := params.Get("request_uri"), params.Get("client_id")
	switch {
	case id == "":
		return interaction{}, oauth.Refuse(oauth.InvalidRequest, "RFC 9126 §4", "client_id is required")
	case sent == "":
		return interaction{}, oauth.Refuse(oauth.InvalidRequest, v.Tenant.Profile.PushedOnly.By, "the request must be pushed first: request_uri is required")
	}
	secret, prefixed := strings.CutPrefix(sent, oauth.RequestURIPrefix)
	uri, ok := oauth.ParseArtefact(secret)
	if !prefixed || !ok {
		return interaction{}, unusable("request_uri is not one of this issuer's")
	}
	i, err := s.load(v, ticket{uri.ID, v.At})
	switch {
	case err != nil:
		return i, err
	case !i.journey.Names(uri), i.journey.Client() != id:
		return i, unusable("request_uri is unknown or belongs to another client")
	case i.journey.Decided():
		return i, unusable("request_uri was used before")
	case !v.At.Before(i.journey.Expires()):
		return i, unusable("request_uri has expired")
	}
	return i, nil
}

// unusable refuses a request_uri (RFC 9101, Section 7).
func unusable(description string) error {
	return oauth.Refuse(oauth.InvalidRequestURI, "RFC 9126 §4", description)
}

// answerable refuses a request that no page could lead to a good end: one with
// a hint that is not ours, or one that wants no page at all.
func (s *Server) answerable(v *visit, i interaction) error {
	subject, err := s.wanted(v.Request().Context(), v.Tenant, i.client, i.request)
	if err != nil || !i.request.Prompts("none") {
		return err
	}
	who, err := s.session(v)
	if errors.Is(err, ErrNoSession) || err == nil && (!i.fresh(who) || subject != "" && subject != who.Subject) {
		return oauth.Refuse(oauth.LoginRequired, "OIDC-Core §3.1.2.6", "the customer must sign in")
	}
	if err != nil {
		return err
	}
	return oauth.Refuse(oauth.ConsentRequired, "OIDC-Core §3.1.2.6", "the customer must approve each request")
}

// wanted returns the customer whom the request names by id_token_hint or the
// claims parameter (OIDC-Core, Sections 3.1.2.1 and 5.5), "" for anybody.
func (s *Server) wanted(ctx context.Context, t Tenant, c oauth.Client, r oauth.AuthorizationRequest) (string, error) {
	claims, err := oauth.ParseClaims(r.Claims)
	if err != nil {
		return "", err
	}
	named, known := s.subjectFrom(c, claims.RequestedSubject())
	if claims.RequestedSubject() != "" && !known {
		return "", oauth.Refuse(oauth.LoginRequired, "OIDC-Core §5.5.1", "claims names nobody whom the client knows")
	}
	if r.IDTokenHint == "" {
		return named, nil
	}
	hinted, err := s.hinted(ctx, t, r.IDTokenHint)
	if err == nil && named != "" && named != hinted {
		err = oauth.Refuse(oauth.LoginRequired, "OIDC-Core §3.1.2.1", "id_token_hint and claims name different customers")
	}
	return hinted, err
}

// hinted returns the subject of an ID token that this issuer signed, however
// old it is.
func (s *Server) hinted(ctx context.Context, t Tenant, hint string) (string, error) {
	token, err := s.ownIDToken(ctx, t, hint)
	return token.Subject, err
}

// A hintToken is what an ID token that comes back as a hint says.
type hintToken struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"` // we write one, as a string
	Issued   int64  `json:"iat"`
}

// ownIDToken reads an ID token that this issuer signed, and leads its sub back
// to the customer.
func (s *Server) ownIDToken(ctx context.Context, t Tenant, hint string) (claims hintToken, err error) {
	keys, err := s.verifying(ctx, t.ID)
	if err != nil {
		return claims, err
	}
	signed, err := s.Signer.Verify(ctx, hint, keys.key)
	if keys.failed != nil {
		return claims, keys.failed
	}
	if err == nil {
		err = json.Unmarshal(signed.Claims, &claims)
	}
	if err != nil || signed.Type != "JWT" || claims.Issuer != t.URL || claims.Subject == "" {
		return claims, errNotOurs
	}
	holder, _, err := s.Clients.Get(ctx, claims.Audience)
	if err != nil {
		return claims, err
	}
	var known bool
	if claims.Subject, known = s.subjectFrom(oauth.Client{ID: claims.Audience, ClientMetadata: holder.Metadata()}, claims.Subject); !known {
		return claims, errNotOurs
	}
	return claims, nil
}

var errNotOurs error = oauth.Refuse(oauth.InvalidRequest, "OIDC-Core §3.1.2.1", "id_token_hint is not an ID token of this issuer")
