package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
)

const (
	origin    = "https://bank.example"
	issuerURL = origin + "/fapi2"
	callback  = "https://reader.example/callback"
	resource  = origin + "/accounts"

	reader = "reader"   // the third party
	guard  = "accounts" // the resource server
	people = 8          // customers, so that nobody waits for another's browser
	secret = "a good password"
)

// A bank is an issuer with its clients and customers, and the clients' keys.
type bank struct {
	keys map[string]jose.Signer
	lead atomic.Int64 // how far the clients' clocks are ahead
}

func newBank(t testing.TB) *bank {
	t.Helper()
	b := &bank{keys: map[string]jose.Signer{}}
	for _, id := range []string{reader, guard} {
		key, err := jose.GenerateKey(jose.ES256)
		if err != nil {
			t.Fatal(err)
		}
		b.keys[id] = jose.Signer{KeyID: id, Algorithm: jose.ES256, Key: key}
	}
	return b
}

// clock is that of the clients.
func (b *bank) clock() time.Time { return time.Now().Add(time.Duration(b.lead.Load())) }

func (b *bank) document() admin.Document {
	d := admin.Document{
		Issuers: []admin.Issuer{{
			ID: "fapi2", URL: issuerURL, Profile: fapi.SecurityProfile.Name,
			Settings: admin.Settings{Accounts: true, Resources: []string{resource}, DisplayName: "A bank"},
			Keys:     &admin.KeyPolicy{Algorithms: []string{jose.ES256}},
		}},
		Clients: []admin.Client{
			{ID: reader, Issuer: "fapi2", Metadata: oauth.ClientMetadata{
				ClientName: "Reader", RedirectURIs: []string{callback}, TokenEndpointAuthMethod: "private_key_jwt",
				GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"},
				Scope:      "openid accounts offline_access", JWKS: jwks(b.keys[reader]), DPoPBoundTokens: true,
			}},
			{ID: guard, Issuer: "fapi2", Metadata: oauth.ClientMetadata{
				ClientName: "Accounts API", TokenEndpointAuthMethod: "private_key_jwt", JWKS: jwks(b.keys[guard]), Resources: []string{resource},
			}},
		},
	}
	for i := range people {
		d.Customers = append(d.Customers, admin.Customer{
			ID: fmt.Sprintf("customer-%d", i), Issuer: "fapi2", Name: fmt.Sprintf("Customer %d", i),
			Login:    &admin.Login{Name: customer(i).Login, Password: secret},
			Accounts: []admin.Account{{ID: fmt.Sprintf("account-%d", i), Name: "Everyday", Number: "•••• 0001", Currency: "EUR"}},
		})
	}
	return d
}

func customer(i int) story.Customer {
	return story.Customer{Name: fmt.Sprintf("Customer %d", i%people), Login: fmt.Sprintf("customer%d", i%people), Password: secret}
}

func jwks(s jose.Signer) json.RawMessage {
	jwk, err := jose.PublicJWK(s.KeyID, s.Algorithm, "sig", s.Key.Public())
	if err != nil {
		panic(err) // it is a key of ours
	}
	return fmt.Appendf(nil, `{"keys":[%s]}`, jwk)
}

// client is the third party as a program.
func (b *bank) client(over http.RoundTripper) *story.Client {
	return &story.Client{
		Name: "Reader", ID: reader, Issuer: issuerURL, RedirectURI: callback, Key: b.keys[reader],
		HTTP: &http.Client{Transport: over}, Now: b.clock,
	}
}

// authenticated is a form that a client sends without a proof.
func (b *bank) authenticated(client string, form url.Values) (url.Values, error) {
	assertion, err := jose.NewAssertion(b.keys[client], client, issuerURL, b.clock(), time.Minute)
	form.Set("client_id", client)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return form, err
}
