package oauth_test

import (
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
)

func TestCheckVerifier(t *testing.T) {
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, Appendix B
	const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	long := strings.Repeat("-._~", 32)

	tests := []struct {
		name, verifier, challenge string
		clause                    oauth.Clause
	}{
		{"the verifier of the challenge", verifier, challenge, ""},
		{"the longest one", long, "wEN2Mh1i33jhevH7WF-NulA1aGJPY9l0zG2M4t8rhw4", ""},
		{"neither", "", "", ""},
		{"no verifier", "", challenge, "RFC 7636 §4.6"},
		{"no challenge", verifier, "", "RFC 9700 §2.1.1"},
		{"another verifier", verifier[1:] + "A", challenge, "RFC 7636 §4.6"},
		{"the challenge itself", challenge, challenge, "RFC 7636 §4.6"},
		{"a short verifier", verifier[1:], challenge, "RFC 7636 §4.1"},
		{"a long verifier", long + "-", challenge, "RFC 7636 §4.1"},
		{"a reserved character", verifier[1:] + "+", challenge, "RFC 7636 §4.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			judge(t, oauth.CheckVerifier(tt.verifier, tt.challenge), oauth.InvalidGrant, tt.clause)
		})
	}
}
