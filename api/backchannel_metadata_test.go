package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
)

// CIBA §4: what an issuer offers is in its metadata, and nothing of it in those
// of an issuer that offers nothing.
func TestMetadataOfBackchannel(t *testing.T) {
	c := newCounter(t)
	c.MTLSOrigin = "https://mtls.as.example"
	read := func(address string) map[string]any {
		t.Helper()
		return members(t, c.serve(httptest.NewRequest("GET", address+"/.well-known/openid-configuration", nil)))
	}
	for address, want := range map[string]map[string]any{
		openURL: {
			"backchannel_authentication_endpoint":                             openURL + "/bc-authorize",
			"backchannel_token_delivery_modes_supported":                      []any{"poll", "ping", "push"},
			"backchannel_authentication_request_signing_alg_values_supported": []any{"ES256", "PS256", "EdDSA", "Ed25519"},
			"backchannel_user_code_parameter_supported":                       true,
			"backchannel_endpoint_login_hint_token_types_supported":           nil,
		},
		fapiURL: {
			"backchannel_authentication_endpoint":                             fapiURL + "/bc-authorize",
			"backchannel_token_delivery_modes_supported":                      []any{"poll", "ping"},
			"backchannel_authentication_request_signing_alg_values_supported": []any{"PS256", "ES256"},
		},
		siteURL: {
			"backchannel_authentication_endpoint": nil, "backchannel_token_delivery_modes_supported": nil,
			"backchannel_authentication_request_signing_alg_values_supported": nil, "backchannel_user_code_parameter_supported": nil,
		},
	} {
		got := read(address)
		for name, value := range want {
			if !reflect.DeepEqual(got[name], value) {
				t.Errorf("%s: %s is %v, want %v", address, name, got[name], value)
			}
		}
		grants, _ := json.Marshal(got["grant_types_supported"])
		aliases, _ := got["mtls_endpoint_aliases"].(map[string]any)
		offered := address != siteURL
		if strings.Contains(string(grants), oauth.GrantCIBA) != offered || (aliases["backchannel_authentication_endpoint"] != nil) != offered {
			t.Errorf("%s: %s, %v", address, grants, aliases)
		}
	}
	state, _, err := c.Issuers.Load(t.Context(), "ciba")
	c.must(err)
	settings := state.Settings()
	settings.UserCodes, settings.HintIssuers = false, []issuer.HintIssuer{{Issuer: "https://desk.example", JWKSURI: "https://desk.example/jwks"}}
	_, err = c.Issuers.Execute(t.Context(), event.Meta{}, "ciba", issuer.ChangeSettings{SettingsChanged: issuer.SettingsChanged{Settings: settings}})
	c.must(err)
	got := read(openURL)
	if got["backchannel_user_code_parameter_supported"] != nil || !reflect.DeepEqual(got["backchannel_endpoint_login_hint_token_types_supported"], []any{"jwt"}) {
		t.Errorf("after a change: %v", got)
	}
}

// A client registers for CIBA over HTTP, and is held to what its issuer offers.
func TestRegistrationForBackchannel(t *testing.T) {
	tests := []struct {
		name   string
		edits  []string
		status int
	}{
		{"a client that is pinged", nil, http.StatusCreated},
		{"push", []string{"backchannel_token_delivery_mode", `"push"`}, http.StatusBadRequest},
		{"no endpoint", []string{"backchannel_client_notification_endpoint", ""}, http.StatusBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			state, _, err := c.Issuers.Load(t.Context(), "fapi-ciba")
			c.must(err)
			settings := state.Settings()
			settings.Registration = true
			_, err = c.Issuers.Execute(t.Context(), event.Meta{}, "fapi-ciba", issuer.ChangeSettings{SettingsChanged: issuer.SettingsChanged{Settings: settings}})
			c.must(err)
			token, err := c.NewInitialAccessToken(t.Context(), event.Meta{}, "fapi-ciba", time.Hour)
			c.must(err)
			body := metadata(append([]string{
				"grant_types", `["` + oauth.GrantCIBA + `"]`, "redirect_uris", "", "backchannel_token_delivery_mode", `"ping"`,
				"backchannel_client_notification_endpoint", `"https://till.example/called"`, "backchannel_authentication_request_signing_alg", `"ES256"`,
			}, tt.edits...)...)
			r := httptest.NewRequest("POST", fapiURL+"/register", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
			w := c.serve(r)
			if w.Code != tt.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if w.Code == http.StatusCreated && members(t, w)["backchannel_token_delivery_mode"] != "ping" {
				t.Errorf("registered %s", w.Body)
			}
		})
	}
}

// A client of CIBA gets ID tokens, so a key of its issuer must sign them.
func TestClientsOfBackchannelNeedASigningKey(t *testing.T) {
	c := newCounter(t)
	for alg, good := range map[string]bool{"ES256": true, "EdDSA": false} {
		for _, m := range []oauth.ClientMetadata{
			{GrantTypes: []string{oauth.GrantCIBA}, DeliveryMode: oauth.Poll, IDTokenAlg: alg},
			{DeliveryMode: oauth.Push, IDTokenAlg: alg},
		} {
			if err := c.CheckSigning(t.Context(), "ciba", m); (err == nil) != good {
				t.Errorf("%s for %s: %v", m.DeliveryMode, alg, err)
			}
		}
	}
	if err := c.CheckSigning(t.Context(), "ciba", oauth.ClientMetadata{GrantTypes: []string{"client_credentials"}, IDTokenAlg: "EdDSA"}); err != nil {
		t.Errorf("a client without ID tokens: %v", err)
	}
}
