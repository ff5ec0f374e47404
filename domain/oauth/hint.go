package oauth

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// A HintToken is a login_hint_token (CIBA, Section 7.1) whose signature was
// verified with a key of the issuer that it names, who may name customers.
// Times are zero when the claim is absent.
type HintToken struct {
	Algorithm string
	Issuer    string
	Audience  []string
	ID        string
	IssuedAt  time.Time
	NotBefore time.Time
	Expires   time.Time
	Claims    []byte // the whole payload
}

// CheckHintToken returns the first rule that a login_hint_token breaks.
func (p Profile) CheckHintToken(h HintToken, j Judging) error {
	bad := func(broken bool, description string) error {
		return refusal(broken, InvalidRequest, "CIBA §7.1", description)
	}
	return first(
		p.SigningAlgs.check("alg of login_hint_token", h.Algorithm, InvalidRequest),
		bad(!slices.Contains(h.Audience, j.Issuer), "aud of login_hint_token must name the issuer"),
		bad(h.ID == "" || len(h.ID) > maxJTI, "jti of login_hint_token must have 1 to 256 bytes"),
		bad(h.IssuedAt.IsZero(), "iat of login_hint_token is required"),
		bad(h.Expires.IsZero(), "exp of login_hint_token is required"),
		refusal(!j.Now.Before(h.Expires), ExpiredLoginHintToken, "CIBA §13", "login_hint_token has expired"),
		p.notAhead("iat of login_hint_token", h.IssuedAt, j.Now, InvalidRequest),
		p.notAhead("nbf of login_hint_token", h.NotBefore, j.Now, InvalidRequest),
	)
}

// Customer returns whom a hint token names, as a subject of the issuer or by a
// sign-in name: by its sub_id (RFC 9493, Section 4.1), which goes before sub.
func (h HintToken) Customer(issuer string) (subject, login string, err error) {
	unnamed := Refuse(InvalidRequest, "RFC 9493 §3", "login_hint_token names nobody in a format that is known here")
	members, _ := uniqueMembers(h.Claims)
	read := reading{members: members}
	var id string
	read.raw("sub_id", '{', &id)
	if id == "" && read.wrong == nil {
		read.text("sub", &subject)
	} else if read.wrong == nil {
		subject, login = subjectIdentifier(id, issuer)
	}
	if read.wrong != nil || subject == "" && login == "" {
		return "", "", unnamed
	}
	return subject, login, nil
}

// subjectIdentifier reads an identifier of RFC 9493, Section 3.2: iss_sub of
// the issuer itself; opaque, account and email as sign-in names.
func subjectIdentifier(id, issuer string) (subject, login string) {
	members, _ := uniqueMembers([]byte(id))
	read := reading{members: members}
	text := func(name string) (v string) {
		read.text(name, &v)
		return v
	}
	switch text("format") {
	case "iss_sub":
		if text("iss") == issuer {
			return text("sub"), ""
		}
	case "opaque":
		return "", text("id")
	case "account":
		return "", accountName(text("uri"), issuer)
	case "email":
		return "", text("email")
	}
	return "", ""
}

// accountName returns the user of an acct URI (RFC 7565, Section 4) at the host
// of the issuer.
func accountName(uri, issuer string) string {
	name, host, _ := strings.Cut(strings.TrimPrefix(uri, "acct:"), "@")
	home, err := url.Parse(issuer)
	if err != nil || !strings.HasPrefix(uri, "acct:") || !strings.EqualFold(host, home.Hostname()) {
		return ""
	}
	if name, err = url.PathUnescape(name); err != nil {
		return ""
	}
	return name
}
