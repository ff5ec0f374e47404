package dev

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/mtls"

	gojose "github.com/go-jose/go-jose/v4"
)

// What lies in the folder beside the data of the platform: everything that a
// third party has, so that other programs can play one.
const (
	marker     = "development" // lets "dev reset" wipe the folder
	caCert     = "ca.pem"
	caKey      = "ca.key"
	serverCert = "server.pem"
	serverKey  = "server.key"
	payzipCert = "payzip.pem"
	payzipKey  = "payzip.key"
	notifyCert = "notify.pem" // of the third parties' notification endpoints
	notifyKey  = "notify.key"
)

// A folder is the data folder with the keys of the third parties.
type folder struct {
	dir     string
	keys    map[string]jose.Signer // by client id
	payzip  tls.Certificate
	trusted *x509.CertPool
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

// keyed are the clients that sign.
var keyed = append([]string{budgetly, rogue, bankServer}, backchannelIDs()...)

// prepare makes what is missing. Nothing that is there is made again, so that
// programs that were set up with it go on working.
func prepare(dir string, now time.Time) (folder, error) {
	f := folder{dir: dir, keys: map[string]jose.Signer{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return f, err
	}
	if err := os.WriteFile(f.path(marker), []byte("This folder is for development. Nothing in it is secret or real.\n"), 0o600); err != nil {
		return f, err
	}
	authority, err := f.authority(now)
	if err != nil {
		return f, err
	}
	f.trusted = authority.Pool()
	if _, err := f.certificate(serverCert, serverKey, now, authority.IssueServer); err != nil {
		return f, err
	}
	if _, err := f.certificate(notifyCert, notifyKey, now, authority.IssueServer); err != nil {
		return f, err
	}
	if f.payzip, err = f.client(authority, payzip, payzip, now); err != nil {
		return f, err
	}
	for _, c := range sampleClients {
		if c.mutual {
			if _, err := f.client(authority, c.id, c.id+overTLS, now); err != nil {
				return f, err
			}
		}
	}
	for _, id := range keyed {
		if f.keys[id], err = f.key(id); err != nil {
			return f, err
		}
	}
	return f, nil
}

// overTLS tells apart the files of a client's certificate from those of the key
// it signs with.
const overTLS = "-tls"

// client returns the certificate that a client presents.
func (f folder) client(authority *mtls.Authority, id, file string, now time.Time) (tls.Certificate, error) {
	return f.certificate(file+".pem", file+".key", now, func(now time.Time) (tls.Certificate, error) {
		return authority.IssueClient(now, mtls.Names{Subject: clientName(id)})
	})
}

func clientName(id string) pkix.Name {
	return pkix.Name{CommonName: id, Organization: []string{"Payzip Ltd"}, Country: []string{"GB"}}
}

func (f folder) authority(now time.Time) (*mtls.Authority, error) {
	cert, key, err := f.pair(caCert, caKey)
	if err == nil {
		return mtls.DecodeAuthority(cert, key)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	a, err := mtls.NewAuthority(now)
	if err != nil {
		return nil, err
	}
	if cert, key, err = a.Encode(); err != nil {
		return nil, err
	}
	return a, f.write(map[string][]byte{caKey: key, caCert: cert})
}

// aging is how long before its end a certificate is replaced.
const aging = 7 * 24 * time.Hour

func (f folder) certificate(certName, keyName string, now time.Time, issue func(time.Time) (tls.Certificate, error)) (tls.Certificate, error) {
	cert, key, err := f.pair(certName, keyName)
	if err == nil {
		have, err := mtls.Decode(cert, key)
		if err != nil {
			return have, fmt.Errorf("%s: %w", certName, err)
		}
		if have.Leaf != nil && now.Add(aging).Before(have.Leaf.NotAfter) {
			return have, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return tls.Certificate{}, err
	}
	made, err := issue(now)
	if err != nil {
		return made, err
	}
	if cert, key, err = mtls.Encode(made); err != nil {
		return made, err
	}
	return made, f.write(map[string][]byte{keyName: key, certName: cert})
}

func (f folder) pair(certName, keyName string) (cert, key []byte, err error) {
	if cert, err = os.ReadFile(f.path(certName)); err != nil {
		return nil, nil, err
	}
	key, err = os.ReadFile(f.path(keyName))
	return cert, key, err
}

func (f folder) write(files map[string][]byte) error {
	for name, text := range files {
		if err := os.WriteFile(f.path(name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// key returns a client's private key. It is kept as PEM and as JWK, whichever
// a program wants.
func (f folder) key(id string) (jose.Signer, error) {
	signer := jose.Signer{KeyID: id + "-1", Algorithm: jose.ES256}
	text, err := os.ReadFile(f.path(id + ".key"))
	if err == nil {
		block, _ := pem.Decode(text)
		if block == nil {
			return signer, fmt.Errorf("%s is no PEM", f.path(id+".key"))
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		key, ok := parsed.(crypto.Signer)
		if err != nil || !ok {
			return signer, fmt.Errorf("%s is no private key", f.path(id+".key"))
		}
		signer.Key = key
		return signer, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return signer, err
	}
	if signer.Key, err = jose.GenerateKey(jose.ES256); err != nil {
		return signer, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer.Key)
	if err != nil {
		return signer, err
	}
	jwk, err := gojose.JSONWebKey{Key: signer.Key, KeyID: signer.KeyID, Algorithm: jose.ES256, Use: "sig"}.MarshalJSON()
	if err != nil {
		return signer, err
	}
	return signer, f.write(map[string][]byte{
		id + ".jwk.json": append(jwk, '\n'), id + ".key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	})
}

// jwks is the public JWK set of a client.
func (f folder) jwks(id string) json.RawMessage {
	jwk, err := jose.PublicJWK(f.keys[id].KeyID, jose.ES256, "sig", f.keys[id].Key.Public())
	if err != nil {
		panic(err) // it is a key of ours
	}
	return fmt.Appendf(nil, `{"keys":[%s]}`, jwk)
}

// ErrNotDevelopment means that a folder is not one of ours to wipe.
var ErrNotDevelopment = errors.New("this is not a folder that dev has made")

// Reset wipes a folder that dev has made and nobody uses.
func Reset(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return fmt.Errorf("%s: %w", dir, ErrNotDevelopment)
	}
	if err := unused(dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
