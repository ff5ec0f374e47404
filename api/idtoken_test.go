package api

import (
	"crypto/sha512"
	"encoding/base64"
	"testing"
)

// OIDC-Core §3.1.3.6: half of the hash that belongs to the algorithm of the
// signature, which is SHA-512 for Ed25519.
func TestHalfHash(t *testing.T) {
	const token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y" // OIDC-Core, Appendix A.3
	long := sha512.Sum512([]byte(token))
	for alg, want := range map[string]string{
		"ES256": "77QmUPtjPfzWtF2AnpK9RQ", "PS256": "77QmUPtjPfzWtF2AnpK9RQ", "EdDSA": base64.RawURLEncoding.EncodeToString(long[:32]),
	} {
		if got := halfHash(alg, token); got != want {
			t.Errorf("%s: %s, want %s", alg, got, want)
		}
	}
}
