package oauth

import (
	"net/url"
	"slices"
	"strings"
)

// Pairwise is the subject_type of a client that knows customers by names of its
// sector (OIDC-Core, Section 8.1).
const Pairwise = "pairwise"

// Sector returns the host whose clients know a customer by the same pairwise
// name: that of the sector_identifier_uri, or else the one host of everything
// in [ClientMetadata.SectorURIs].
func (m ClientMetadata) Sector() string {
	uris := m.SectorURIs()
	if m.SectorIdentifierURI != "" {
		uris = []string{m.SectorIdentifierURI}
	}
	if len(uris) == 0 {
		return ""
	}
	u, err := url.Parse(uris[0])
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// SectorURIs are the addresses that tie a client to its sector: where browsers
// return to, the keys of a client that polls or is pinged, and where tokens are
// pushed to (CIBA, Section 4).
func (m ClientMetadata) SectorURIs() []string {
	uris := slices.Clone(m.RedirectURIs)
	switch m.DeliveryMode {
	case Poll, Ping:
		uris = append(uris, m.JWKSURI)
	case Push:
		uris = append(uris, m.NotificationEndpoint)
	}
	return uris
}

// ProvesSector returns why a client may not ask by backchannel, or nil. A
// pairwise client proves with its request that the keys that tie it to its
// sector are its own, and a certificate of an authority says nothing of those
// (CIBA, Section 4).
func (c Client) ProvesSector(signed bool) error {
	proven := signed || c.TokenEndpointAuthMethod == "private_key_jwt" || c.TokenEndpointAuthMethod == "self_signed_tls_client_auth"
	return refusal(c.SubjectType == Pairwise && !proven, InvalidRequest, "CIBA §4", "a pairwise client must sign the request, or authenticate with a key in its JWK set")
}

// subjects checks subject_type and that a pairwise client has one sector
// (OIDC-Registration, Section 5; CIBA, Section 4).
func (m ClientMetadata) subjects() error {
	code := InvalidClientMetadata
	if m.SubjectType != Pairwise {
		return first(
			refusal(m.SubjectType != "" && m.SubjectType != "public", code, "OIDC-Registration §2", "subject_type must be public or pairwise"),
			refusal(m.SectorIdentifierURI != "" && !sectorURI(m.SectorIdentifierURI), code, "OIDC-Registration §5", "sector_identifier_uri must be an https URI"),
		)
	}
	polls := m.DeliveryMode == Poll || m.DeliveryMode == Ping
	return first(
		refusal(m.ResourceServer(), code, "OIDC-Registration §2", "a resource server knows customers by the names that tokens have"),
		refusal(m.SectorIdentifierURI != "" && !sectorURI(m.SectorIdentifierURI), code, "OIDC-Registration §5", "sector_identifier_uri must be an https URI"),
		refusal(polls && m.JWKSURI == "", code, "CIBA §4", "a pairwise client that polls or is pinged needs a jwks_uri"),
		refusal(m.SectorIdentifierURI == "" && !m.oneSector(), code, "OIDC-Registration §5", "a pairwise client whose addresses have several hosts needs a sector_identifier_uri"),
	)
}

// CheckSector returns why a client is not of its sector, or nil: what its
// sector_identifier_uri lists must hold all that ties it to one
// (OIDC-Registration, Section 5; CIBA, Section 4).
func (m ClientMetadata) CheckSector(listed []string) error {
	for _, uri := range m.SectorURIs() {
		if !slices.Contains(listed, uri) {
			return Refuse(InvalidClientMetadata, "OIDC-Registration §5", "sector_identifier_uri does not list every address of the client")
		}
	}
	return nil
}

func sectorURI(raw string) bool { return absoluteHTTPS(raw) && len(raw) <= maxURI }

// oneSector reports whether all that ties the client to a sector has one host,
// and one that is somebody's: not that of every device.
func (m ClientMetadata) oneSector() bool {
	sector := m.Sector()
	for _, raw := range m.SectorURIs() {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Hostname(), sector) {
			return false
		}
	}
	return sector != ""
}
