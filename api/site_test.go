package api_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

const (
	siteURL  = "https://as.example/fapi2"
	siteBank = "https://as.example/bank"
)

// A site is a server on a log in memory with two issuers, "fapi2" and "other",
// and one client, "tpp", whose tokens are bound to its key.
type site struct {
	*testing.T
	*api.Server
	log *storetest.Faulty
	now time.Time
	key jose.Signer
}

func newSite(t *testing.T) *site {
	st := &site{T: t, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), key: newKey(t)}
	clock := func() time.Time { return st.now }
	st.log = &storetest.Faulty{Log: api.Engine(memory.New(clock))}
	journal := &eventstore.Journal{Log: st.log, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: &memory.Keys{}, Log: st.log.ID()}}
	st.Server = api.New(journal, api.Outside{
		Profiles: fapi.Profiles, Proofs: siteProofs{}, ClientKeys: siteKeys{}, Certificates: siteCertificates{}, Signer: siteSigner{st.key},
		Nonces: jose.Nonces{}, Directory: siteDirectory{}, Limits: siteLimits{}, Metrics: siteMetrics{}, Now: clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	settings := issuer.Settings{Scopes: []string{"openid", "accounts", "registration"}, Resources: []string{siteBank}, Registration: true}
	for id, url := range map[string]string{"fapi2": siteURL, "other": "https://as.example/other"} {
		_, err := st.Issuers.Execute(st.Context(), event.Meta{}, id, issuer.Create{Created: issuer.Created{URL: url, Profile: fapi.SecurityProfile.Name, Settings: settings}})
		st.must(err)
	}
	st.register("tpp", "fapi2")
	public, err := jose.PublicJWK("k1", "ES256", "sig", st.key.Key.Public())
	st.must(err)
	_, err = st.SigningKeys.Execute(st.Context(), event.Meta{}, "k1", signingkey.Announce{Announced: signingkey.Announced{Issuer: "fapi2", Algorithm: "ES256", JWK: public}})
	st.must(err)
	return st
}

func newKey(t *testing.T) jose.Signer {
	key, err := jose.GenerateKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	return jose.Signer{KeyID: "k1", Algorithm: "ES256", Key: key}
}

func (st *site) must(err error) {
	st.Helper()
	if err != nil {
		st.Fatal(err)
	}
}

func (st *site) register(id, issuer string) {
	st.Helper()
	m := oauth.ClientMetadata{ClientName: id, TokenEndpointAuthMethod: "private_key_jwt", GrantTypes: []string{"authorization_code"}, DPoPBoundTokens: true}
	_, err := st.Clients.Execute(st.Context(), event.Meta{}, id, client.Register{Registered: client.Registered{Issuer: issuer, Metadata: m, Via: "operator"}})
	st.must(err)
}

// issue records an opaque access token and returns it. Unless the change says
// otherwise it is tpp's, bound to the site's key and valid for five minutes.
func (st *site) issue(change func(*token.Issued)) string {
	st.Helper()
	a := oauth.Artefact{ID: uuid.NewString()}
	rand.Read(a.Secret[:])
	thumbprint, err := jose.Thumbprint(st.key.Key.Public())
	st.must(err)
	e := token.Issued{
		Client: "tpp", Scope: "accounts", Audience: []string{siteBank}, Expires: st.now.Add(5 * time.Minute), Digest: a.Digest(),
		Confirmation: token.Confirmation{JKT: thumbprint}, Evidence: oauth.Evidence{ClientAuth: "private_key_jwt"},
	}
	change(&e)
	_, err = st.Tokens.Execute(st.Context(), event.Meta{}, a.ID, token.Issue{Issued: e})
	st.must(err)
	return a.Text()
}

// request sends a request. Its credentials are "<scheme> <token>"; with the DPoP
// scheme a proof with a good nonce goes along.
func (st *site) request(method, path, credentials, body string, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	st.Helper()
	r := httptest.NewRequest(method, "https://as.example"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if credentials != "" {
		r.Header.Set("Authorization", credentials)
	}
	if scheme, token, _ := strings.Cut(credentials, " "); scheme == "DPoP" {
		r.Header.Set("DPoP", st.proof(method, path, token, st.Nonces.Issue("fapi2", "rs", st.now)))
	}
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	st.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	return w
}

func (st *site) proof(method, path, token, nonce string) string {
	st.Helper()
	proof, err := jose.NewProof(st.key, method, "https://as.example"+path, token, nonce, st.now)
	st.must(err)
	return proof
}

// initial returns an initial access token of an issuer.
func (st *site) initial(issuer string) string {
	st.Helper()
	t, err := st.NewInitialAccessToken(st.Context(), event.Meta{}, issuer, time.Hour)
	st.must(err)
	return "Bearer " + t
}

type siteProofs struct{}

func (siteProofs) Proof(compact string) (oauth.Proof, error) { return jose.VerifyProof(compact) }
func (siteProofs) SameURI(a, b string) bool                  { return jose.SameURI(a, b) }

type siteKeys struct{ api.ClientKeys }

func (siteKeys) Request(context.Context, oauth.Client, api.Tenant, string) (oauth.SignedRequest, client.KeySeen, error) {
	return oauth.SignedRequest{}, client.KeySeen{}, errors.New("no request is genuine here")
}

func (siteKeys) Check(m oauth.ClientMetadata) (oauth.ClientMetadata, error) {
	if bytes.Contains(m.JWKS, []byte(`"d"`)) {
		return m, errors.New("a private key")
	}
	return m, nil
}

type siteCertificates struct{}

func (siteCertificates) Certificate(*http.Request) (*oauth.Certificate, error) { return nil, nil }

type siteSigner struct{ key jose.Signer }

func (s siteSigner) Sign(_ context.Context, _, typ string, claims []byte) (string, error) {
	return jose.Sign(s.key, typ, claims)
}

func (s siteSigner) Verify(_ context.Context, compact string, key func(string) ([]byte, bool)) (api.Signed, error) {
	claims, header, err := jose.VerifyOwn(compact, func(kid string) (crypto.PublicKey, string, bool) {
		_, found := key(kid)
		return s.key.Key.Public(), s.key.Algorithm, found
	}, "at+jwt")
	return api.Signed{KeyID: header.KeyID, Type: header.Type, Claims: claims}, err
}

type siteDirectory struct{ api.Directory }

func (siteDirectory) Claims(context.Context, string) (map[string]any, error) {
	return map[string]any{"given_name": "Alice"}, nil
}

type siteLimits struct{}

func (siteLimits) Wait(string, time.Time) time.Duration { return 0 }
func (siteLimits) Return(string)                        {}

type siteMetrics struct{}

func (siteMetrics) Served(string, int, time.Duration) {}
func (siteMetrics) Refused(string, string)            {}

// metadata is what a good client sends, changed by edits ("" removes a member).
func metadata(edits ...string) string {
	m := map[string]json.RawMessage{}
	for name, value := range map[string]string{
		"client_name": `"Budgetly"`, "redirect_uris": `["https://tpp.example/cb"]`, "token_endpoint_auth_method": `"private_key_jwt"`,
		"grant_types": `["authorization_code","refresh_token"]`, "jwks": `{"keys":[]}`, "scope": `"openid accounts"`,
	} {
		m[name] = json.RawMessage(value)
	}
	for i := 0; i < len(edits); i += 2 {
		if m[edits[i]] = json.RawMessage(edits[i+1]); edits[i+1] == "" {
			delete(m, edits[i])
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func members(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("%d: %s: %v", w.Code, w.Body, err)
	}
	return m
}
