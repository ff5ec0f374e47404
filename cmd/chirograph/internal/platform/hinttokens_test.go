package platform

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
)

func TestHintTokens(t *testing.T) {
	desk, shop, stranger := signing(t, "d", jose.ES256), signing(t, "s", jose.PS256), signing(t, "d", jose.ES256)
	published := jwks(t, shop)
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Write(published)
	}))
	defer site.Close()
	roots := site.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	keys, err := newClientKeys(&fetched{roots: roots, now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	bank := api.Tenant{ID: "bank", URL: bankURL, Profile: fapi.CIBA, Settings: issuer.Settings{
		FetchOrigins: []string{site.URL},
		HintIssuers:  []issuer.HintIssuer{{Issuer: "https://desk.example", JWKS: jwks(t, desk)}, {Issuer: "https://shop.example", JWKSURI: site.URL + "/jwks"}},
	}}
	now := time.Now()
	token := func(by jose.Signer, more map[string]any) string {
		claims := map[string]any{"iss": "https://desk.example", "aud": bankURL, "jti": "1", "iat": now.Unix(), "exp": now.Unix() + 60, "sub": "c-1"}
		maps.Copy(claims, more)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		raw, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := jose.Sign(by, "", raw)
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	none := api.HintToken{}
	tests := []struct {
		name    string
		compact string
		want    api.HintToken
		expired bool
	}{
		{"a subject", token(desk, nil), api.HintToken{Issuer: "https://desk.example", Subject: "c-1"}, false},
		{"a name, with published keys", token(shop, map[string]any{"iss": "https://shop.example", "sub_id": map[string]any{"format": "opaque", "id": "alice"}}),
			api.HintToken{Issuer: "https://shop.example", Login: "alice"}, false},
		{"an expired one", token(desk, map[string]any{"exp": now.Unix() - 1}), none, true},
		{"an expired one of a stranger", token(stranger, map[string]any{"exp": now.Unix() - 1}), none, false},
		{"one for another issuer", token(desk, map[string]any{"aud": "https://other.example"}), none, false},
		{"one without an end", token(desk, map[string]any{"exp": nil}), none, false},
		{"one without a jti", token(desk, map[string]any{"jti": nil}), none, false},
		{"one of an issuer that may not", token(desk, map[string]any{"iss": "https://evil.example"}), none, false},
		{"one in another issuer's name", token(desk, map[string]any{"iss": "https://shop.example"}), none, false},
		{"one that names nobody", token(desk, map[string]any{"sub": nil}), none, false},
		{"no token", "alice", none, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := hintTokens{keys}.Verify(t.Context(), bank, tt.compact, now)
			if tt.want != none && (got != tt.want || err != nil) || tt.want == none && err == nil {
				t.Errorf("got %+v, %v", got, err)
			}
			if errors.Is(err, api.ErrHintExpired) != tt.expired {
				t.Errorf("it is expired: %v", err)
			}
		})
	}
	if _, err := (hintTokens{keys}).Verify(t.Context(), api.Tenant{ID: "other", URL: bankURL, Profile: fapi.CIBA}, token(desk, nil), now); err == nil {
		t.Error("an issuer that lets nobody name its customers took a name")
	}
}
