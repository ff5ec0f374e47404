package mtls

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

const (
	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY" // PKCS #8
)

// Encode returns a certificate, with its chain, and its key as two PEM files.
func Encode(cert tls.Certificate) (certPEM, keyPEM []byte, err error) {
	var chain bytes.Buffer
	for _, der := range cert.Certificate {
		if err := pem.Encode(&chain, &pem.Block{Type: pemCertificate, Bytes: der}); err != nil {
			return nil, nil, err
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("encode private key: %w", err)
	}
	return chain.Bytes(), pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), nil
}

// Decode reads what [Encode] wrote.
func Decode(certPEM, keyPEM []byte) (tls.Certificate, error) {
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read certificate and key: %w", err)
	}
	return cert, nil
}

// Encode returns the authority's certificate and key as two PEM files.
func (a *Authority) Encode() (certPEM, keyPEM []byte, err error) {
	return Encode(tls.Certificate{Certificate: [][]byte{a.Certificate.Raw}, PrivateKey: a.key})
}

// DecodeAuthority reads what [Authority.Encode] wrote.
func DecodeAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	cert, err := Decode(certPEM, keyPEM)
	if err != nil {
		return nil, err
	}
	key, ok := cert.PrivateKey.(crypto.Signer)
	if !ok || !cert.Leaf.IsCA {
		return nil, fmt.Errorf("%w: not a certification authority", ErrMalformed)
	}
	return &Authority{cert.Leaf, key}, nil
}

// DecodeCertificates reads all certificates of a PEM file, such as a bundle of
// authorities. Other blocks are refused: a private key does not belong there.
func DecodeCertificates(file []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, file = pem.Decode(file); block == nil {
			break
		}
		if block.Type != pemCertificate {
			return nil, fmt.Errorf("%w: a %s block among certificates", ErrMalformed, block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("%w: no certificate in the file", ErrMalformed)
	}
	return certs, nil
}
