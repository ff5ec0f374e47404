package dev

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/oauth"
)

// A console is a client of the platform's own issuer with which staff sign in.
func (h *house) console() *story.Client {
	h.t.Helper()
	status, body := h.operate("POST", "/admin/clients", admin.Client{ID: "console", Issuer: serve.PlatformIssuer, Metadata: oauth.ClientMetadata{
		ClientName: "Console", RedirectURIs: []string{"https://console.example/back"}, TokenEndpointAuthMethod: "private_key_jwt",
		GrantTypes: []string{"authorization_code"}, Scope: "openid " + strings.Join(admin.Scopes, " "), JWKS: h.jwks(budgetly),
	}})
	if status != http.StatusOK {
		h.t.Fatalf("%d %s", status, body)
	}
	return &story.Client{
		Name: "Console", ID: "console", Issuer: h.config.Admin.Origin + "/platform", RedirectURI: "https://console.example/back", Key: h.keys[budgetly],
		HTTP: &http.Client{Transport: h.transport, Timeout: 20 * time.Second}, Now: time.Now,
	}
}

func TestStaffMayAskWhatTheirRolesCover(t *testing.T) {
	h := newHouse(t)
	console := h.console()
	tokens := map[string]story.Tokens{}
	for _, who := range staff {
		request, err := console.Push(t.Context(), url.Values{"scope": {"openid " + strings.Join(admin.Scopes, " ")}})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := story.NewBrowser(h.transport).Approve(t.Context(), request.URL, story.Customer{Login: who.Login.Name, Password: who.Login.Password})
		if err != nil {
			t.Fatal(err)
		}
		if tokens[who.Login.Name], err = console.Redeem(t.Context(), request, answer); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		method, path string
		may          []string
	}{
		{"GET", "/admin/clients", []string{"admin", "auditor", "investigator"}},
		{"GET", "/admin/audit/events", []string{"admin", "auditor", "investigator"}},
		{"GET", "/admin/replay/state?stream=client-budgetly&at=now", []string{"admin", "investigator"}},
		{"POST", "/admin/keys/none/retire", []string{"admin"}},
	}
	for _, tt := range tests {
		for who, token := range tokens {
			status, body, err := console.Do(t.Context(), tt.method, h.config.Admin.Origin+tt.path, token, nil)
			allowed := status != http.StatusForbidden && status != http.StatusUnauthorized
			if err != nil || allowed != strings.Contains(strings.Join(tt.may, " "), who) {
				t.Errorf("%s %s as %s: %d %s %v", tt.method, tt.path, who, status, body, err)
			}
		}
	}
	h.isRecorded("staff-auditor", "GET /admin/audit/events")

	if status, body := h.operate("POST", "/admin/subjects/staff-auditor/withdraw", map[string]string{"role": "auditor"}); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	status, _, err := console.Do(t.Context(), "GET", h.config.Admin.Origin+"/admin/audit/events", tokens["auditor"], nil)
	if err != nil || status != http.StatusForbidden {
		t.Errorf("a role that was withdrawn still counts: %d %v", status, err)
	}
}

// isRecorded demands that the log says who asked what.
func (h *house) isRecorded(who, route string) {
	h.t.Helper()
	status, body := h.operate("GET", "/admin/audit/events?limit=100&customer="+who, nil)
	if status != http.StatusOK || !strings.Contains(body, route) {
		h.t.Errorf("the log does not say that %s asked %s: %d %s", who, route, status, body)
	}
}

func TestAdminTakesOnlyItsOwnTokens(t *testing.T) {
	h := newHouse(t)
	foreign, _ := h.consented("ben", h.transport)
	client := h.budgetly(h.transport)
	status, body, err := client.Do(t.Context(), "GET", h.config.Admin.Origin+"/admin/clients", foreign, nil)
	if err != nil || status != http.StatusUnauthorized {
		t.Errorf("a token of the bank's issuer: %d %s %v", status, body, err)
	}
	console := h.console()
	console.ID = rogue // suspended, and not the platform's
	if _, err := console.Token(t.Context(), url.Values{"grant_type": {"client_credentials"}}); err == nil {
		t.Error("a client of another issuer got a token")
	}
	other, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	client.Key.Key = other // the token is bound to Budgetly's
	if status, body, err := client.Do(t.Context(), "GET", h.origin()+bankPath+"/accounts", foreign, nil); err != nil || status != http.StatusUnauthorized {
		t.Errorf("another key: %d %s %v", status, body, err)
	}
}
