package platform

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/openid"
)

// A tool decides for customers in development and at an issuer for tests. Else
// there is nothing at that path.
func TestWhereAToolDecides(t *testing.T) {
	for _, tt := range []struct {
		name    string
		dev     bool
		purpose string
		there   bool
	}{
		{"not where customers are", false, "", false},
		{"at an issuer for tests", false, issuer.Conformance, true},
		{"in development", true, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config.Default()
			c.DataDir = t.TempDir()
			p, err := Open(t.Context(), Options{Config: c, Create: true, Version: "test", Dev: tt.dev})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
			bank := issuer.Created{URL: "https://bank.example/ciba", Profile: openid.CIBA.Name, Settings: issuer.Settings{Purpose: tt.purpose}}
			if _, err := p.API.Issuers.Execute(t.Context(), p.Meta(event.ActorOperator), "bank", issuer.Create{Created: bank}); err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			p.API.Handler(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("POST", "https://bank.example/ciba/backchannel/decide?action=allow", nil))
			if there := strings.Contains(w.Body.String(), "auth_req_id names no request"); w.Code != http.StatusNotFound || there != tt.there {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}
