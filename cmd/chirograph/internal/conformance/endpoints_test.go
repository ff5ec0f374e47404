package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
)

// form sends a form to an endpoint of the authorization server as the client:
// authenticated as it registered, and with a proof where proofs count.
func (s *session) form(endpoint string, provable bool, f fields, args []word) error {
	f, err := f.with(args)
	if err != nil {
		return err
	}
	return s.attempt("as", func() (request, error) {
		all, err := s.authenticated(endpoint, f)
		if err != nil {
			return request{}, err
		}
		r := request{"POST", s.address(endpoint), http.Header{"Content-Type": {formMedia}}, all.encode()}
		if method := s.tweaks.get("method"); method != "" {
			r.method = method // so that the proof fits it
		}
		if provable || s.tweaks.get("dpop") != "" || len(s.tweaks.of("dpop")) > 0 {
			err = s.prove(&r, "as", "")
		}
		return r, err
	})
}

// authenticated adds a client assertion to a form, if the client uses them and
// the script does not bring its own.
func (s *session) authenticated(endpoint string, f fields) (fields, error) {
	changed := s.tweaks.get("assertion") != "" || len(s.tweaks.of("assertion")) > 0
	if s.tweaks.get("assertion") == "none" || !s.client.signs() && !changed || f.value("client_assertion") != "" {
		return f, nil
	}
	assertion, err := s.assertion(endpoint)
	if err != nil {
		return nil, err
	}
	kind := assertionType
	if s.tweaks["client_assertion_type"] != nil {
		kind = s.tweaks.get("client_assertion_type")
	}
	all := append(fields{}, f...)
	if kind != "" {
		all = append(all, field{"client_assertion_type", kind})
	}
	return append(all, field{"client_assertion", assertion}), nil
}

// pushRequest pushes an authorization request (RFC 9126, Section 2.1) with a
// fresh code_challenge, state and nonce (FAPI2-SP §5.3.3.2-2.4).
func pushRequest(s *session, args []word) error {
	verifier, state, nonce := random(), random(), random()
	s.saved["verifier"], s.saved["state"], s.saved["nonce"] = verifier, state, nonce
	s.saved["challenge"] = digest(verifier)
	return s.form("pushed_authorization_request_endpoint", false, fields{
		{"client_id", s.client.id}, {"response_type", "code"}, {"redirect_uri", s.client.redirect()}, {"scope", s.client.metadata.Scope},
		{"state", state}, {"nonce", nonce}, {"code_challenge", digest(verifier)}, {"code_challenge_method", "S256"},
	}, args)
}

func redeem(s *session, args []word) error {
	return s.form("token_endpoint", s.client.proves(), fields{
		{"client_id", s.client.id}, {"grant_type", "authorization_code"}, {"code", s.saved["code"]},
		{"redirect_uri", s.client.redirect()}, {"code_verifier", s.saved["verifier"]},
	}, args)
}

func refresh(s *session, args []word) error {
	return s.form("token_endpoint", s.client.proves(), fields{
		{"client_id", s.client.id}, {"grant_type", "refresh_token"}, {"refresh_token", s.saved["refresh_token"]},
	}, args)
}

func clientCredentials(s *session, args []word) error {
	return s.form("token_endpoint", s.client.proves(), fields{
		{"client_id", s.client.id}, {"grant_type", "client_credentials"}, {"scope", "accounts"},
	}, args)
}

func introspect(s *session, args []word) error {
	return s.form("introspection_endpoint", false, fields{{"client_id", s.client.id}, {"token", s.saved["token"]}}, args)
}

func revoke(s *session, args []word) error {
	return s.form("revocation_endpoint", false, fields{{"client_id", s.client.id}, {"token", s.saved["token"]}}, args)
}

func userinfo(s *session, args []word) error {
	return s.read(s.address("userinfo_endpoint"), args)
}

// readResource reads a path of the accounts API, on the listener that the
// client uses.
func readResource(s *session, args []word) error {
	if len(args) == 0 || !strings.HasPrefix(args[0].text, "/") {
		return errUsage
	}
	mutual := s.tweaks.get("at") == "mutual" || s.client.mutual() && s.tweaks.get("at") != "public"
	return s.read(s.resource(mutual)+args[0].text, args[1:])
}

// read presents the access token, or token=..., in the header.
func (s *session) read(url string, args []word) error {
	f, err := fields{{"token", s.saved["token"]}}.with(args)
	if err != nil {
		return err
	}
	token := f.value("token")
	return s.attempt("rs", func() (request, error) {
		r := request{method: "GET", url: url, header: http.Header{}}
		if method := s.tweaks.get("method"); method != "" {
			r.method = method
		}
		scheme := s.tweaks.get("scheme")
		if scheme == "" && s.client.proves() {
			scheme = "DPoP"
		} else if scheme == "" {
			scheme = "Bearer"
		}
		if token != "" {
			r.header.Set("Authorization", scheme+" "+token)
		}
		if s.client.proves() || len(s.tweaks.of("dpop")) > 0 {
			err = s.prove(&r, "rs", token)
		}
		return r, err
	})
}

func get(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	return s.dispatch(request{method: "GET", url: args[0].text, header: http.Header{}})
}

func post(s *session, args []word) error {
	if len(args) == 0 {
		return errUsage
	}
	f, err := fields{}.with(args[1:])
	if err != nil {
		return err
	}
	return s.dispatch(request{"POST", args[0].text, http.Header{"Content-Type": {formMedia}}, f.encode()})
}

// members reads fields as members of a JSON object: a value that is JSON stands
// for itself, any other is a string.
func members(object map[string]any, args []word) (string, error) {
	for _, w := range args {
		name, value, ok := w.field()
		if !ok {
			return "", errUsage
		}
		var parsed any
		switch err := json.Unmarshal([]byte(value.text), &parsed); {
		case value.text == "" && !value.quoted:
			delete(object, name)
		case err == nil:
			object[name] = parsed
		default:
			object[name] = value.text
		}
	}
	raw, err := json.Marshal(object)
	return string(raw), err
}
