// Package mtls answers who is at the other end of a mutual-TLS connection
// (RFC 8705). It returns facts about the certificate that a client presented;
// whether that is the certificate the client registered is decided in the
// domain.
//
// The TLS listener asks for a certificate and judges nothing, because
// self-signed certificates are as welcome as issued ones.
package mtls

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Why a presented certificate is not even looked at.
var (
	ErrChainTooLong = errors.New("more certificates than are looked at")
	ErrMalformed    = errors.New("not a well-formed certificate")
	ErrWeakKey      = errors.New("the key of the certificate is too weak")
)

const minRSA = 2048 // FAPI2-SP §5.4.1-2

const (
	maxChain      = 10
	maxChainBytes = 32 << 10
	rememberedFor = 4096    // certificates: one request in hundreds is from a new one
	modest        = 4 << 10 // bytes of a stranger's chain that is remembered
)

// Trust are the certification authorities whose certificates make a client's
// names count (RFC 8705, Section 2.1). It is safe for concurrent use and never
// changes: other authorities are another Trust.
type Trust struct {
	roots *x509.CertPool
	seen  *lru.Cache[[sha256.Size]byte, judged]
}

// judged is what is known of a chain, and when its signatures count.
type judged struct {
	facts    oauth.Certificate // without the chain
	from, to time.Time         // the zero range if it leads to no authority
}

// NewTrust returns the Trust in these authorities. Without any, no certificate
// is trusted; the system's authorities never are.
func NewTrust(roots *x509.CertPool) *Trust {
	seen, err := lru.New[[sha256.Size]byte, judged](rememberedFor)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &Trust{roots, seen}
}

// Certificate returns the facts about the certificate that came with r, in the
// TLS handshake or, from a trusted proxy, in a header (see [TrustedHeader]). It
// returns nil if none came.
func (t *Trust) Certificate(r *http.Request, now time.Time) (*oauth.Certificate, error) {
	if proxy, ok := r.Context().Value(forwardedKey{}).(forwarded); ok {
		if proxy.err != nil {
			return nil, proxy.err
		}
		return t.Facts(proxy.certs, now)
	}
	if r.TLS == nil {
		return nil, nil
	}
	return t.Facts(r.TLS.PeerCertificates, now)
}

// Facts returns the facts about a chain, leaf first, or nil for an empty one.
// The caller proves that the peer holds the leaf's key.
func (t *Trust) Facts(chain []*x509.Certificate, now time.Time) (*oauth.Certificate, error) {
	switch {
	case len(chain) == 0:
		return nil, nil
	case len(chain) > maxChain:
		return nil, fmt.Errorf("%w: %d", ErrChainTooLong, len(chain))
	case bytesOf(chain) > maxChainBytes:
		return nil, fmt.Errorf("%w: %d bytes", ErrChainTooLong, bytesOf(chain))
	}
	id := identity(chain)
	known, ok := t.seen.Get(id)
	if !ok {
		facts, err := describe(chain[0])
		if err != nil {
			return nil, err
		}
		known.facts = facts
	}
	if !known.valid(now) {
		known.from, known.to = t.verify(chain, now)
		if known.valid(now) || bytesOf(chain) <= modest {
			t.seen.Add(id, known)
		}
	}
	facts := known.facts
	facts.Trusted = known.valid(now)
	for _, cert := range chain {
		facts.Chain = append(facts.Chain, cert.Raw)
	}
	return &facts, nil
}

func bytesOf(chain []*x509.Certificate) (n int) {
	for _, cert := range chain {
		n += len(cert.Raw)
	}
	return n
}

func (j judged) valid(now time.Time) bool {
	return !j.to.IsZero() && !now.Before(j.from) && !now.After(j.to)
}

// verify returns the time during which every certificate of a verified chain
// is valid, or zero times if there is no chain at this time.
func (t *Trust) verify(chain []*x509.Certificate, now time.Time) (from, to time.Time) {
	if t.roots == nil { // x509 would take the system's
		return from, to
	}
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	verified, err := chain[0].Verify(x509.VerifyOptions{
		Roots:         t.roots,
		Intermediates: intermediates,
		CurrentTime:   now,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return from, to
	}
	from, to = chain[0].NotBefore, chain[0].NotAfter
	for _, cert := range verified[0][1:] {
		if cert.NotBefore.After(from) {
			from = cert.NotBefore
		}
		if cert.NotAfter.Before(to) {
			to = cert.NotAfter
		}
	}
	return from, to
}

func identity(chain []*x509.Certificate) (id [sha256.Size]byte) {
	h := sha256.New()
	for _, cert := range chain { // DER says its own length, so nothing need part them
		h.Write(cert.Raw)
	}
	h.Sum(id[:0])
	return id
}

func describe(leaf *x509.Certificate) (oauth.Certificate, error) {
	if key, is := leaf.PublicKey.(*rsa.PublicKey); is && key.N.BitLen() < minRSA {
		return oauth.Certificate{}, ErrWeakKey
	}
	subject, err := SubjectDN(leaf.RawSubject)
	if err != nil {
		return oauth.Certificate{}, err
	}
	kid, err := thumbprint(leaf.PublicKey)
	if err != nil {
		return oauth.Certificate{}, err
	}
	sum := sha256.Sum256(leaf.Raw)
	c := oauth.Certificate{
		Thumbprint: base64.RawURLEncoding.EncodeToString(sum[:]), // RFC 8705 §3.1
		Subject:    subject,
		DNS:        leaf.DNSNames,
		Emails:     leaf.EmailAddresses,
		NotBefore:  leaf.NotBefore,
		NotAfter:   leaf.NotAfter,
		KeyID:      kid,
	}
	for _, uri := range leaf.URIs {
		c.URIs = append(c.URIs, uri.String())
	}
	for _, ip := range leaf.IPAddresses {
		c.IPs = append(c.IPs, ip.String())
	}
	return c, nil
}
