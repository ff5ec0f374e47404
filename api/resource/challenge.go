package resource

import (
	"net/http"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Status is the HTTP status of a refusal at a protected resource, where a bad
// proof is as good as no token (RFC 6750, Section 3.1; RFC 9449, Section 7.1).
func Status(code oauth.Code) int {
	switch code {
	case oauth.InvalidToken, oauth.InvalidDPoPProof, oauth.UseDPoPNonce:
		return http.StatusUnauthorized
	case oauth.InsufficientScope:
		return http.StatusForbidden
	case oauth.ServerError:
		return http.StatusInternalServerError
	case oauth.TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// Challenge sets WWW-Authenticate for a refusal (RFC 6750, Section 3; RFC 9449,
// Section 7.1): one challenge a scheme. scope is what the request needs, "" if
// no scope would help; algs are those accepted for proofs.
func Challenge(h http.Header, refusal *oauth.Error, scope string, algs []string) {
	var params []string
	if error(refusal) != ErrNoToken {
		params = append(params, parameter("error", string(refusal.Code)), parameter("error_description", Describe(refusal)))
	}
	if scope != "" && refusal.Code == oauth.InsufficientScope {
		params = append(params, parameter("scope", scope))
	}
	bearer := "Bearer " + strings.Join(params, ", ")
	h.Set("WWW-Authenticate", "DPoP "+strings.Join(append(params, parameter("algs", strings.Join(algs, " "))), ", "))
	if refusal.Code == oauth.InvalidDPoPProof || refusal.Code == oauth.UseDPoPNonce {
		return // without the proof the token would be refused again
	}
	h.Add("WWW-Authenticate", strings.TrimSpace(bearer))
}

func parameter(name, value string) string { return name + `="` + value + `"` }

// Describe writes the sentence and the clause of a refusal in the characters
// that RFC 6749, Section 5.2 and RFC 6750, Section 3 permit.
func Describe(e *oauth.Error) string {
	text := e.Description
	if e.By != "" {
		text += " [" + strings.ReplaceAll(string(e.By), "§", "Section ") + "]"
	}
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return '\''
		}
		return c
	}, text)
}
