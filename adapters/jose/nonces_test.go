package jose

import (
	"testing"
	"time"
)

func TestNonces(t *testing.T) {
	const issuer = "https://bank.example"
	start := time.Unix(1700000040, 0) // the first second of a slot
	nonces := Nonces{Key: [32]byte{1}}
	nonce := nonces.Issue(issuer, "resource", start)
	tests := []struct {
		name   string
		nonces Nonces
		nonce  string
		issuer string
		role   string
		now    time.Time
		want   bool
	}{
		{"a nonce counts in its slot", nonces, nonce, issuer, "resource", start.Add(59 * time.Second), true},
		{"and in the next", nonces, nonce, issuer, "resource", start.Add(119 * time.Second), true},
		{"but no longer", nonces, nonce, issuer, "resource", start.Add(120 * time.Second), false},
		{"a node that is up to a slot behind takes it", nonces, nonce, issuer, "resource", start.Add(-time.Second), true},
		{"one that is further behind does not", nonces, nonce, issuer, "resource", start.Add(-61 * time.Second), false},
		{"nor at another issuer", nonces, nonce, issuer + "/2", "resource", start, false},
		{"nor in another role", nonces, nonce, issuer, "authorization", start, false},
		{"nor where issuer and role only join alike", nonces, nonce, issuer + "r", "esource", start, false},
		{"nor under another key", Nonces{}, nonce, issuer, "resource", start, false},
		{"a part of it is not it", nonces, nonce[:len(nonce)-1], issuer, "resource", start, false},
		{"nothing is no nonce", nonces, "", issuer, "resource", start, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.nonces.Valid(tt.nonce, tt.issuer, tt.role, tt.now); got != tt.want {
				t.Errorf("got %v; want %v", got, tt.want)
			}
		})
	}
}
