package oauth

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Server is what request rules need to know of the issuer that was asked.
type Server struct {
	Issuer    string
	Scopes    []string // scopes_supported
	Resources []string // acceptable values of resource
	ACRs      []string // acr_values_supported
	UserCodes bool     // backchannel_user_code_parameter_supported

	// Now is when the request arrived; access may not end before it.
	Now time.Time
}

// Check returns the first rule of p that r breaks, or nil, in the order a
// client should hear about them: the redirect URI first, because it decides
// where later errors may go.
func (p Profile) Check(r AuthorizationRequest, c Client, s Server) error {
	return first(
		refusal(r.RequestURI != "", InvalidRequest, "RFC 9126 §2.1", "request_uri must not be pushed"),
		refusal(r.Request != "", RequestNotSupported, "OIDC-Core §3.1.2.6", "request objects are not supported by this issuer"),
		refusal(r.ClientID != c.ID, InvalidRequest, "RFC 9126 §2.1", "client_id is not the authenticated client"),
		refusal(c.ResourceServer(), UnauthorizedClient, "RFC 6749 §4.1.2.1", "a resource server may not ask for authorization"),
		r.bounded(),
		r.redirectURI(p, c),
		refusal(!c.Grants("authorization_code"), UnauthorizedClient, "RFC 7591 §2", "the client is not registered for authorization_code"),
		present("response_type", r.ResponseType, "RFC 6749 §3.1.1"),
		p.ResponseTypes.check("response_type", r.ResponseType, UnsupportedResponseType),
		refusal(r.ResponseMode != "" && r.ResponseMode != "query", InvalidRequest, "OAuth Multiple Response Types §2.1", "response_mode must be query"),
		r.pkce(p),
		r.scope(c, s),
		r.authentication(),
		r.resource(s),
		refusal(r.DPoPJKT != "" && !thumbprint(r.DPoPJKT), InvalidRequest, "RFC 9449 §10", "dpop_jkt is not a SHA-256 thumbprint"),
		checkDetails(r, c, s),
		checkClaims(r, s),
	)
}

func present(name, value string, by Clause) error {
	return refusal(value == "", InvalidRequest, by, name+" is required")
}

// redirectURI compares as RFC 9700, Section 2.1 demands: exact string
// matching, save for the port of a loopback address (RFC 8252, Section 7.3).
func (r AuthorizationRequest) redirectURI(p Profile, c Client) error {
	if r.RedirectURI == "" {
		return refusal(p.RedirectURI.Demanded, InvalidRequest, p.RedirectURI.By, "redirect_uri is required")
	}
	registered := slices.ContainsFunc(c.RedirectURIs, func(known string) bool {
		return known == r.RedirectURI || sameLoopback(known, r.RedirectURI)
	})
	return refusal(!registered, InvalidRequest, "RFC 9700 §2.1", "redirect_uri is not registered")
}

func sameLoopback(known, sent string) bool {
	k, okK := withoutPort(known)
	s, okS := withoutPort(sent)
	return okK && okS && k == s
}

// withoutPort cuts the port out of a loopback URL and leaves every other
// character as it is.
func withoutPort(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || !loopback(u) {
		return "", false
	}
	return strings.Replace(raw, u.Host, strings.TrimSuffix(u.Host, ":"+u.Port()), 1), true
}

func loopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && err == nil && ip.IsLoopback()
}

func (r AuthorizationRequest) pkce(p Profile) error {
	if !p.PKCE.Demanded() && r.CodeChallenge == "" {
		return nil
	}
	return first(
		refusal(r.CodeChallenge == "", InvalidRequest, p.PKCE.By, "code_challenge is required"),
		p.PKCE.check("code_challenge_method", r.CodeChallengeMethod, InvalidRequest),
		refusal(r.CodeChallengeMethod != "S256", InvalidRequest, "RFC 7636 §4.4.1", "code_challenge_method must be S256"),
		refusal(!thumbprint(r.CodeChallenge), InvalidRequest, "RFC 7636 §4.2", "code_challenge is not a SHA-256 digest in base64url"),
	)
}

// thumbprint reports whether s is 256 bits of base64url.
func thumbprint(s string) bool {
	return len(s) == 43 && !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_')
	})
}

func (r AuthorizationRequest) scope(c Client, s Server) error {
	scopes := r.Scopes()
	unknown := slices.ContainsFunc(scopes, func(v string) bool { return !slices.Contains(s.Scopes, v) })
	return first(
		refusal(strings.ContainsFunc(r.Scope, notInScope), InvalidScope, "RFC 6749 §3.3", "scope has a character that is not permitted"),
		refusal(!c.MayAsk(scopes), InvalidScope, "RFC 6749 §3.3", "scope goes beyond what the client registered"),
		refusal(unknown, InvalidScope, "RFC 6749 §3.3", "scope has a value that this issuer does not know"),
		refusal(len(scopes) == 0 && r.AuthorizationDetails == "", InvalidScope, "RFC 6749 §3.3", "scope or authorization_details is required"),
	)
}

// ParseScope returns the values of scope, each once (RFC 6749, Section 3.3).
func ParseScope(scope string) ([]string, error) {
	if strings.ContainsFunc(scope, notInScope) {
		return nil, Refuse(InvalidScope, "RFC 6749 §3.3", "scope has a character that is not permitted")
	}
	var values []string
	for _, v := range strings.Fields(scope) {
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values, nil
}

func notInScope(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }

func (r AuthorizationRequest) authentication() error {
	if r.MaxAge != "" {
		if n, err := strconv.Atoi(r.MaxAge); err != nil || n < 0 || n > maxSeconds {
			return Refuse(InvalidRequest, "OIDC-Core §3.1.2.1", "max_age must be a number of seconds")
		}
	}
	prompts := strings.Fields(r.Prompt)
	known := []string{"none", "login", "consent", "select_account"}
	for _, p := range prompts {
		if !slices.Contains(known, p) {
			return Refuse(InvalidRequest, "OIDC-Core §3.1.2.1", "prompt has an unknown value")
		}
	}
	return refusal(r.Prompts("none") && len(prompts) > 1, InvalidRequest, "OIDC-Core §3.1.2.1", "prompt none excludes every other value")
}

func (r AuthorizationRequest) resource(s Server) error { return CheckResources(r.Resource, s) }

// CheckResources refuses a resource that is not one of the issuer's (RFC 8707,
// Section 2).
func CheckResources(resources []string, s Server) error {
	if len(resources) > maxResource {
		return Refuse(InvalidTarget, "RFC 8707 §2", "resource is sent too often")
	}
	for _, v := range resources {
		u, err := url.Parse(v)
		if err != nil || !u.IsAbs() || strings.Contains(v, "#") {
			return Refuse(InvalidTarget, "RFC 8707 §2", "resource must be an absolute URI without a fragment")
		}
		if !slices.Contains(s.Resources, v) {
			return Refuse(InvalidTarget, "RFC 8707 §2", "resource is not one of this issuer's")
		}
	}
	return nil
}

// printable reports whether a name or text that people will read is free of
// control characters, direction marks and markup.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return !unicode.IsPrint(c) || c == '<' || c == '>' || unicode.Is(unicode.Bidi_Control, c)
	})
}

func absoluteHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.User == nil && plainHost(u) && uriCharacters(s) && !strings.Contains(s, "#")
}

// ValidIssuer reports whether s can identify an issuer: an https URL without
// query and fragment (RFC 8414, Section 2).
func ValidIssuer(s string) bool {
	return absoluteHTTPS(s) && len(s) <= maxURI && !strings.Contains(s, "?")
}

// uriCharacters reports whether s has only the characters of RFC 3986,
// Section 2, so that it may be put into a header as it is.
func uriCharacters(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"<>\\^`{|}", c) })
}

// plainHost reports whether the host of u is a DNS name or an address. RFC 3986
// would permit more, such as a semicolon, which ends a directive of a content
// security policy.
func plainHost(u *url.URL) bool {
	return u.Hostname() != "" && !strings.ContainsFunc(u.Host, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._:[]", c))
	})
}
