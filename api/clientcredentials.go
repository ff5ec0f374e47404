package api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

// grantToClient issues a token to a client for itself (RFC 6749, Section 4.4).
func (s *Server) grantToClient(v *visit, c *caller, params url.Values, bound token.Confirmation) (tokenResponse, error) {
	ctx := v.Request().Context()
	asked := params.Get("scope")
	if asked == "" {
		asked = withoutCustomer(c.Scope)
	}
	scopes, err := oauth.ParseScope(asked)
	scope := strings.Join(scopes, " ")
	switch {
	case err != nil:
		return tokenResponse{}, err
	case !c.MayAsk(scopes):
		return tokenResponse{}, oauth.Refuse(oauth.InvalidScope, "RFC 6749 §3.3", "scope goes beyond what the client registered")
	case slices.Contains(scopes, "openid"):
		return tokenResponse{}, oauth.Refuse(oauth.InvalidScope, "OIDC-Core §3", "openid needs a customer")
	case params.Get("authorization_details") != "":
		return tokenResponse{}, oauth.Refuse(oauth.InvalidAuthorizationDetails, "RFC 9396 §6", "account_information needs a customer's consent")
	}
	aud, err := audience(v.Tenant, resources(params))
	if err != nil {
		return tokenResponse{}, err
	}
	in, err := s.prepare(ctx, v.moment(), c, token.Issued{Scope: scope, Audience: aud, Confirmation: bound}, nil)
	if err != nil {
		return tokenResponse{}, err
	}
	draft := s.draft(in)
	draft.Once = c.Once
	if _, err := s.Journal.Commit(ctx, c.Meta, draft); err != nil {
		return tokenResponse{}, err
	}
	access, err := s.write(ctx, v.moment(), c, in)
	return tokenResponse{
		AccessToken: access, TokenType: tokenType(bound), Scope: scope, ExpiresIn: seconds(v.Tenant.Settings.AccessTokenLifetime),
	}, err
}

// withoutCustomer drops the scopes that make sense only for a customer.
func withoutCustomer(scope string) string {
	kept := slices.DeleteFunc(strings.Fields(scope), func(v string) bool {
		return slices.Contains([]string{"openid", "profile", "email", "phone", "address", "offline_access"}, v)
	})
	return strings.Join(kept, " ")
}
