// Package access declares the records of what clients did and what they were
// refused. They are facts without a decision: nothing depends on their order.
package access

import (
	"fmt"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/event"
)

type (
	// Recorded is one access at a resource server, appended before the data
	// leave.
	Recorded struct {
		Token      string   `json:"jti"`
		Consent    string   `json:"consent,omitempty"`
		Route      string   `json:"route"` // as declared, without account ids
		Permission string   `json:"permission,omitempty"`
		Result     int      `json:"result"` // HTTP status
		Accounts   []string `json:"accounts,omitempty"`
	}

	// Refused counts the refusals of one authenticated client, or the failed
	// logins of one subject, by one clause in one minute.
	Refused struct {
		Endpoint string    `json:"endpoint"`
		Code     string    `json:"error"`
		Clause   string    `json:"clause,omitempty"`
		Minute   time.Time `json:"minute"`
		Count    int       `json:"count"`
	}
)

// Events declares the records.
var Events = []event.Declaration{
	event.Type[Recorded]{
		Name:   "access.recorded",
		Class:  event.Traffic,
		Sealed: []string{"accounts"},
		Audit: func(e Recorded, n event.Names) string {
			if e.Result >= 400 {
				return fmt.Sprintf("%s was refused %s (%d)", n.Client(""), e.Route, e.Result)
			}
			if method, _, named := strings.Cut(e.Route, " "); named && method != "GET" {
				return n.Client("") + " called " + e.Route
			}
			return n.Client("") + " read " + e.Route
		},
	},
	event.Type[Refused]{
		Name:  "refusal.counted",
		Class: event.Traffic,
		Audit: func(e Refused, _ event.Names) string {
			return fmt.Sprintf("%s refused %d times at %s [%s]", e.Code, e.Count, e.Endpoint, e.Clause)
		},
	},
}

// AccessStream names the stream of a consent's accesses on the UTC day of t,
// or of a client's where no consent is involved.
func AccessStream(consent, client string, t time.Time) string {
	if consent == "" {
		consent = "client." + client
	}
	return "access-" + consent + "-" + t.UTC().Format(time.DateOnly)
}

// RefusalStream names the stream of refusals of a client or subject on the UTC
// day of t.
func RefusalStream(who string, t time.Time) string {
	return "refusal-" + who + "-" + t.UTC().Format(time.DateOnly)
}
