// Package resource is what a resource server mounts in front of its data:
// token, binding, scope, consent and permission checks, challenges, and the
// record of each access, which is durable before the data leave.
package resource

import (
	"context"
	"net/http"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Presented is an access token as it arrived, with what proves its holder.
type Presented struct {
	Scheme      string // as sent: "Bearer" or "DPoP" in any letter case
	Token       string
	Proofs      []string // DPoP headers
	Method      string
	URLs        []string // the addresses under which the request's target is configured
	Certificate *oauth.Certificate
	Interaction string
	Address     string
	UserAgent   string
}

// Present reads the access token from the Authorization header. A token in the
// query is refused (FAPI2-SP, Section 5.3.4). urls are the configured
// addresses of the target: Host and forwarded headers are never believed.
func Present(r *http.Request, urls []string, cert *oauth.Certificate) (Presented, error) {
	if r.URL.Query().Has("access_token") {
		return Presented{}, oauth.Refuse(oauth.InvalidRequest, "FAPI2-SP §5.3.4-2.2", "an access token must not be in the query")
	}
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return Presented{}, ErrNoToken
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	known := strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "DPoP")
	switch {
	case len(headers) > 1:
		return Presented{}, oauth.Refuse(oauth.InvalidRequest, "RFC 6750 §3.1", "there must be one Authorization header")
	case !known:
		return Presented{}, ErrNoToken
	case len(token) > maxToken:
		return Presented{}, oauth.Refuse(oauth.InvalidRequest, "RFC 6750 §2.1", "the access token is too long")
	case token == "" || strings.ContainsFunc(token, notInToken):
		return Presented{}, oauth.Refuse(oauth.InvalidRequest, "RFC 6750 §2.1", "the Authorization header is malformed")
	}
	return Presented{
		Scheme: scheme, Token: token, Proofs: r.Header.Values("DPoP"), Method: r.Method, URLs: urls, Certificate: cert,
		Interaction: r.Header.Get("x-fapi-interaction-id"), UserAgent: r.UserAgent(),
	}, nil
}

const maxToken = 16 << 10

// notInToken reports characters that a b64token has not (RFC 6750, Section 2.1).
func notInToken(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~+/=", c))
}

// ErrNoToken refuses a request without credentials: it is challenged without
// an error code (RFC 6750, Section 3.1).
var ErrNoToken error = &oauth.Error{Code: oauth.InvalidToken, By: "RFC 6750 §3.1", Description: "an access token is required"}

// A Checker decides whether a presented token is active at this moment and
// held by its presenter. It refuses with an [*oauth.Error]. If the token is
// genuine but no longer active it returns a Pass beside the error, so that the
// attempt can be recorded.
type Checker interface {
	Check(ctx context.Context, p Presented) (Pass, error)
	// Nonce returns a fresh DPoP nonce for the next proof, "" if none is used.
	Nonce() string
	// Algorithms are those accepted for DPoP proofs.
	Algorithms() []string
}

// A Pass is a checked token and what it permits now.
type Pass interface {
	Grant() Grant
	// Permits reports whether the consent covers a permission on an account;
	// "" asks about any account.
	Permits(permission, account string) bool
	Accounts(permission string) []string
	// HistoryFrom is the first day of transactions, YYYY-MM-DD, "" for no limit.
	HistoryFrom(account string) string
	// Record appends the access to the log. Data may leave only if it returns
	// nil. It refuses with an [*oauth.Error] if the proof was used before.
	Record(ctx context.Context, a Access) error
}

// A Grant is what a token says.
type Grant struct {
	Token   string // jti
	Client  string
	Subject string
	Consent string
	Scope   string
}

// An Access is one line of the log about one request.
type Access struct {
	Route      string // as declared, without account ids
	Permission string
	Result     int // HTTP status
	Accounts   []string
}
