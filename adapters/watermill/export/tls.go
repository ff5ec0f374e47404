package export

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// TLS says how a broker is recognized and how it recognizes us.
type TLS struct {
	On        bool
	CA        string // file of authorities; "" for the system's
	Cert, Key string // files of a client certificate; "" for none
}

// config is nil without TLS.
func (t TLS) config() (*tls.Config, error) {
	if !t.On {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, err
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", t.CA)
		}
	}
	if t.Cert != "" {
		own, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}
