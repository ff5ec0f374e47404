package conformance

import (
	"encoding/json"
	"net/http"
)

// register registers a client with the initial access token of the issuer
// (RFC 7591, Section 3.1). What is not named is as good as budgetly's.
func register(s *session, args []word) error {
	c := web("registered", "ES256").dpop()
	body, err := members(map[string]any{
		"client_name": "Registered", "redirect_uris": c.metadata.RedirectURIs, "token_endpoint_auth_method": "private_key_jwt",
		"jwks": c.metadata.JWKS, "grant_types": c.metadata.GrantTypes, "response_types": []string{"code"},
		"scope": allScopes, "dpop_bound_access_tokens": true,
	}, args)
	if err != nil {
		return err
	}
	token, err := s.house.initialToken(s.client.issuer)
	if err != nil {
		return err
	}
	r := request{"POST", s.address("registration_endpoint"), bearer(token), body}
	r.header.Set("Content-Type", "application/json")
	if err := s.dispatch(r); err != nil || s.answer.status != http.StatusCreated {
		return err
	}
	return s.adopt(c)
}

// adopt makes what was registered a client that the script can be.
func (s *session) adopt(c *client) error {
	var known struct {
		ID          string `json:"client_id"`
		AccessToken string `json:"registration_access_token"`
		URI         string `json:"registration_client_uri"`
	}
	if err := json.Unmarshal(s.answer.body, &known); err != nil {
		return err
	}
	c.id, c.issuer, c.management = known.ID, s.client.issuer, known.AccessToken
	s.saved["registration_client_uri"], s.saved["registration_access_token"] = known.URI, known.AccessToken
	s.clients["registered"] = c
	return nil
}

// manage reads, replaces or deletes a registration (RFC 7592, Section 2).
func manage(s *session, args []word) error {
	c := s.clients["registered"]
	if c == nil || len(args) == 0 {
		return errUsage
	}
	r := request{method: args[0].text, url: s.saved["registration_client_uri"], header: bearer(s.saved["registration_access_token"])}
	if r.method == "PUT" {
		body, err := members(map[string]any{
			"client_id": c.id, "redirect_uris": c.metadata.RedirectURIs, "token_endpoint_auth_method": "private_key_jwt",
			"jwks": c.metadata.JWKS, "scope": allScopes, "dpop_bound_access_tokens": true,
		}, args[1:])
		if err != nil {
			return err
		}
		r.body = body
		r.header.Set("Content-Type", "application/json")
	}
	return s.dispatch(r)
}

func bearer(token string) http.Header {
	if token == "" {
		return http.Header{}
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}
