package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
)

// genuine verifies a JWS as a stranger does who knows nothing but RFC 7515, RFC
// 7518 and the issuer's jwks_uri, and returns its claims.
func (c *teller) genuine(issuer, typ, compact string) map[string]any {
	c.Helper()
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		c.Fatalf("not a JWS: %s", compact)
	}
	header := object(c.T, decoded(c.T, parts[0]))
	if header["typ"] != typ || header["alg"] != "ES256" {
		c.Fatalf("got %v, want typ %s", header, typ)
	}
	w := c.serve(httptest.NewRequest("GET", "https://as.example/"+issuer+"/jwks", nil))
	var set struct {
		Keys []struct{ Kid, X, Y string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil {
		c.Fatalf("%s: %v", w.Body, err)
	}
	for _, key := range set.Keys {
		if key.Kid != header["kid"] {
			continue
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, decoded(c.T, key.X), decoded(c.T, key.Y)))
		c.must(err)
		digest, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), decoded(c.T, parts[2])
		if len(signature) != 64 || !ecdsa.Verify(public, digest[:], number(signature[:32]), number(signature[32:])) {
			c.Fatalf("not signed by %s: %s", key.Kid, compact)
		}
		return object(c.T, decoded(c.T, parts[1]))
	}
	c.Fatalf("%v is not in %s", header["kid"], w.Body)
	return nil
}

func decoded(t *testing.T, part string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func number(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

// RFC 8417, Section 2.2, and RFC 8935, Section 2.1.
func TestSecurityEventTokens(t *testing.T) {
	type members = map[string]any
	tests := []struct {
		name string
		do   consent.Command
		want members
	}{
		{"authorized", nil, members{"status": "authorized", "by": "customer"}},
		{"amended", consent.Amend{Amended: consent.Amended{Scope: "accounts", Expires: time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)}, Subject: "zelda"}, members{"status": "authorized", "by": "customer"}},
		{"reauthenticated", consent.Reauthenticate{Subject: "zelda"}, members{"status": "authorized", "by": "customer"}},
		{"suspended", consent.Suspend{Suspended: consent.Suspended{By: consent.Bank, Reason: "Zelda's case 17"}}, members{"status": "suspended", "by": "bank"}},
		{"revoked", consent.Revoke{Revoked: consent.Revoked{By: consent.Customer, Reason: "Zelda's own words"}}, members{"status": "revoked", "by": "customer"}},
		{"superseded", consent.Supersede{Superseded: consent.Superseded{By: "c2"}}, members{"status": "superseded", "superseded_by": "c2"}},
		{"consumed", consent.Consume{}, members{"status": "consumed"}},
		{"expired", consent.NoteExpiry{At: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, members{"status": "expired"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTeller(t)
			c.gives("c1", "budget")
			if tt.do != nil {
				c.tell()
				c.pass(time.Minute)
				_, err := c.Consents.Execute(t.Context(), event.Meta{Subject: "zelda", Correlation: "authorization-a1"}, "c1", tt.do)
				c.must(err)
			}
			told, happened := c.one(), c.Now().Unix()
			c.pass(time.Hour)
			m := c.message(told)
			if m.Media != "application/secevent+jwt" || m.Accept != "application/json" || m.Bearer != "" || m.URL != "https://budget.example/events" || m.Issuer != "ciba" {
				t.Errorf("got %+v", m)
			}
			tt.want["consent_id"] = "c1"
			want := members{
				"iss": openURL, "aud": "budget", "iat": float64(happened), "toe": float64(happened), "jti": told, "txn": "authorization-a1",
				"sub_id": members{"format": "opaque", "id": "c1"}, "events": members{"urn:chirograph:event:consent-" + tt.name: tt.want},
			}
			if got := c.genuine("ciba", "secevent+jwt", string(m.Body)); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if life := c.delivery(told).Until().Unix() - happened; life != int64(72*time.Hour/time.Second) {
				t.Errorf("it is told for %d s", life)
			}
		})
	}
}

// A device learns that a request waits and nothing of what it asks.
func TestDeviceNotification(t *testing.T) {
	c := newTeller(t)
	c.has("d1", "https://app.example/hook")
	id, authReqID := c.asked("poller")
	told := c.one()
	m := c.message(told)
	if m.Media != "application/jwt" || m.URL != "https://app.example/hook" || m.Issuer != "ciba" || m.Bearer != "" {
		t.Errorf("got %+v", m)
	}
	state, _, err := c.Backchannels.Load(t.Context(), id)
	c.must(err)
	want := map[string]any{
		"iss": openURL, "aud": "d1", "iat": float64(c.Now().Unix()), "exp": float64(state.Requested().Expires.Unix()), "jti": told, "request": id,
	}
	if got := c.genuine("ciba", "device-notification+jwt", string(m.Body)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if strings.Contains(string(m.Body), authReqID) {
		t.Error("it holds auth_req_id")
	}
}
