package serve

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
)

// PlatformIssuer is the id of the platform's own issuer, whose tokens open the
// admin port.
const PlatformIssuer = "platform"

const (
	platformPath = "/platform"
	operator     = "operator"     // the client that commands are
	operatorKey  = "operator.key" // the secret it signs with
)

func resourceOf(c config.Config) string { return c.AdminOrigin() + "/admin" }

// issuerURL is the issuer identifier of the platform's own issuer.
func issuerURL(c config.Config) string { return c.AdminOrigin() + platformPath }

// EnsurePlatform makes the platform's own issuer and the client that the
// commands are, as any other issuer and client are made. Where they exist
// nothing is appended.
func EnsurePlatform(ctx context.Context, p *platform.Platform) error {
	if err := sameOrigin(ctx, p); err != nil {
		return err
	}
	key, err := keyOfOperator(ctx, p)
	if err != nil {
		return err
	}
	jwk, err := jose.PublicJWK("operator", jose.ES256, "sig", key.Public())
	if err != nil {
		return err
	}
	set, err := json.Marshal(map[string][]json.RawMessage{"keys": {jwk}})
	if err != nil {
		return err
	}
	scope := strings.Join(admin.Scopes, " ")
	_, err = p.Admin.Apply(ctx, p.Meta(event.ActorSystem), admin.Document{
		Issuers: []admin.Issuer{{
			ID: PlatformIssuer, URL: issuerURL(p.Config), Profile: fapi.SecurityProfile.Name,
			Settings: admin.Settings{
				Scopes: append([]string{"openid"}, admin.Scopes...), Resources: []string{resourceOf(p.Config)}, DisplayName: "Chirograph",
			},
			Keys: &admin.KeyPolicy{Algorithms: []string{jose.ES256}},
		}},
		Clients: []admin.Client{{ID: operator, Issuer: PlatformIssuer, Metadata: oauth.ClientMetadata{
			ClientName: "Chirograph commands", TokenEndpointAuthMethod: "private_key_jwt", GrantTypes: []string{"client_credentials"},
			Scope: scope, JWKS: set, DPoPBoundTokens: true,
		}}},
	})
	if err != nil {
		return fmt.Errorf("the platform's own issuer: %w", err)
	}
	return nil
}

// sameOrigin refuses another origin of the admin port than the installation
// was begun with, which the tokens of its staff name.
func sameOrigin(ctx context.Context, p *platform.Platform) error {
	state, _, err := p.API.Issuers.Load(ctx, PlatformIssuer)
	if err != nil || !state.Exists() || state.URL() == issuerURL(p.Config) {
		return err
	}
	return fmt.Errorf("the admin port's origin is now %s, but this installation was begun with %s: set admin.origin to that; the port may be another",
		p.Config.AdminOrigin(), strings.TrimSuffix(state.URL(), platformPath))
}

// keyOfOperator returns the key of the client that commands are. It is made
// once, by whichever node is the first.
func keyOfOperator(ctx context.Context, p *platform.Platform) (crypto.Signer, error) {
	der, err := p.Ring.Secret(ctx, operatorKey)
	if errors.Is(err, keys.ErrNoKey) {
		err = makeKeyOfOperator(ctx, p)
		if err == nil || errors.Is(err, keys.ErrTaken) {
			der, err = p.Ring.Secret(ctx, operatorKey)
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("the secret " + operatorKey + " is no private key")
	}
	return signer, nil
}

func makeKeyOfOperator(ctx context.Context, p *platform.Platform) error {
	key, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return p.Ring.PutSecret(ctx, operatorKey, der)
}

// An AdminFile tells commands of this machine where the admin port is and lets
// them in.
type AdminFile struct {
	Address string `json:"address"`
	Origin  string `json:"origin"`
	Issuer  string `json:"issuer"`
	CA      string `json:"ca,omitempty"` // PEM; counts beside the system's authorities
	Client  string `json:"client_id"`
	Key     string `json:"private_key"` // PEM, PKCS #8
	PID     int    `json:"pid"`
}

// writeAdminFile writes the file for its owner only, whole or not at all.
func (s *Server) writeAdminFile() error {
	key, err := keyOfOperator(context.Background(), s.Platform)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(AdminFile{
		Address: s.listeners.address("admin"), Origin: s.Config.AdminOrigin(), Issuer: issuerURL(s.Config), CA: string(s.adminCA),
		Client: operator, Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), PID: os.Getpid(),
	}, "", "  ")
	if err != nil {
		return err
	}
	beside := s.Folder.Admin() + ".new"
	if err := os.WriteFile(beside, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(beside, s.Folder.Admin())
}

func (s *Server) removeAdminFile() { os.Remove(s.Folder.Admin()) }

// Address is where a listener, "public", "mtls" or "admin", can be reached; ""
// if there is none.
func (s *Server) Address(listener string) string { return s.listeners.address(listener) }

func (all listeners) address(name string) string {
	for _, l := range all {
		if l.name == name {
			return l.inner.Addr().String()
		}
	}
	return ""
}
