package admin

import (
	"strings"
	"testing"
)

// No client is declared whose ID tokens nobody can sign.
func TestApplyRefusesWhatNobodySigns(t *testing.T) {
	tests := []struct {
		name, alg string
		brought   bool
		good      bool
	}{
		{"an algorithm of the policy", "ES256", false, true},
		{"another of the profile", "EdDSA", false, false},
		{"another, with a key that was brought along", "EdDSA", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, d := newCluster(t), installation(t)
			if !tt.brought {
				d.Issuers[0].SigningKeys = nil
			}
			m := &d.Clients[0].Metadata
			m.GrantTypes, m.RedirectURIs, m.IDTokenAlg = []string{"authorization_code"}, []string{"https://budgetly.example/cb"}, tt.alg
			_, err := c.nodes[0].Apply(t.Context(), operatorMeta, d)
			if refused := err != nil && strings.Contains(err.Error(), "id_token_signed_response_alg"); refused == tt.good || tt.good && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}
