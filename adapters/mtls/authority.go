package mtls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// DevelopmentAuthority begins the name of every [Authority].
const DevelopmentAuthority = "Chirograph development authority"

// An Authority is the certification authority of one developer's machine. It
// is constrained to loopback names, so whoever steals its key can impersonate
// nobody else.
type Authority struct {
	Certificate *x509.Certificate
	key         crypto.Signer
}

const (
	authorityLife = 2 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	backdated     = time.Hour // clocks of clients may be behind
	serverKeyBits = 2048
)

// NewAuthority makes an authority for localhost, 127.0.0.1 and ::1.
func NewAuthority(now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:                serial(),
		Subject:                     pkix.Name{CommonName: DevelopmentAuthority + ", " + now.UTC().Format(time.DateOnly)},
		NotBefore:                   now.Add(-backdated),
		NotAfter:                    now.Add(authorityLife),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges:           []*net.IPNet{only("127.0.0.1"), only("::1")},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{cert, key}, err
}

// Pool returns the authority as the only root.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

// IssueServer makes a server certificate for localhost, 127.0.0.1 and ::1, with
// an RSA key because of [ServerConfig].
func (a *Authority) IssueServer(now time.Time) (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, serverKeyBits)
	if err != nil {
		return tls.Certificate{}, err
	}
	return a.issue(now, key, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP("::1")},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// Names are what a client certificate is for. DNS names and addresses must be
// loopback ones.
type Names struct {
	Subject pkix.Name
	DNS     []string
	URIs    []*url.URL
	IPs     []net.IP
	Emails  []string
}

// IssueClient makes a client certificate with an ECDSA key.
func (a *Authority) IssueClient(now time.Time, names Names) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	return a.issue(now, key, clientTemplate(names))
}

// SelfSigned makes a client certificate that no authority vouches for, as
// self_signed_tls_client_auth uses (RFC 8705, Section 2.2).
func SelfSigned(now time.Time, names Names) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := clientTemplate(names)
	return sign(now, template, template, key, key)
}

func clientTemplate(names Names) *x509.Certificate {
	return &x509.Certificate{
		Subject:        names.Subject,
		DNSNames:       names.DNS,
		URIs:           names.URIs,
		IPAddresses:    names.IPs,
		EmailAddresses: names.Emails,
		KeyUsage:       x509.KeyUsageDigitalSignature,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func (a *Authority) issue(now time.Time, key crypto.Signer, template *x509.Certificate) (tls.Certificate, error) {
	return sign(now, template, a.Certificate, key, a.key)
}

func sign(now time.Time, template, parent *x509.Certificate, key, by crypto.Signer) (tls.Certificate, error) {
	template.SerialNumber = serial()
	template.NotBefore, template.NotAfter = now.Add(-backdated), now.Add(leafLife)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

func only(ip string) *net.IPNet {
	address := net.ParseIP(ip)
	if four := address.To4(); four != nil {
		address = four
	}
	return &net.IPNet{IP: address, Mask: net.CIDRMask(8*len(address), 8*len(address))}
}

// serial returns 127 random bits: RFC 5280 §4.1.2.2 wants positive numbers of
// at most 20 bytes.
func serial() *big.Int {
	var bits [16]byte
	rand.Read(bits[:])
	bits[0] &= 0x7f
	bits[15] |= 1
	return new(big.Int).SetBytes(bits[:])
}
