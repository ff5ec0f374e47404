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

// An issuer for conformance tests and its customers are never anything else.
func TestApplyKeepsTestsApart(t *testing.T) {
	tests := []struct {
		name    string
		purpose string
		test    bool
		good    bool
	}{
		{"a customer at a bank", "", false, true},
		{"nobody real at a bank", "", true, false},
		{"nobody real where tools decide", "conformance", true, true},
		{"a customer where tools decide", "conformance", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, d := newCluster(t), installation(t)
			d.Clients = nil
			d.Issuers[0].Settings.Purpose = tt.purpose
			d.Customers = []Customer{{ID: "tess", Issuer: d.Issuers[0].ID, Name: "Tess", Test: tt.test}}
			_, err := c.nodes[0].Apply(t.Context(), operatorMeta, d)
			if refused := err != nil && strings.Contains(err.Error(), "test: true"); refused == tt.good || tt.good && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestApplyKeepsThePurpose(t *testing.T) {
	for _, first := range []string{"", "conformance"} {
		c, d := newCluster(t), installation(t)
		d.Clients, d.Customers = nil, nil
		d.Issuers[0].Settings.Purpose = first
		_, err := c.nodes[0].Apply(t.Context(), operatorMeta, d)
		c.must(err)
		before := c.head()
		d.Issuers[0].Settings.Purpose = map[string]string{"": "conformance", "conformance": ""}[first]
		if _, err = c.nodes[0].Apply(t.Context(), operatorMeta, d); err == nil || !strings.Contains(err.Error(), "purpose") || c.head() != before {
			t.Errorf("from %q: got %v", first, err)
		}
	}
}

// A user code is recorded when it is set, set anew or taken away, and never
// itself.
func TestApplyUserCode(t *testing.T) {
	c, d := newCluster(t), installation(t)
	d.Clients = nil
	for _, step := range []struct {
		code *string
		did  string
	}{{new("4711"), "user code set"}, {new("4711"), ""}, {nil, ""}, {new("0815"), "user code set"}, {new(""), "user code taken away"}, {new(""), ""}} {
		d.Customers = []Customer{{ID: "cara", Issuer: d.Issuers[0].ID, Name: "Cara", UserCode: step.code}}
		changes, err := c.nodes[0].Apply(t.Context(), operatorMeta, d)
		c.must(err)
		did := ""
		for _, change := range changes {
			if strings.HasPrefix(change.Did, "user code") {
				did = change.Did
			}
		}
		if did != step.did {
			t.Errorf("%v, want %q", changes, step.did)
		}
	}
}
