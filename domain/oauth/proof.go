package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// Judging holds what the rules for received JWTs depend on besides the JWT.
type Judging struct {
	Now    time.Time
	Issuer string

	// Endpoints are the URLs of the token endpoint and of the endpoint that was
	// called, on every listener.
	Endpoints []string
}

// maxJTI bounds what is remembered against replay, in bytes.
const maxJTI = 256

// longestAssertion is how far ahead exp may lie, so that replay keys expire.
const longestAssertion = 10 * time.Minute

// CheckAssertion returns the first rule that a client assertion breaks
// (RFC 7523, Section 3; OIDC-Core, Section 9).
func (p Profile) CheckAssertion(a Assertion, clientID string, j Judging) error {
	bad := func(broken bool, by Clause, description string) error {
		return refusal(broken, InvalidClient, by, description)
	}
	return first(
		p.SigningAlgs.check("alg of the client assertion", a.Algorithm, InvalidClient),
		bad(a.Issuer != clientID, "RFC 7523 §3", "iss of the client assertion must be the client_id"),
		bad(a.Subject != clientID, "RFC 7523 §3", "sub of the client assertion must be the client_id"),
		p.audience(a, j),
		bad(a.ID == "", "OIDC-Core §9", "jti of the client assertion is required"),
		bad(len(a.ID) > maxJTI, "RFC 7523 §3", "jti of the client assertion is longer than 256 bytes"),
		bad(a.Expires.IsZero(), "RFC 7523 §3", "exp of the client assertion is required"),
		bad(!j.Now.Before(a.Expires), "RFC 7523 §3", "the client assertion has expired"),
		bad(a.Expires.After(j.Now.Add(longestAssertion)), "RFC 7523 §3", "exp of the client assertion is more than 10 minutes ahead"),
		p.notAhead("iat of the client assertion", a.IssuedAt, j.Now, InvalidClient),
		p.notAhead("nbf of the client assertion", a.NotBefore, j.Now, InvalidClient),
	)
}

// audience takes the issuer, and where the profile leaves it open the endpoint
// that was called or the token endpoint too (CIBA, Section 7.1).
func (p Profile) audience(a Assertion, j Judging) error {
	if p.AssertionAudience.Demanded {
		exact := a.AudienceOne && len(a.Audience) == 1 && a.Audience[0] == j.Issuer
		return refusal(!exact, InvalidClient, p.AssertionAudience.By, "aud of the client assertion must be the issuer identifier, as a string")
	}
	ours := func(aud string) bool { return aud == j.Issuer || slices.Contains(j.Endpoints, aud) }
	return refusal(!slices.ContainsFunc(a.Audience, ours), InvalidClient, "RFC 7523 §3", "aud of the client assertion must name the issuer or the endpoint")
}

func (p Profile) notAhead(name string, t, now time.Time, code Code) error {
	ahead := p.ClockAhead.Max
	return refusal(ahead > 0 && t.After(now.Add(ahead)), code, p.ClockAhead.By, name+" is too far in the future")
}

// Proving is the request that a DPoP proof must fit.
type Proving struct {
	Judging
	Method      string
	URLs        []string // the endpoint's configured URLs
	SameURI     func(a, b string) bool
	AccessToken string                  // at a resource server
	Thumbprint  string                  // of the key the token is bound to, at a resource server
	NonceValid  func(nonce string) bool // nil for a server that hands out none
	NonceNeeded bool
}

// proofLife is how old iat of a proof may be where no nonce proves freshness.
const proofLife = 5 * time.Minute

// CheckProof returns the first rule of RFC 9449, Section 4.3 that a proof
// breaks. Format, type, algorithm and signature were checked before.
func (p Profile) CheckProof(proof Proof, w Proving) error {
	bad := func(broken bool, by Clause, description string) error {
		return refusal(broken, InvalidDPoPProof, by, description)
	}
	nonceGood := proof.Nonce != "" && w.NonceValid != nil && w.NonceValid(proof.Nonce)
	nonceBad := proof.Nonce != "" && w.NonceValid != nil && !nonceGood
	return first(
		p.SigningAlgs.check("alg of the DPoP proof", proof.Algorithm, InvalidDPoPProof),
		bad(proof.ID == "" || len(proof.ID) > maxJTI, "RFC 9449 §4.3-1.3", "jti of the DPoP proof must have 1 to 256 bytes"),
		bad(proof.Method != w.Method, "RFC 9449 §4.3-1.8", "htm of the DPoP proof is not the method of the request"),
		bad(!slices.ContainsFunc(w.URLs, func(u string) bool { return w.SameURI(u, proof.URI) }), "RFC 9449 §4.3-1.9", "htu of the DPoP proof is not the URI of the request"),
		refusal(w.NonceNeeded && !nonceGood, UseDPoPNonce, "RFC 9449 §8", "the DPoP proof needs a nonce of this server"),
		refusal(nonceBad, UseDPoPNonce, "RFC 9449 §4.3-1.10", "the nonce of the DPoP proof is not one of this server's recent ones"),
		bad(proof.IssuedAt.IsZero(), "RFC 9449 §4.3-1.3", "iat of the DPoP proof is required"),
		p.notAhead("iat of the DPoP proof", proof.IssuedAt, w.Now, InvalidDPoPProof),
		p.notAhead("nbf of the DPoP proof", proof.NotBefore, w.Now, InvalidDPoPProof),
		bad(!nonceGood && proof.IssuedAt.Before(w.Now.Add(-proofLife)), "RFC 9449 §4.3-1.11", "iat of the DPoP proof is too old"),
		bad(!proof.Expires.IsZero() && !w.Now.Before(proof.Expires), "RFC 7519 §4.1.4", "the DPoP proof has expired"),
		bad(w.AccessToken != "" && !sameHash(proof.AccessTokenHash, w.AccessToken), "RFC 9449 §4.3-1.12", "ath of the DPoP proof is not the hash of the access token"),
		refusal(w.Thumbprint != "" && !sameText(proof.Thumbprint, w.Thumbprint), InvalidToken, "RFC 9449 §4.3-1.12", "the access token is bound to another key"),
	)
}

func sameHash(ath, token string) bool {
	sum := sha256.Sum256([]byte(token))
	return sameText(ath, base64.RawURLEncoding.EncodeToString(sum[:]))
}

func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// CheckVerifier checks a code_verifier against the S256 challenge of the
// request (RFC 7636, Section 4.6).
func CheckVerifier(verifier, challenge string) error {
	sum := sha256.Sum256([]byte(verifier))
	good := sameText(base64.RawURLEncoding.EncodeToString(sum[:]), challenge)
	return first(
		refusal(verifier == "" && challenge != "", InvalidGrant, "RFC 7636 §4.6", "code_verifier is required"),
		refusal(verifier != "" && challenge == "", InvalidGrant, "RFC 9700 §2.1.1", "code_verifier was sent for a request without a code_challenge"),
		refusal(verifier != "" && !wellFormedVerifier(verifier), InvalidGrant, "RFC 7636 §4.1", "code_verifier must be 43 to 128 unreserved characters"),
		refusal(challenge != "" && !good, InvalidGrant, "RFC 7636 §4.6", "code_verifier does not match the code_challenge"),
	)
}

func wellFormedVerifier(v string) bool {
	return len(v) >= 43 && len(v) <= 128 && !strings.ContainsFunc(v, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~", c))
	})
}
