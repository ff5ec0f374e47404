package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/chirograph/chirograph/domain/oauth"
)

// askCustomer sends an authentication request (CIBA, Section 7.1): signed if
// the client registered to sign, and with a fresh token to be called with.
func askCustomer(s *session, args []word) error {
	params := fields{
		{"scope", s.client.metadata.Scope}, {"login_hint", "alice"}, {"binding_message", "till 4, 12:30"},
	}
	if s.client.metadata.DeliveryMode != oauth.Poll {
		s.saved["notification_token"] = random()
		params = append(params, field{"client_notification_token", s.saved["notification_token"]})
	}
	params, err := params.with(args)
	if err != nil {
		return err
	}
	form := fields{{"client_id", s.client.id}}
	how := s.tweaks.get("request")
	if signs := s.client.metadata.RequestAlg != ""; !signs && how == "" || how == "unsigned" {
		form = append(form, params...)
	} else {
		request, err := s.signedRequest(params)
		if err != nil {
			return err
		}
		form = append(form, field{"request", request})
	}
	return s.form("backchannel_authentication_endpoint", s.client.proves(), form, s.tweaks.outside())
}

// outside returns what is sent beside a signed request.
func (w tweaks) outside() (words []word) {
	for name, values := range w.of("outside") {
		for _, v := range values {
			words = append(words, word{name + "=" + v.text, v.quoted})
		}
	}
	return words
}

// signedRequest is the JWT of a request (CIBA, Section 7.1.1), as the tweaks
// want it.
func (s *session) signedRequest(params fields) (string, error) {
	switch how := s.tweaks.get("request"); how {
	case "", "signed":
	case "reuse":
		return s.sent.request, nil
	case "garbage":
		return "not.a.jwt", nil
	default:
		return "", fmt.Errorf("with request=%s means nothing", how)
	}
	claims := map[string]any{
		"iss": s.client.id, "aud": s.issuer(), "jti": random(),
		"iat": s.now().Unix(), "nbf": s.now().Unix(), "exp": s.now().Add(5 * 60e9).Unix(),
	}
	for _, p := range params {
		claims[p.name] = claim(p)
	}
	change := s.tweaks.of("request")
	if err := change.apply(claims, s.now(), "aud", "alg", "typ", "kid", "key", "signature"); err != nil {
		return "", err
	}
	if err := s.audience(claims, change.get("aud"), "backchannel_authentication_endpoint"); err != nil {
		return "", err
	}
	jwt, err := s.signAs(map[string]any{}, claims, change)
	s.sent.request = jwt
	return jwt, err
}

// claim is the value of a parameter in a signed request: what is JSON by its
// definition is so there too.
func claim(p field) any {
	switch n, err := strconv.ParseInt(p.value, 10, 64); {
	case p.name == "requested_expiry" && err == nil:
		return n
	case (p.name == "authorization_details" || p.name == "request_context") && json.Valid([]byte(p.value)):
		return json.RawMessage(p.value)
	}
	return p.value
}

// poll presents auth_req_id at the token endpoint (CIBA, Section 10.1).
func poll(s *session, args []word) error {
	return s.form("token_endpoint", s.client.proves(), fields{
		{"client_id", s.client.id}, {"grant_type", oauth.GrantCIBA}, {"auth_req_id", s.saved["auth_req_id"]},
	}, args)
}

// decideFor answers in place of the customer, as test tools do: a POST without
// a body.
func decideFor(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	query := url.Values{"auth_req_id": {s.saved["auth_req_id"]}, "action": {args[0].text}}
	return s.dispatch(request{"POST", s.issuer() + "/backchannel/decide?" + query.Encode(), http.Header{"Content-Type": {formMedia}}, ""})
}
