package conformance

import (
	"fmt"
	"strings"
	"time"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertion returns the client assertion for a request to an endpoint, as the
// tweaks want it.
func (s *session) assertion(endpoint string) (string, error) {
	switch how := s.tweaks.get("assertion"); how {
	case "":
	case "reuse":
		return s.sent.assertion, nil
	case "garbage":
		return "not.a.jwt", nil
	default:
		return "", fmt.Errorf("with assertion=%s means nothing", how)
	}
	change := s.tweaks.of("assertion")
	claims := map[string]any{
		"iss": s.client.id, "sub": s.client.id, "aud": s.issuer(), "jti": random(),
		"iat": s.now().Unix(), "nbf": s.now().Unix(), "exp": s.now().Add(time.Minute).Unix(),
	}
	if err := change.apply(claims, s.now(), "aud", "alg", "typ", "kid", "key", "signature"); err != nil {
		return "", err
	}
	if err := s.audience(claims, change.get("aud"), endpoint); err != nil {
		return "", err
	}
	return s.signAssertion(claims, change)
}

// audience sets aud to what core.md calls the audience matrix.
func (s *session) audience(claims map[string]any, aud, endpoint string) error {
	endpoints := s.house.issuers[s.client.issuer].endpoints
	switch aud {
	case "":
	case "none":
		delete(claims, "aud")
	case "array":
		claims["aud"] = []string{s.issuer()}
	case "both":
		claims["aud"] = []string{s.issuer(), endpoints["token_endpoint"]}
	case "token":
		claims["aud"] = endpoints["token_endpoint"]
	case "backchannel":
		claims["aud"] = endpoints["backchannel_authentication_endpoint"]
	case "par":
		claims["aud"] = endpoints["pushed_authorization_request_endpoint"]
	case "mtls":
		claims["aud"] = endpoints["mutual.token_endpoint"]
	case "endpoint":
		claims["aud"] = s.address(endpoint)
	case "other":
		claims["aud"] = "https://other.example"
	case "slash":
		claims["aud"] = s.issuer() + "/"
	default:
		if !strings.HasPrefix(aud, "[") {
			return fmt.Errorf("aud=%s means nothing", aud)
		}
		claims["aud"] = literal(word{text: aud})
	}
	return nil
}

func (s *session) signAssertion(claims map[string]any, change tweaks) (string, error) {
	jwt, err := s.signAs(map[string]any{"typ": "client-authentication+jwt"}, claims, change)
	s.sent.assertion = jwt
	return jwt, err
}

// signAs signs claims with the client's key, or as the tweaks want it.
func (s *session) signAs(header, claims map[string]any, change tweaks) (string, error) {
	by := s.client
	if other := change.get("key"); other != "" {
		if by = s.house.clients[other]; by == nil {
			return "", fmt.Errorf("there is no client %s", other)
		}
	}
	if len(by.keys) == 0 {
		return "", fmt.Errorf("%s has no key", by.id)
	}
	k := by.keys[0]
	alg := k.alg
	if asked := change.get("alg"); asked != "" {
		k, alg = by.key(asked), asked
	}
	header["kid"] = k.id
	if err := change.header(header); err != nil {
		return "", err
	}
	jwt, err := jws(header, claims, k, alg)
	if change.get("signature") == "broken" {
		jwt = broken(jwt)
	}
	return jwt, err
}

// header changes typ and kid of a JWT's header.
func (w tweaks) header(header map[string]any) error {
	for _, name := range []string{"typ", "kid"} {
		switch value := w.get(name); value {
		case "":
		case "none":
			delete(header, name)
		default:
			header[name] = value
		}
	}
	return nil
}
