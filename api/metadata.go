package api

import (
	"net/http"
)

// metadata serves the issuer's metadata, the same document in three places
// (RFC 8414, Section 3; OIDC-Discovery, Section 4).
func (s *Server) metadata(v *visit) error {
	signing, err := s.signing(v.Request().Context(), v.Tenant)
	if err != nil {
		return err
	}
	v.Response().Header().Set("Cache-Control", "public, max-age=300")
	return v.JSON(http.StatusOK, s.describeTenant(v.Tenant, signing))
}

// describeTenant says what the tenant's profile, settings and keys allow, so
// that nothing is advertised that is not enforced.
func (s *Server) describeTenant(t Tenant, signing []string) issuerMetadata {
	p := t.Profile
	m := issuerMetadata{
		Issuer: t.URL, Authorize: t.URL + "/authorize", EndSession: t.URL + "/logout", JWKS: t.URL + "/jwks",
		endpoints:     endpointsAt(t.URL, t),
		ResponseTypes: p.ResponseTypes.Of, ResponseModes: []string{"query"}, GrantTypes: p.GrantTypes.Of,
		SubjectTypes: []string{"public", "pairwise"}, Scopes: t.Settings.Scopes, Claims: supportedClaims, ClaimTypes: []string{"normal"},
		ACRs: t.acrs(), Prompts: []string{"none", "login", "consent", "select_account"},
		IDTokenAlgs: signing, PKCE: p.PKCE.Of,
		ClientAuth: p.ClientAuth.Of, ClientAuthAlgs: p.SigningAlgs.Of,
		RevocationAuth: p.ClientAuth.Of, RevocationAlgs: p.SigningAlgs.Of,
		IntrospectionAuth: p.ClientAuth.Of, IntrospectionAlgs: p.SigningAlgs.Of,
		DPoPAlgs: p.SigningAlgs.Of, RequirePAR: p.PushedOnly.Demanded, Iss: p.IssParameter.Demanded,
		TLSBound: p.SenderBinding.Permits("mtls") && t.MTLS != "", ClaimsParameter: true,
	}
	if !p.SenderBinding.Permits("dpop") {
		m.DPoPAlgs = nil
	}
	if t.Settings.Accounts {
		m.DetailTypes = []string{"account_information"}
	}
	if t.backchannel() {
		m.backchannelMetadata = describeBackchannel(t)
	}
	if t.MTLS != "" {
		aliases := endpointsAt(t.MTLS, t)
		m.Aliases = &aliases
	}
	return m
}

// supportedClaims are those a customer's record may hold.
var supportedClaims = []string{
	"sub", "iss", "auth_time", "acr", "name", "given_name", "family_name", "birthdate", "email", "email_verified", "phone_number",
}

// endpoints are those that answer on the mutual-TLS listener too (RFC 8705,
// Section 5).
type endpoints struct {
	Token         string `json:"token_endpoint"`
	PAR           string `json:"pushed_authorization_request_endpoint"`
	Userinfo      string `json:"userinfo_endpoint"`
	Introspection string `json:"introspection_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
	Registration  string `json:"registration_endpoint,omitempty"`
	Backchannel   string `json:"backchannel_authentication_endpoint,omitempty"` // CIBA §4
}

func endpointsAt(base string, t Tenant) endpoints {
	e := endpoints{base + "/token", base + "/par", base + "/userinfo", base + "/introspect", base + "/revoke", "", ""}
	if t.Settings.Registration {
		e.Registration = base + "/register"
	}
	if t.backchannel() {
		e.Backchannel = base + "/bc-authorize"
	}
	return e
}

// backchannelMetadata is CIBA, Section 4 with FAPI-CIBA-ID1, Section 7.
type backchannelMetadata struct {
	DeliveryModes  []string `json:"backchannel_token_delivery_modes_supported,omitempty"`
	RequestAlgs    []string `json:"backchannel_authentication_request_signing_alg_values_supported,omitempty"`
	UserCodes      bool     `json:"backchannel_user_code_parameter_supported,omitempty"`
	HintTokenTypes []string `json:"backchannel_endpoint_login_hint_token_types_supported,omitempty"`
}

func describeBackchannel(t Tenant) backchannelMetadata {
	m := backchannelMetadata{DeliveryModes: t.Profile.DeliveryModes.Of, RequestAlgs: t.Profile.SigningAlgs.Of, UserCodes: t.Settings.UserCodes}
	if len(t.Settings.HintIssuers) > 0 {
		m.HintTokenTypes = []string{"jwt"}
	}
	return m
}

// issuerMetadata is RFC 8414, Section 2 with the registered members of its
// extensions.
type issuerMetadata struct {
	Issuer    string `json:"issuer"`
	Authorize string `json:"authorization_endpoint"`
	endpoints
	backchannelMetadata
	EndSession        string     `json:"end_session_endpoint"`
	JWKS              string     `json:"jwks_uri"`
	Aliases           *endpoints `json:"mtls_endpoint_aliases,omitempty"`
	ResponseTypes     []string   `json:"response_types_supported"`
	ResponseModes     []string   `json:"response_modes_supported"`
	GrantTypes        []string   `json:"grant_types_supported"`
	SubjectTypes      []string   `json:"subject_types_supported"`
	Scopes            []string   `json:"scopes_supported"`
	Claims            []string   `json:"claims_supported"`
	ClaimTypes        []string   `json:"claim_types_supported"`
	ACRs              []string   `json:"acr_values_supported"`
	Prompts           []string   `json:"prompt_values_supported"`
	IDTokenAlgs       []string   `json:"id_token_signing_alg_values_supported"`
	PKCE              []string   `json:"code_challenge_methods_supported"`
	ClientAuth        []string   `json:"token_endpoint_auth_methods_supported"`
	ClientAuthAlgs    []string   `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationAuth    []string   `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgs    []string   `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuth []string   `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAlgs []string   `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	DPoPAlgs          []string   `json:"dpop_signing_alg_values_supported,omitempty"`
	DetailTypes       []string   `json:"authorization_details_types_supported,omitempty"`
	RequirePAR        bool       `json:"require_pushed_authorization_requests"`
	Iss               bool       `json:"authorization_response_iss_parameter_supported"`
	TLSBound          bool       `json:"tls_client_certificate_bound_access_tokens"`
	ClaimsParameter   bool       `json:"claims_parameter_supported"`
	RequestParameter  bool       `json:"request_parameter_supported"`
	RequestURI        bool       `json:"request_uri_parameter_supported"`
}
