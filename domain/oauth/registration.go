package oauth

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// CheckClient returns the first reason why a client may not be registered with
// an issuer of profile p (RFC 7591, Section 2), or nil. The contents of jwks
// are checked where keys are parsed.
func (p Profile) CheckClient(m ClientMetadata, s Server) error {
	code := InvalidClientMetadata
	return first(
		refusal(m.TokenEndpointAuthMethod == "none" && p.ConfidentialClients.Demanded, code, p.ConfidentialClients.By, "public clients are not permitted"),
		p.ClientAuth.check("token_endpoint_auth_method", m.TokenEndpointAuthMethod, code),
		m.grants(p),
		m.redirectURIs(p),
		m.keys(),
		m.tls(),
		m.binding(p),
		m.algorithms(p),
		m.backchannel(p, s),
		m.authentication(),
		m.texts(),
		refusal(m.AccessTokenFormat != "" && m.AccessTokenFormat != "jwt" && m.AccessTokenFormat != "opaque", code, "RFC 7591 §2", "access_token_format must be jwt or opaque"),
		m.subjects(),
		refusal(slices.ContainsFunc(m.DetailTypes, func(t string) bool { return t != AccountInformation }), code, "RFC 9396 §10", "authorization_details_types has an unknown type"),
		refusal(slices.ContainsFunc(strings.Fields(m.Scope), func(v string) bool { return !slices.Contains(s.Scopes, v) }), code, "RFC 7591 §2", "scope has a value that this issuer does not know"),
		refusal(!within(m.Resources, s.Resources), code, "RFC 8707 §2", "resources has a value that is not one of this issuer's"),
		refusal(m.ResourceServer() && len(m.RedirectURIs) > 0, code, "RFC 7662 §4", "a resource server has no redirect_uris"),
		refusal(m.ResourceServer() && len(m.GrantTypes) > 0, code, "RFC 7662 §4", "a resource server has no grant_types"),
	)
}

func (m ClientMetadata) grants(p Profile) error {
	code := InvalidClientMetadata
	return first(
		p.GrantTypes.checkAll("grant_types", m.GrantTypes, code),
		p.ResponseTypes.checkAll("response_types", m.ResponseTypes, code),
		refusal(len(m.ResponseTypes) > 0 && !m.Grants("authorization_code"), code, "RFC 7591 §2.1", "response_types needs the grant type authorization_code"),
		refusal(m.Grants("refresh_token") && !m.Grants("authorization_code") && !m.Grants(GrantCIBA) && m.DeliveryMode != Push, code, "RFC 7591 §2.1", "refresh_token needs the grant type authorization_code or that of CIBA"),
	)
}

const (
	maxRedirectURIs = 32
	maxName         = 512 // of a certificate, in bytes
)

func (m ClientMetadata) redirectURIs(p Profile) error {
	if m.Grants("authorization_code") && len(m.RedirectURIs) == 0 {
		return Refuse(InvalidRedirectURI, "RFC 7591 §2", "redirect_uris is required")
	}
	for _, raw := range m.RedirectURIs {
		u, err := url.Parse(raw)
		switch {
		case err != nil, !u.IsAbs(), u.User != nil, len(raw) > maxURI, strings.Contains(raw, "#"), !uriCharacters(raw):
			return Refuse(InvalidRedirectURI, "RFC 6749 §3.1.2", "a redirect URI must be absolute and have no fragment")
		case u.Scheme == "http" && p.SecureRedirect.Demanded && !(m.ApplicationType == "native" && loopback(u)):
			return Refuse(InvalidRedirectURI, p.SecureRedirect.By, "a redirect URI must use https, save loopback addresses of native clients")
		case u.Scheme != "https" && u.Scheme != "http" && (m.ApplicationType != "native" || !strings.Contains(u.Scheme, ".")):
			return Refuse(InvalidRedirectURI, "RFC 8252 §7.1", "a private-use scheme must be a reversed domain name of a native client")
		case (u.Scheme == "https" || u.Scheme == "http") && !plainHost(u):
			return Refuse(InvalidRedirectURI, "RFC 6749 §3.1.2", "a redirect URI must have a host name or address")
		}
	}
	return refusal(len(m.RedirectURIs) > maxRedirectURIs, InvalidRedirectURI, "RFC 7591 §2", "too many redirect_uris")
}

func (m ClientMetadata) keys() error {
	code := InvalidClientMetadata
	needs := m.TokenEndpointAuthMethod == "private_key_jwt" || m.TokenEndpointAuthMethod == "self_signed_tls_client_auth" || m.RequestAlg != ""
	return first(
		refusal(len(m.JWKS) > 0 && m.JWKSURI != "", code, "RFC 7591 §2", "jwks and jwks_uri exclude each other"),
		refusal(needs && len(m.JWKS) == 0 && m.JWKSURI == "", code, "RFC 7591 §2", "jwks or jwks_uri is required by a client that signs or has its own certificates"),
		refusal(m.JWKSURI != "" && (!absoluteHTTPS(m.JWKSURI) || len(m.JWKSURI) > maxURI), code, "FAPI2-SP §5.4.2-2.1", "jwks_uri must be an https URI"),
		refusal(len(m.JWKS) > 0 && !jsonObject(m.JWKS), code, "RFC 7517 §5", "jwks must be a JWK set of at most 64 KiB"),
	)
}

func jsonObject(raw json.RawMessage) bool {
	return len(raw) <= 64<<10 && json.Valid(raw) && bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{"))
}

func (m ClientMetadata) tls() error {
	code, names, odd := InvalidClientMetadata, 0, false
	for _, v := range []string{m.TLSSubjectDN, m.TLSSANDNS, m.TLSSANURI, m.TLSSANIP, m.TLSSANEmail} {
		if v != "" {
			names++
		}
		odd = odd || len(v) > maxName || !printable(v)
	}
	pki := m.TokenEndpointAuthMethod == "tls_client_auth"
	return first(
		refusal(pki && names != 1, code, "RFC 8705 §2.1.2", "tls_client_auth needs exactly one subject value"),
		refusal(!pki && names > 0, code, "RFC 8705 §2.1.2", "subject values belong to tls_client_auth only"),
		refusal(odd, code, "RFC 8705 §2.1.2", "a subject value must be at most 512 printable characters without markup"),
		refusal(m.TLSSANIP != "" && !validIP(m.TLSSANIP), code, "RFC 8705 §2.1.2", "tls_client_auth_san_ip is not an IP address"),
	)
}

func (m ClientMetadata) binding(p Profile) error {
	if !p.SenderBinding.Demanded() || m.ResourceServer() {
		return nil
	}
	none := !m.DPoPBoundTokens && !m.TLSBoundTokens
	other := m.DPoPBoundTokens && !p.SenderBinding.Permits("dpop") || m.TLSBoundTokens && !p.SenderBinding.Permits("mtls")
	return first(
		refusal(other, InvalidClientMetadata, p.SenderBinding.By, "access tokens must be bound by "+strings.Join(p.SenderBinding.Of, " or ")),
		refusal(none, InvalidClientMetadata, p.SenderBinding.By, "access tokens must be bound by DPoP or mutual TLS"),
		refusal(m.DPoPBoundTokens && m.TLSBoundTokens, InvalidClientMetadata, p.SenderBinding.By, "access tokens are bound by DPoP or by mutual TLS, not both"),
	)
}

func (m ClientMetadata) algorithms(p Profile) error {
	check := func(name, alg string) error {
		if alg == "" {
			return nil
		}
		return p.SigningAlgs.check(name, alg, InvalidClientMetadata)
	}
	return first(
		check("token_endpoint_auth_signing_alg", m.TokenEndpointAuthAlg),
		check("id_token_signed_response_alg", m.IDTokenAlg),
		check("backchannel_authentication_request_signing_alg", m.RequestAlg),
	)
}

func (m ClientMetadata) authentication() error {
	code := InvalidClientMetadata
	return first(
		refusal(m.DefaultMaxAge != nil && (*m.DefaultMaxAge < 0 || *m.DefaultMaxAge > maxSeconds), code, "OIDC-Registration §2", "default_max_age must be a number of seconds"),
		refusal(m.ApplicationType != "" && m.ApplicationType != "web" && m.ApplicationType != "native", code, "OIDC-Registration §2", "application_type must be web or native"),
	)
}

func (m ClientMetadata) texts() error {
	code := InvalidClientMetadata
	for _, text := range [][2]string{{"client_name", m.ClientName}, {"software_id", m.SoftwareID}, {"software_version", m.SoftwareVersion}} {
		if name, v := text[0], text[1]; len(v) > 128 || !printable(v) {
			return Refuse(code, "RFC 7591 §5", name+" must be at most 128 printable characters without markup or direction marks")
		}
	}
	for _, uri := range [][2]string{{"client_uri", m.ClientURI}, {"logo_uri", m.LogoURI}, {"policy_uri", m.PolicyURI}, {"tos_uri", m.TosURI}} {
		if name, v := uri[0], uri[1]; v != "" && (!absoluteHTTPS(v) || len(v) > maxURI) {
			return Refuse(code, "RFC 7591 §2", name+" must be an https URI")
		}
	}
	if m.ClientName != "" && !legible(m.ClientName) {
		return Refuse(code, "RFC 7591 §5", "client_name must have something to see, and not many marks on one character")
	}
	bad := slices.ContainsFunc(m.Contacts, func(c string) bool { return len(c) > 254 || !printable(c) })
	return refusal(bad || len(m.Contacts) > 16, code, "RFC 7591 §2", "contacts must be at most 16 printable addresses")
}
