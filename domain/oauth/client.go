package oauth

import (
	"encoding/json"
	"slices"
	"strings"
)

// ClientMetadata is what a client registers (RFC 7591, Section 2, and its
// extensions). Names are the registered ones; the last two are this server's.
type ClientMetadata struct {
	RedirectURIs            []string        `json:"redirect_uris,omitempty"`
	TokenEndpointAuthMethod string          `json:"token_endpoint_auth_method,omitempty"`
	TokenEndpointAuthAlg    string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	GrantTypes              []string        `json:"grant_types,omitempty"`
	ResponseTypes           []string        `json:"response_types,omitempty"`
	ClientName              string          `json:"client_name,omitempty"`
	ClientURI               string          `json:"client_uri,omitempty"`
	LogoURI                 string          `json:"logo_uri,omitempty"`
	PolicyURI               string          `json:"policy_uri,omitempty"`
	TosURI                  string          `json:"tos_uri,omitempty"`
	Contacts                []string        `json:"contacts,omitempty"`
	Scope                   string          `json:"scope,omitempty"`
	JWKS                    json.RawMessage `json:"jwks,omitempty"`
	JWKSURI                 string          `json:"jwks_uri,omitempty"`
	SoftwareID              string          `json:"software_id,omitempty"`
	SoftwareVersion         string          `json:"software_version,omitempty"`
	SoftwareStatement       string          `json:"software_statement,omitempty"`
	ApplicationType         string          `json:"application_type,omitempty"`
	SubjectType             string          `json:"subject_type,omitempty"`
	IDTokenAlg              string          `json:"id_token_signed_response_alg,omitempty"`
	DefaultMaxAge           *int            `json:"default_max_age,omitempty"`
	RequireAuthTime         bool            `json:"require_auth_time,omitempty"`

	TLSSubjectDN   string `json:"tls_client_auth_subject_dn,omitempty"` // RFC 8705, Section 2.1.2
	TLSSANDNS      string `json:"tls_client_auth_san_dns,omitempty"`
	TLSSANURI      string `json:"tls_client_auth_san_uri,omitempty"`
	TLSSANIP       string `json:"tls_client_auth_san_ip,omitempty"`
	TLSSANEmail    string `json:"tls_client_auth_san_email,omitempty"`
	TLSBoundTokens bool   `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	TLSAliases     bool   `json:"use_mtls_endpoint_aliases,omitempty"`

	DPoPBoundTokens bool     `json:"dpop_bound_access_tokens,omitempty"`              // RFC 9449, Section 5.2
	RequirePAR      bool     `json:"require_pushed_authorization_requests,omitempty"` // RFC 9126, Section 6
	DetailTypes     []string `json:"authorization_details_types,omitempty"`           // RFC 9396, Section 10

	DeliveryMode         string   `json:"backchannel_token_delivery_mode,omitempty"`                // CIBA, Section 4
	NotificationEndpoint string   `json:"backchannel_client_notification_endpoint,omitempty"`       // of ping and push
	RequestAlg           string   `json:"backchannel_authentication_request_signing_alg,omitempty"` // if it signs its requests
	UserCodes            bool     `json:"backchannel_user_code_parameter,omitempty"`
	HintTokenTypes       []string `json:"backchannel_endpoint_login_hint_token_types,omitempty"` // FAPI-CIBA-ID1, Section 7
	SectorIdentifierURI  string   `json:"sector_identifier_uri,omitempty"`                       // OIDC-Registration, Section 5

	EventEndpoint string `json:"event_delivery_endpoint,omitempty"` // gets security event tokens about consents, RFC 8935

	AccessTokenFormat string   `json:"access_token_format,omitempty"` // "jwt" (default) or "opaque"
	Resources         []string `json:"resources,omitempty"`           // makes the client a resource server
}

// ResourceServer reports whether the client may introspect tokens meant for
// its resources, and do nothing else.
func (m ClientMetadata) ResourceServer() bool { return len(m.Resources) > 0 }

// Grants reports whether the client registered a grant type.
func (m ClientMetadata) Grants(grant string) bool { return slices.Contains(m.GrantTypes, grant) }

// Defaults fills in what RFC 7591, Section 2 says of absent members, as far as
// a profile leaves them any choice.
func (m ClientMetadata) Defaults(p Profile) ClientMetadata {
	if len(m.GrantTypes) == 0 && !m.ResourceServer() {
		m.GrantTypes = []string{"authorization_code"}
	}
	if len(m.ResponseTypes) == 0 && m.Grants("authorization_code") {
		m.ResponseTypes = []string{"code"}
	}
	if string(m.JWKS) == "null" {
		m.JWKS = nil
	}
	if m.IDTokenAlg == "" {
		m.IDTokenAlg = "RS256" // OIDC-Registration §2
		if p.SigningAlgs.Demanded() {
			m.IDTokenAlg = p.SigningAlgs.Of[0]
		}
	}
	if m.AccessTokenFormat == "" {
		m.AccessTokenFormat = "jwt"
	}
	if !m.DPoPBoundTokens && !m.TLSBoundTokens && p.SenderBinding.Demanded() && !m.ResourceServer() {
		tls := strings.HasSuffix(m.TokenEndpointAuthMethod, "tls_client_auth")
		m.TLSBoundTokens = p.SenderBinding.Permits("mtls") && (tls || !p.SenderBinding.Permits("dpop"))
		m.DPoPBoundTokens = !m.TLSBoundTokens
	}
	return m
}

// A Client is a registered client as far as request rules need to know it.
type Client struct {
	ID string
	ClientMetadata
}

// MayAsk reports whether a client registered every one of scopes.
func (c Client) MayAsk(scopes []string) bool {
	registered := strings.Fields(c.Scope)
	return !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(registered, s) })
}
