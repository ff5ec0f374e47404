package oauth

import (
	"net/netip"
	"slices"
	"strings"
)

// CheckCertificate returns why a certificate does not authenticate a client by
// its registered method (RFC 8705, Section 2). registered holds the x5t#S256
// thumbprints of the certificates in the client's JWK set.
func CheckCertificate(cert *Certificate, m ClientMetadata, registered []string, j Judging) error {
	bad := func(broken bool, by Clause, description string) error {
		return refusal(broken, InvalidClient, by, description)
	}
	if cert == nil {
		return Refuse(InvalidClient, "RFC 8705 §2", "a client certificate is required on the mutual-TLS endpoint")
	}
	if m.TokenEndpointAuthMethod == "self_signed_tls_client_auth" {
		return first(
			bad(!slices.Contains(registered, cert.Thumbprint), "RFC 8705 §2.2", "the certificate is not in the client's JWK set"),
			bad(j.Now.Before(cert.NotBefore) || j.Now.After(cert.NotAfter), "RFC 8705 §2.2", "the certificate is not valid now"),
		)
	}
	return first(
		bad(!cert.Trusted, "RFC 8705 §2.1", "the certificate does not lead to a trusted authority"),
		bad(!m.names(cert), "RFC 8705 §2.1.2", "the certificate does not carry the registered subject"),
	)
}

func (m ClientMetadata) names(c *Certificate) bool {
	switch {
	case m.TLSSubjectDN != "":
		return m.TLSSubjectDN == c.Subject
	case m.TLSSANDNS != "":
		return slices.ContainsFunc(c.DNS, func(d string) bool { return strings.EqualFold(d, m.TLSSANDNS) })
	case m.TLSSANURI != "":
		return slices.Contains(c.URIs, m.TLSSANURI)
	case m.TLSSANIP != "":
		return slices.ContainsFunc(c.IPs, func(ip string) bool { return sameIP(ip, m.TLSSANIP) })
	case m.TLSSANEmail != "":
		return slices.Contains(c.Emails, m.TLSSANEmail)
	}
	return false
}

// sameIP compares addresses, not their spellings (RFC 5952, Section 8).
func sameIP(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x == y
}

func validIP(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Zone() == ""
}
