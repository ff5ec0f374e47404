package consent

import (
	"fmt"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Event is the closed set of facts about a consent.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Lodged records what a client asks for before any customer has seen it.
	Lodged struct {
		Client  string         `json:"client_id"`
		Scope   string         `json:"scope,omitempty"`
		Details []oauth.Detail `json:"authorization_details,omitempty"`
		Expires time.Time      `json:"exp"`
	}

	// PartyAuthorized records the yes of one of several customers who must
	// agree.
	PartyAuthorized struct {
		Subject string `json:"sub"`
		Needed  int    `json:"needed"`
	}

	// Authorized records the customer's yes: to whom, to what, until when, and
	// the page on which it was given.
	Authorized struct {
		Client        string         `json:"client_id"`
		Subject       string         `json:"sub"`
		Scope         string         `json:"scope,omitempty"`
		Details       []oauth.Detail `json:"authorization_details,omitempty"` // as granted; sealed, it names accounts
		Permissions   []string       `json:"permissions,omitempty"`
		Expires       time.Time      `json:"exp"`
		Authorization string         `json:"authorization,omitempty"` // the journey that led here
		Backchannel   string         `json:"backchannel,omitempty"`   // or the backchannel request that did
		ACR           string         `json:"acr,omitempty"`
		AuthTime      time.Time      `json:"auth_time,omitzero"`
		Shown         string         `json:"shown,omitempty"`           // SHA-256 of the page as shown, base64url
		Message       string         `json:"binding_message,omitempty"` // that a backchannel request carried; sealed
		Rendered      string         `json:"rendered,omitempty"`        // what was shown on the customer's device; sealed
		Template      string         `json:"template,omitempty"`
		Locale        string         `json:"locale,omitempty"`
	}

	// Rejected records the customer's no to a lodged consent.
	Rejected struct {
		By     Party  `json:"by"`
		Reason string `json:"reason,omitempty"` // free text; sealed
	}

	// Consumed ends a consent that was good for one use.
	Consumed struct{}

	// Reauthenticated records that the customer proved identity again and keeps
	// the consent as it is.
	Reauthenticated struct {
		ACR      string    `json:"acr,omitempty"`
		AuthTime time.Time `json:"auth_time"`
	}

	// Amended replaces what the consent permits, with the customer's yes.
	Amended struct {
		Scope       string         `json:"scope,omitempty"`
		Details     []oauth.Detail `json:"authorization_details,omitempty"`
		Permissions []string       `json:"permissions,omitempty"`
		Expires     time.Time      `json:"exp"`
	}

	// Superseded ends a consent in favour of a newer one.
	Superseded struct {
		By string `json:"by"` // consent id
	}

	// Suspended stops a consent until it is reauthenticated.
	Suspended struct {
		By     Party  `json:"by"`
		Reason string `json:"reason,omitempty"` // free text; sealed
	}

	// Revoked ends a consent. It is final.
	Revoked struct {
		By     Party  `json:"by"`
		Reason string `json:"reason,omitempty"` // free text; sealed
	}

	// Expired notes that the expiry has passed. No decision reads it.
	Expired struct{}
)

func (Lodged) isEvent()          {}
func (PartyAuthorized) isEvent() {}
func (Authorized) isEvent()      {}
func (Rejected) isEvent()        {}
func (Consumed) isEvent()        {}
func (Reauthenticated) isEvent() {}
func (Amended) isEvent()         {}
func (Superseded) isEvent()      {}
func (Suspended) isEvent()       {}
func (Revoked) isEvent()         {}
func (Expired) isEvent()         {}

// Events declares every event of a consent.
var Events = []event.Declaration{
	event.Type[Lodged]{
		Name:   "consent.lodged",
		Sealed: []string{"authorization_details"},
		Audit: func(e Lodged, n event.Names) string {
			return n.Client(e.Client) + " asked for consent until " + day(e.Expires)
		},
	},
	event.Type[PartyAuthorized]{
		Name: "consent.party_authorized",
		Audit: func(e PartyAuthorized, n event.Names) string {
			return fmt.Sprintf("%s agreed, one of %d who must", n.Subject(e.Subject), e.Needed)
		},
	},
	event.Type[Authorized]{
		Name:   "consent.authorized",
		Past:   []event.Upcaster{event.Added},
		Sealed: []string{"authorization_details", "binding_message", "rendered"},
		Audit: func(e Authorized, n event.Names) string {
			return fmt.Sprintf("%s gave %s %s until %s", n.Subject(e.Subject), n.Client(e.Client), what(e), day(e.Expires))
		},
	},
	event.Type[Rejected]{
		Name:   "consent.rejected",
		Sealed: []string{"reason"},
		Audit:  func(e Rejected, n event.Names) string { return e.By.name(n) + " rejected the consent" },
	},
	event.Type[Consumed]{
		Name:  "consent.consumed",
		Audit: func(Consumed, event.Names) string { return "the consent was used up" },
	},
	event.Type[Reauthenticated]{
		Name:  "consent.reauthenticated",
		Audit: func(_ Reauthenticated, n event.Names) string { return n.Subject("") + " confirmed the consent again" },
	},
	event.Type[Amended]{
		Name:   "consent.amended",
		Sealed: []string{"authorization_details"},
		Audit: func(e Amended, n event.Names) string {
			return n.Subject("") + " changed the consent, until " + day(e.Expires)
		},
	},
	event.Type[Superseded]{
		Name:  "consent.superseded",
		Audit: func(e Superseded, _ event.Names) string { return "a newer consent took its place: " + e.By },
	},
	event.Type[Suspended]{
		Name:   "consent.suspended",
		Sealed: []string{"reason"},
		Audit:  func(e Suspended, n event.Names) string { return e.By.name(n) + " suspended the consent" },
	},
	event.Type[Revoked]{
		Name:   "consent.revoked",
		Sealed: []string{"reason"},
		Audit: func(e Revoked, n event.Names) string {
			if e.Reason == "" {
				return e.By.name(n) + " stopped the consent"
			}
			return e.By.name(n) + " stopped the consent: " + e.Reason
		},
	},
	event.Type[Expired]{
		Name:  "consent.expired",
		Audit: func(Expired, event.Names) string { return "the consent ran out" },
	},
}

// name is what people call the party in one event.
func (p Party) name(n event.Names) string {
	switch p {
	case Customer:
		return n.Subject("")
	case Client:
		return n.Client("")
	}
	return "the " + string(p)
}

func what(e Authorized) string {
	accounts := map[string]bool{}
	for _, d := range e.Details {
		for _, a := range d.Accounts {
			accounts[a] = true
		}
	}
	switch {
	case len(e.Permissions) == 0:
		return "access to " + e.Scope
	case len(accounts) == 0:
		return strings.Join(e.Permissions, ", ")
	case len(accounts) == 1:
		return strings.Join(e.Permissions, ", ") + " on 1 account"
	}
	return fmt.Sprintf("%s on %d accounts", strings.Join(e.Permissions, ", "), len(accounts))
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }
