package api

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

// issueToken serves the token endpoint (RFC 6749, Section 3.2).
func (s *Server) issueToken(v *visit) error {
	params, _, err := form(v.Request())
	if err != nil {
		return err
	}
	c, err := s.authenticate(v, params)
	if err != nil {
		return err
	}
	grant := params.Get("grant_type")
	switch {
	case grant == "":
		return oauth.Refuse(oauth.InvalidRequest, "RFC 6749 §4.1.3", "grant_type is required")
	case !v.Tenant.Profile.GrantTypes.Permits(grant):
		return oauth.Refuse(oauth.UnsupportedGrantType, v.Tenant.Profile.GrantTypes.By, "grant_type is not one of this issuer's")
	case !c.Grants(grant):
		return oauth.Refuse(oauth.UnauthorizedClient, "RFC 6749 §5.2", "the client is not registered for this grant_type")
	}
	bound, err := s.bind(v, c)
	if err != nil {
		return err
	}
	response, err := s.grants(grant)(v, c, params, bound)
	if err != nil {
		return replayed(c, err)
	}
	v.Response().Header().Set("Pragma", "no-cache") // RFC 6749 §5.1
	return v.JSON(http.StatusOK, response)
}

type grantFlow func(*visit, *caller, url.Values, token.Confirmation) (tokenResponse, error)

func (s *Server) grants(grant string) grantFlow {
	switch grant {
	case "authorization_code":
		return s.redeem
	case "refresh_token":
		return s.refresh
	case "client_credentials":
		return s.grantToClient
	case oauth.GrantCIBA:
		return s.redeemBackchannel
	}
	return func(*visit, *caller, url.Values, token.Confirmation) (tokenResponse, error) {
		return tokenResponse{}, oauth.Refuse(oauth.UnsupportedGrantType, "RFC 6749 §5.2", "grant_type is not supported")
	}
}

// bind returns the key that the token will be bound to: that of the DPoP
// proof, or of the client's certificate, as the client registered.
func (s *Server) bind(v *visit, c *caller) (token.Confirmation, error) {
	proof, err := s.proof(v, c, "/token")
	if err != nil {
		return token.Confirmation{}, err
	}
	demanded := v.Tenant.Profile.SenderBinding
	switch {
	case proof != nil:
		return token.Confirmation{JKT: proof.Thumbprint}, nil
	case c.DPoPBoundTokens:
		return token.Confirmation{}, oauth.Refuse(oauth.InvalidDPoPProof, cmp.Or(demanded.By, "RFC 9449 §5.2"), "a DPoP proof is required")
	case c.TLSBoundTokens && c.Certificate != nil:
		return s.bindToCertificate(v, c)
	case c.TLSBoundTokens || demanded.Demanded():
		return token.Confirmation{}, oauth.Refuse(oauth.InvalidRequest, cmp.Or(demanded.By, "RFC 8705 §3.4"), "a client certificate is required on the mutual-TLS endpoint")
	}
	return token.Confirmation{}, nil
}

func (s *Server) bindToCertificate(v *visit, c *caller) (token.Confirmation, error) {
	c.Evidence.Certificate = c.Certificate.Thumbprint
	bound := token.Confirmation{X5TS: c.Certificate.Thumbprint}
	return bound, s.recordKeys(v.Request().Context(), c, seenChain(c.Certificate)...)
}

// resources are the values of resource in a token request. An empty one is none
// (RFC 6749, Section 3.1).
func resources(params url.Values) []string {
	return slices.DeleteFunc(slices.Clone(params["resource"]), func(v string) bool { return v == "" })
}

// audience returns the aud of a token: the resources asked for, or the
// issuer's default, or the issuer itself where it has none.
func audience(t Tenant, resources []string) ([]string, error) {
	if err := oauth.CheckResources(resources, t.Server()); err != nil {
		return nil, err
	}
	switch {
	case len(resources) > 0:
		return slices.Compact(slices.Sorted(slices.Values(resources))), nil
	case len(t.Settings.Resources) > 0:
		return t.Settings.Resources[:1], nil
	}
	return []string{t.URL}, nil
}

// narrowAudience is audience for a grant: the token request may name fewer
// resources than the authorization request did, not others (RFC 8707,
// Section 2.2).
func narrowAudience(t Tenant, asked, granted []string) ([]string, error) {
	if len(asked) == 0 {
		return audience(t, granted)
	}
	for _, r := range asked {
		if len(granted) > 0 && !slices.Contains(granted, r) {
			return nil, oauth.Refuse(oauth.InvalidTarget, "RFC 8707 §2.2", "resource goes beyond the authorization request")
		}
	}
	return audience(t, asked)
}

// narrow returns the scope that a token request asks for, which must not go
// beyond what was granted (RFC 6749, Section 6).
func narrow(asked, granted string) (string, error) {
	if asked == "" {
		return granted, nil
	}
	values, err := oauth.ParseScope(asked)
	if err != nil {
		return "", err
	}
	have := strings.Fields(granted)
	for _, v := range values {
		if !slices.Contains(have, v) {
			return "", oauth.Refuse(oauth.InvalidScope, "RFC 6749 §6", "scope goes beyond what was granted")
		}
	}
	return strings.Join(values, " "), nil
}

// narrowDetails likewise (RFC 9396, Section 6). It returns nil if nothing was
// asked.
func narrowDetails(asked string, granted []oauth.Detail) ([]oauth.Detail, error) {
	details, err := oauth.ParseDetails(asked)
	if err != nil || details == nil {
		return nil, err
	}
	if !oauth.Narrower(details, granted) {
		return nil, oauth.Refuse(oauth.InvalidAuthorizationDetails, "RFC 9396 §6", "authorization_details goes beyond what was granted")
	}
	for i, d := range details {
		if len(d.Accounts) == 0 {
			details[i].Accounts = accountsOf(d, granted)
		}
	}
	return details, nil
}

// accountsOf returns the granted accounts of a detail that names none.
func accountsOf(asked oauth.Detail, granted []oauth.Detail) []string {
	for _, g := range granted {
		if oauth.Narrower([]oauth.Detail{asked}, []oauth.Detail{g}) {
			return g.Accounts
		}
	}
	return nil
}

// tokenResponse is RFC 6749, Section 5.1 with RFC 9396, Section 7.
type tokenResponse struct {
	AccessToken  string         `json:"access_token"`
	TokenType    string         `json:"token_type"`
	ExpiresIn    int64          `json:"expires_in"`
	RefreshToken string         `json:"refresh_token,omitempty"`
	IDToken      string         `json:"id_token,omitempty"`
	Scope        string         `json:"scope,omitempty"`
	Details      []oauth.Detail `json:"authorization_details,omitempty"`
}
