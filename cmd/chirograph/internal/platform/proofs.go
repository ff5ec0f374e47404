package platform

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/domain/oauth"
)

// proofs implements [api.Proofs].
type proofs struct{}

func (proofs) Proof(compact string) (oauth.Proof, error) { return jose.VerifyProof(compact) }
func (proofs) SameURI(a, b string) bool                  { return jose.SameURI(a, b) }

// certificates implements [api.Certificates].
type certificates struct {
	trust *mtls.Trust
	now   func() time.Time
}

func (c certificates) Certificate(r *http.Request) (*oauth.Certificate, error) {
	return c.trust.Certificate(r, c.now())
}

// pool reads a PEM file of authorities; none if file is empty.
func pool(file string) (*x509.CertPool, error) {
	p := x509.NewCertPool()
	return p, addTo(p, file)
}

// systemPool is the system's authorities with those of a file.
func systemPool(file string) (*x509.CertPool, error) {
	p, err := x509.SystemCertPool()
	if err != nil {
		p = x509.NewCertPool()
	}
	return p, addTo(p, file)
}

func addTo(p *x509.CertPool, file string) error {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	certs, err := mtls.DecodeCertificates(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, c := range certs {
		p.AddCert(c)
	}
	return nil
}
