package mtls

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// The headers in which a proxy that ends TLS passes on what the client
// presented (RFC 9440, Section 2).
const (
	clientCert      = "Client-Cert"
	clientCertChain = "Client-Cert-Chain"

	maxHeader = 32 << 10
)

// FromHeader returns the certificate in a Client-Cert header: one Byte
// Sequence of a DER certificate (RFC 9440, Section 2.2).
func FromHeader(value string) (*x509.Certificate, error) {
	value = strings.Trim(value, " \t")
	if len(value) > maxHeader || len(value) < 2 || value[0] != ':' || value[len(value)-1] != ':' {
		return nil, fmt.Errorf("%w: %s is not one byte sequence", ErrMalformed, clientCert)
	}
	der, err := base64.StdEncoding.Strict().DecodeString(value[1 : len(value)-1])
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not base64", ErrMalformed, clientCert)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return cert, nil
}

// TrustedHeader lets the proxies in the given networks speak for their
// clients: what they say in Client-Cert and Client-Cert-Chain replaces the
// certificate of the connection, which is the proxy's own. From anybody else
// these headers are forged; nobody behind TrustedHeader sees them (RFC 9440,
// Section 3).
func TrustedHeader(proxies []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaf, chain := r.Header.Values(clientCert), r.Header.Values(clientCertChain)
		r.Header.Del(clientCert)
		r.Header.Del(clientCertChain)
		if within(proxies, r.RemoteAddr) {
			certs, err := parseForwarded(leaf, chain)
			r = r.WithContext(context.WithValue(r.Context(), forwardedKey{}, forwarded{certs, err}))
		}
		next.ServeHTTP(w, r)
	})
}

type forwardedKey struct{}

// forwarded is what a trusted proxy says of its client: perhaps no
// certificate, perhaps nonsense.
type forwarded struct {
	certs []*x509.Certificate
	err   error
}

func parseForwarded(leaf, chain []string) ([]*x509.Certificate, error) {
	if len(leaf) == 0 {
		return nil, nil
	}
	if len(leaf) > 1 { // RFC 9440 §2.2
		return nil, fmt.Errorf("%w: %s occurs twice", ErrMalformed, clientCert)
	}
	members := slices.Clone(leaf)
	if len(chain) > 0 {
		members = append(members, strings.Split(strings.Join(chain, ","), ",")...)
	}
	if len(members) > maxChain {
		return nil, ErrChainTooLong
	}
	certs := make([]*x509.Certificate, 0, len(members))
	for _, member := range members {
		cert, err := FromHeader(member)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

func within(networks []netip.Prefix, remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, network := range networks {
		if network.Contains(peer.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
