package mtls

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

func TestIssueServer(t *testing.T) {
	authority := must(NewAuthority(noon))
	cert := must(authority.IssueServer(noon))
	if key, ok := cert.Leaf.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() != 2048 {
		t.Errorf("got a %T", cert.Leaf.PublicKey)
	}
	for name, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "[::1]": true, "bank.example": false} {
		_, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: authority.Pool(), CurrentTime: noon})
		if (err == nil) != want {
			t.Errorf("%s: got %v; want valid %v", name, err, want)
		}
	}
}

func TestAuthorityIsConstrainedToLoopback(t *testing.T) {
	authority := must(NewAuthority(noon))
	forged := must(authority.issue(noon, must(SelfSigned(noon, Names{})).PrivateKey.(crypto.Signer), &x509.Certificate{
		DNSNames: []string{"bank.example"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}))
	_, err := forged.Leaf.Verify(x509.VerifyOptions{DNSName: "bank.example", Roots: authority.Pool(), CurrentTime: noon})
	if _, invalid := errors.AsType[x509.CertificateInvalidError](err); !invalid {
		t.Errorf("got %v", err)
	}
}

func TestEncode(t *testing.T) {
	authority := must(NewAuthority(noon))
	certPEM, keyPEM, err := authority.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again := must(DecodeAuthority(certPEM, keyPEM))
	client := must(again.IssueClient(noon, payzip))
	if got := must(NewTrust(authority.Pool()).Facts([]*x509.Certificate{client.Leaf}, noon)); !got.Trusted {
		t.Error("the authority that was read back issues for another")
	}

	clientPEM, clientKeyPEM, err := Encode(client)
	if err != nil {
		t.Fatal(err)
	}
	if got := must(Decode(clientPEM, clientKeyPEM)); !got.Leaf.Equal(client.Leaf) {
		t.Error("the certificate that was read back is another")
	}
	if _, err := DecodeAuthority(clientPEM, clientKeyPEM); !errors.Is(err, ErrMalformed) {
		t.Errorf("a client as authority: got %v", err)
	}
	if _, err := Decode(certPEM, clientKeyPEM); err == nil {
		t.Error("a certificate with another's key was read")
	}

	bundle, err := DecodeCertificates(append(certPEM, clientPEM...))
	if err != nil || len(bundle) != 2 || !bundle[1].Equal(client.Leaf) {
		t.Errorf("a bundle: got %d certificates, %v", len(bundle), err)
	}
	if _, err := DecodeCertificates(append(certPEM, clientKeyPEM...)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a bundle with a key: got %v", err)
	}
	if _, err := DecodeCertificates([]byte("nothing")); !errors.Is(err, ErrMalformed) {
		t.Errorf("no bundle: got %v", err)
	}
}

func TestCertificatesBeginInThePast(t *testing.T) {
	client := must(must(NewAuthority(noon)).IssueClient(noon, payzip)).Leaf
	if !client.NotBefore.Equal(noon.Add(-time.Hour)) || !client.NotAfter.Equal(noon.Add(90*24*time.Hour)) {
		t.Errorf("got %v to %v", client.NotBefore, client.NotAfter)
	}
}
