package authorization

import (
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Event is the closed set of facts about one authorization journey.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Pushed records an accepted authorization request, byte for byte without
	// the client's assertion (RFC 9126, Section 2.1). Exactly one of Body and
	// Personal is set: Personal is sealed, for requests that describe a person.
	Pushed struct {
		Client   string         `json:"client_id"`
		Digest   string         `json:"digest"` // of the secret in request_uri
		Expires  time.Time      `json:"exp"`
		JKT      string         `json:"dpop_jkt,omitempty"` // binds the code, RFC 9449 §10
		Body     string         `json:"body,omitempty"`
		Personal string         `json:"personal_body,omitempty"`
		Evidence oauth.Evidence `json:"evidence"`
	}

	// SubjectAuthenticated binds the journey to a customer and a browser.
	SubjectAuthenticated struct {
		Subject  string    `json:"sub"`
		ACR      string    `json:"acr"`
		AMR      []string  `json:"amr"`
		AuthTime time.Time `json:"auth_time"`
		Browser  string    `json:"browser"` // SHA-256 of the browser's cookie, base64url
	}

	// Granted records the customer's yes and everything the consent will say,
	// so that a crash after it can be completed. It decides double submits.
	Granted struct {
		Consent     string         `json:"consent"`
		Subject     string         `json:"sub"`
		Scope       string         `json:"scope,omitempty"`
		Details     []oauth.Detail `json:"authorization_details,omitempty"`
		Permissions []string       `json:"permissions,omitempty"`
		Expires     time.Time      `json:"exp"`
		Shown       string         `json:"shown"`
		Template    string         `json:"template"`
		Locale      string         `json:"locale"`
		// Asked is true if the client sent authorization_details, so that they
		// are returned to it.
		Asked bool `json:"details_asked,omitempty"`
	}

	// Denied records a no: the customer's, or the platform's when the journey
	// ran out.
	Denied struct {
		By     string `json:"by"` // [Customer] or [System]
		Reason string `json:"reason"`
	}

	// CodeIssued records a code. A later one takes the place of an earlier one
	// that never arrived.
	CodeIssued struct {
		Digest  string    `json:"digest"`
		Expires time.Time `json:"exp"`
	}

	// CodeRedeemed spends the code and names what is issued for it.
	CodeRedeemed struct {
		Token   string `json:"jti"`
		Refresh string `json:"refresh,omitempty"`
		Consent string `json:"consent"`
	}

	// CodeReplayed records that the genuine client presented a spent code.
	CodeReplayed struct {
		Evidence oauth.Evidence `json:"evidence"`
	}

	// Expired notes that nobody completed the journey. No decision reads it.
	Expired struct{}
)

func (Pushed) isEvent()               {}
func (SubjectAuthenticated) isEvent() {}
func (Granted) isEvent()              {}
func (Denied) isEvent()               {}
func (CodeIssued) isEvent()           {}
func (CodeRedeemed) isEvent()         {}
func (CodeReplayed) isEvent()         {}
func (Expired) isEvent()              {}

// Who denies.
const (
	Customer = "customer"
	System   = "system" // the journey ran out
)

// Events declares every event of an authorization journey.
var Events = []event.Declaration{
	event.Type[Pushed]{
		Name:   "authorization.pushed",
		Sealed: []string{"personal_body"},
		Audit: func(e Pushed, n event.Names) string {
			return n.Client(e.Client) + " pushed an authorization request"
		},
	},
	event.Type[SubjectAuthenticated]{
		Name: "authorization.subject_authenticated",
		Audit: func(e SubjectAuthenticated, n event.Names) string {
			return n.Subject(e.Subject) + " signed in"
		},
	},
	event.Type[Granted]{
		Name:   "authorization.granted",
		Sealed: []string{"authorization_details"},
		Audit: func(e Granted, n event.Names) string {
			return n.Subject(e.Subject) + " approved the request"
		},
	},
	event.Type[Denied]{
		Name: "authorization.denied",
		Audit: func(e Denied, _ event.Names) string {
			return "the request was denied by the " + e.By + ": " + e.Reason
		},
	},
	event.Type[CodeIssued]{
		Name:  "authorization.code_issued",
		Audit: func(CodeIssued, event.Names) string { return "an authorization code was issued" },
	},
	event.Type[CodeRedeemed]{
		Name: "authorization.code_redeemed",
		Audit: func(e CodeRedeemed, _ event.Names) string {
			return "the code was redeemed for token " + e.Token
		},
	},
	event.Type[CodeReplayed]{
		Name: "authorization.code_replayed",
		Audit: func(CodeReplayed, event.Names) string {
			return "the code was presented again; what it was redeemed for is revoked"
		},
	},
	event.Type[Expired]{
		Name:  "authorization.expired",
		Audit: func(Expired, event.Names) string { return "nobody completed the request in time" },
	},
}
