package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
)

func TestCheckHintToken(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		by     oauth.Clause
		code   oauth.Code
		change func(*oauth.HintToken)
	}{
		{"a good token", "", "", func(h *oauth.HintToken) {}},
		{"a token for several", "", "", func(h *oauth.HintToken) { h.Audience = []string{"https://other.example", "https://as.example"} }},
		{"a clock that is a minute ahead", "", "", func(h *oauth.HintToken) { h.IssuedAt, h.NotBefore = noon.Add(time.Minute), noon.Add(time.Minute) }},
		{"RS256", "FAPI1-ADV §8.6-1", oauth.InvalidRequest, func(h *oauth.HintToken) { h.Algorithm = "RS256" }},
		{"a token for somebody else", "CIBA §7.1", oauth.InvalidRequest, func(h *oauth.HintToken) { h.Audience = []string{"https://other.example"} }},
		{"a token for nobody", "CIBA §7.1", oauth.InvalidRequest, func(h *oauth.HintToken) { h.Audience = nil }},
		{"no jti", "CIBA §7.1", oauth.InvalidRequest, func(h *oauth.HintToken) { h.ID = "" }},
		{"a jti without end", "CIBA §7.1", oauth.InvalidRequest, func(h *oauth.HintToken) { h.ID = strings.Repeat("j", 257) }},
		{"no iat", "CIBA §7.1", oauth.InvalidRequest, func(h *oauth.HintToken) { h.IssuedAt = time.Time{} }},
		{"an iat that is ahead", "FAPI2-SP §5.3.2.1-2.13", oauth.InvalidRequest, func(h *oauth.HintToken) { h.IssuedAt = noon.Add(61 * time.Second) }},
		{"an nbf that is ahead", "FAPI2-SP §5.3.2.1-2.13", oauth.InvalidRequest, func(h *oauth.HintToken) { h.NotBefore = noon.Add(61 * time.Second) }},
		{"no exp", "CIBA §7.1", oauth.InvalidRequest, func(h *oauth.HintToken) { h.Expires = time.Time{} }},
		{"an exp that is now", "CIBA §13", oauth.ExpiredLoginHintToken, func(h *oauth.HintToken) { h.Expires = noon }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := oauth.HintToken{Algorithm: "ES256", Audience: []string{"https://as.example"}, ID: "1", IssuedAt: noon, Expires: noon.Add(1)}
			tt.change(&h)
			err := fapi.CIBA.CheckHintToken(h, oauth.Judging{Now: noon, Issuer: "https://as.example"})
			if tt.by == "" && err != nil {
				t.Errorf("refused: %v", err)
			} else if tt.by != "" {
				judge(t, err, tt.code, tt.by)
			}
		})
	}
}

func TestCustomerOfAHint(t *testing.T) {
	tests := []struct {
		name, claims, subject, login string
	}{
		{"a subject", `{"sub":"c-1"}`, "c-1", ""},
		{"a subject of the issuer", `{"sub_id":{"format":"iss_sub","iss":"https://as.example/bank","sub":"c-1"}}`, "c-1", ""},
		{"a name", `{"sub_id":{"format":"opaque","id":"alice"}}`, "", "alice"},
		{"an account", `{"sub_id":{"format":"account","uri":"acct:alice@as.example"}}`, "", "alice"},
		{"an account with an odd character", `{"sub_id":{"format":"account","uri":"acct:al%20ice@AS.example"}}`, "", "al ice"},
		{"an address", `{"sub_id":{"format":"email","email":"alice@mail.example"}}`, "", "alice@mail.example"},
		{"sub_id before sub", `{"sub":"c-2","sub_id":{"format":"opaque","id":"alice"}}`, "", "alice"},
		{"a subject of somebody else", `{"sub_id":{"format":"iss_sub","iss":"https://other.example","sub":"c-1"}}`, "", ""},
		{"an account elsewhere", `{"sub_id":{"format":"account","uri":"acct:alice@other.example"}}`, "", ""},
		{"an account that is none", `{"sub_id":{"format":"account","uri":"alice@as.example"}}`, "", ""},
		{"an account that does not decode", `{"sub_id":{"format":"account","uri":"acct:al%@as.example"}}`, "", ""},
		{"an unknown format, in spite of sub", `{"sub":"c-2","sub_id":{"format":"did","url":"did:a:b"}}`, "", ""},
		{"no format", `{"sub_id":{"id":"alice"}}`, "", ""},
		{"a member that occurs twice", `{"sub_id":{"format":"opaque","id":"alice","id":"ben"}}`, "", ""},
		{"a sub_id that is no object", `{"sub_id":"alice"}`, "", ""},
		{"a sub that is no text", `{"sub":7}`, "", ""},
		{"nobody", `{}`, "", ""},
		{"no object", `[]`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			subject, login, err := oauth.HintToken{Claims: []byte(tt.claims)}.Customer("https://as.example/bank")
			if subject != tt.subject || login != tt.login {
				t.Errorf("got %q, %q", subject, login)
			}
			if tt.subject == "" && tt.login == "" {
				judge(t, err, oauth.InvalidRequest, "RFC 9493 §3")
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// A hint names somebody in one way or is refused, whatever a hint issuer signs.
func FuzzCustomerOfAHint(f *testing.F) {
	for _, seed := range []string{`{"sub":"c-1"}`, `{"sub_id":{"format":"account","uri":"acct:a@as.example"}}`, `{"sub_id":{"format":"iss_sub","iss":"https://as.example","sub":"c"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, claims []byte) {
		subject, login, err := oauth.HintToken{Claims: claims}.Customer("https://as.example")
		if err == nil && (subject == "") == (login == "") || err != nil && subject+login != "" {
			t.Errorf("names %q and %q, %v", subject, login, err)
		}
	})
}
