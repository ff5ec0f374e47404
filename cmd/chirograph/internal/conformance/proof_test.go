package conformance

import (
	"fmt"
	"net/http"
	"strings"
)

// prove adds DPoP headers to a request (RFC 9449, Section 4.1). role is who
// gets them: "as" for the authorization server, "rs" for a protected resource.
func (s *session) prove(r *request, role, accessToken string) error {
	switch how := s.tweaks.get("dpop"); how {
	case "none":
		return nil
	case "garbage":
		r.header.Set("DPoP", "not a proof")
		return nil
	case "reuse":
		r.header.Set("DPoP", s.sent.proof)
		return nil
	case "", "send", "twice":
	default:
		return fmt.Errorf("with dpop=%s means nothing", how)
	}
	proof, err := s.proof(*r, role, accessToken)
	if err != nil {
		return err
	}
	s.sent.proof = proof
	r.header.Set("DPoP", proof)
	if s.tweaks.get("dpop") == "twice" {
		r.header.Add("DPoP", proof)
	}
	return nil
}

func (s *session) proof(r request, role, accessToken string) (string, error) {
	change := s.tweaks.of("dpop")
	htu, _, _ := strings.Cut(r.url, "?")
	claims := map[string]any{"jti": random(), "htm": r.method, "htu": htu, "iat": s.now().Unix()}
	if accessToken != "" {
		claims["ath"] = digest(accessToken)
	}
	if nonce := s.nonces[role]; nonce != "" {
		claims["nonce"] = nonce
	}
	if err := change.apply(claims, s.now(), "alg", "typ", "kid", "key", "signature", "jwk"); err != nil {
		return "", err
	}
	k, err := s.holder(change)
	if err != nil {
		return "", err
	}
	header := map[string]any{"typ": "dpop+jwt"}
	if err := addJWK(header, k, change.get("jwk")); err != nil {
		return "", err
	}
	if err := change.header(header); err != nil {
		return "", err
	}
	alg := change.get("alg")
	if alg == "" {
		alg = k.alg
	}
	jwt, err := jws(header, claims, k, alg)
	if change.get("signature") == "broken" {
		jwt = broken(jwt)
	}
	return jwt, err
}

// holder returns the key of the proof: the client's, another client's, or one
// made for the algorithm.
func (s *session) holder(change tweaks) (key, error) {
	if other := change.get("key"); other != "" {
		c := s.house.clients[other]
		if c == nil {
			return key{}, fmt.Errorf("there is no client %s", other)
		}
		return c.holder, nil
	}
	switch change.get("alg") {
	case "RS256", "PS256":
		return s.house.clients["budgetly"].key("PS256"), nil
	case "EdDSA", "Ed25519":
		return s.house.clients["budgetly"].key("EdDSA"), nil
	}
	return s.client.holder, nil
}

func addJWK(header map[string]any, k key, how string) error {
	jwk := k.jwk(how == "private")
	delete(jwk, "kid")
	delete(jwk, "use")
	switch how {
	case "", "private":
		header["jwk"] = jwk
	case "other": // not the key that signs
		header["jwk"] = publicJWK(newKey("", "ES256").signer.Public())
	case "symmetric":
		header["jwk"] = map[string]any{"kty": "oct", "k": random()}
	case "missing":
	default:
		return fmt.Errorf("dpop.jwk=%s means nothing", how)
	}
	return nil
}

// attempt sends what build makes, and once more with the nonce that the server
// asks for, as clients must (FAPI2-SP §5.3.3.1-2.8), unless the script chose
// the nonce or repeats an old proof.
func (s *session) attempt(role string, build func() (request, error)) error {
	chosen := s.tweaks["dpop.nonce"] != nil || s.tweaks.get("dpop") == "reuse"
	kept := s.tweaks
	for again := range 2 {
		r, err := build()
		if err != nil {
			return err
		}
		if err := s.dispatch(r); err != nil {
			return err
		}
		if nonce := s.answer.header.Get("DPoP-Nonce"); nonce != "" && !chosen {
			s.nonces[role] = nonce
		}
		if again > 0 || chosen || !s.answer.asksForNonce() {
			return nil
		}
		s.tweaks = kept
	}
	return nil
}

func (a answer) asksForNonce() bool {
	return a.status >= http.StatusBadRequest && (strings.Contains(string(a.body), `"use_dpop_nonce"`) ||
		strings.Contains(a.header.Get("WWW-Authenticate"), `"use_dpop_nonce"`))
}
