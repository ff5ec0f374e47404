package ask

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
)

// remote is a running server.
type remote struct {
	client *story.Client
	origin string
	tokens story.Tokens
}

// reach is how long a server on this machine may take to be found.
const reach = 2 * time.Second

// find returns the running server of a folder, if there is one.
func find(ctx context.Context, c config.Config) (*remote, bool, error) {
	file, running, err := located(c)
	if err != nil || !running {
		return nil, false, err
	}
	r, err := connect(ctx, file)
	if err != nil {
		err = fmt.Errorf("the server at %s, which %s names, does not let this command in: %w", file.Address, platform.AdminFile(c), err)
	}
	return r, true, err
}

// located returns what a running server says of itself in the folder.
func located(c config.Config) (file serve.AdminFile, running bool, err error) {
	text, err := os.ReadFile(platform.AdminFile(c))
	if errors.Is(err, os.ErrNotExist) {
		return file, false, nil
	}
	if err != nil {
		return file, false, err
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return file, false, fmt.Errorf("%s: %w", platform.AdminFile(c), err)
	}
	conn, err := net.DialTimeout("tcp", file.Address, reach)
	if err != nil {
		return file, false, nil // left behind by a server that was killed
	}
	return file, true, conn.Close()
}

func connect(ctx context.Context, file serve.AdminFile) (*remote, error) {
	key, err := privateKey(file.Key)
	if err != nil {
		return nil, err
	}
	client, err := clientOf(file)
	if err != nil {
		return nil, err
	}
	r := &remote{origin: file.Origin, client: &story.Client{
		Name: file.Client, ID: file.Client, Issuer: file.Issuer, Key: jose.Signer{KeyID: "operator", Algorithm: jose.ES256, Key: key},
		HTTP: client, Now: time.Now,
	}}
	r.tokens, err = r.client.Token(ctx, url.Values{"grant_type": {"client_credentials"}})
	return r, err
}

// clientOf reaches the admin port whatever its name resolves to.
func clientOf(file serve.AdminFile) (*http.Client, error) {
	roots, err := authorities(file.CA)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", file.Address)
		},
	}}, nil
}

// Live fails unless a server runs on the folder and says that it lives. It
// leaves no event in the log, so it may be asked every few seconds.
func Live(ctx context.Context, c config.Config) error {
	file, running, err := located(c)
	if err != nil {
		return err
	}
	if !running {
		return fmt.Errorf("no server is running on %s", c.DataDir)
	}
	client, err := clientOf(file)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reach)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, file.Origin+"/livez", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s says %s", r.URL, answer.Status)
	}
	return nil
}

func privateKey(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("admin.json has no private key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("the private key in admin.json cannot be read")
	}
	return key, nil
}

func authorities(text string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if text != "" && !pool.AppendCertsFromPEM([]byte(text)) {
		return nil, errors.New("the authority in admin.json cannot be read")
	}
	return pool, nil
}

func (r *remote) send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	return r.client.Do(ctx, method, r.origin+path, r.tokens, body)
}
