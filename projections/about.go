package projections

import (
	"strconv"
	"strings"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// A Kind is what a timeline can be of.
type Kind string

const (
	OfConsent       Kind = "consent"
	OfClient        Kind = "client"
	OfCustomer      Kind = "customer"
	OfToken         Kind = "token"
	OfRefresh       Kind = "refresh"
	OfAuthorization Kind = "authorization"
	OfInteraction   Kind = "interaction" // x-fapi-interaction-id
	OfIssuer        Kind = "issuer"
	OfKey           Kind = "signingkey"
)

// Kinds lists what a timeline can be of.
var Kinds = []Kind{OfConsent, OfClient, OfCustomer, OfToken, OfRefresh, OfAuthorization, OfInteraction, OfIssuer, OfKey}

// Kinds of links that only a search uses.
const (
	ofType   Kind = "type"
	ofResult Kind = "result"
)

// A link says that an event belongs to the story of something.
type link struct {
	kind Kind
	id   string
}

// subjects are what an event is about. Empty ones are unknown, or none.
type subjects struct {
	client, customer, consent     string
	authorization, token, refresh string
	interaction, issuer, key      string
	result                        string // as the specification or protocol calls it
	refused                       bool
	more                          []link
}

// about tells from an event alone what it is about: by its stream, by its body
// and by its metadata, in this order.
func about(e eventstore.Decoded) subjects {
	var s subjects
	s.stream(e.Stream)
	s.body(e)
	m := e.Metadata
	fill(&s.client, m.Client)
	fill(&s.customer, m.Subject)
	if journey := eventstore.Stream(m.Correlation); journey.Category() == "authorization" {
		fill(&s.authorization, journey.ID())
	}
	s.interaction = m.Interaction
	return s
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func (s *subjects) stream(name eventstore.Stream) {
	id := name.ID()
	switch name.Category() {
	case "consent":
		s.consent = id
	case "client":
		s.client = id
	case "subject":
		s.customer = id
	case "token":
		s.token = id
	case "refresh":
		s.refresh = id
	case "authorization":
		s.authorization = id
	case "issuer":
		s.issuer = id
	case "signingkey":
		s.key = id
	}
}

func (s *subjects) body(e eventstore.Decoded) {
	switch body := e.Body.(type) {
	case authorization.Event:
		s.journey(body)
	case consent.Event:
		s.agreement(body)
	case token.Event:
		if issued, ok := body.(token.Issued); ok {
			s.client, s.customer, s.consent = issued.Client, issued.Subject, issued.Consent
			s.authorization, s.refresh = issued.Authorization, issued.Refresh
		}
	case token.RefreshEvent:
		if issued, ok := body.(token.RefreshIssued); ok {
			s.client, s.customer, s.consent = issued.Client, issued.Subject, issued.Consent
			s.authorization = issued.Authorization
		}
	case access.Recorded:
		s.token, s.consent = body.Token, body.Consent
		s.result, s.refused = strconv.Itoa(body.Result), body.Result >= 400
	case access.Refused:
		s.result, s.refused = body.Code, true
	case client.Registered:
		s.issuer = body.Issuer
	case signingkey.Announced:
		s.issuer = body.Issuer
	case subject.Enrolled:
		s.issuer = body.Issuer
	}
}

func (s *subjects) journey(e authorization.Event) {
	switch e := e.(type) {
	case authorization.Pushed:
		s.client = e.Client
	case authorization.SubjectAuthenticated:
		s.customer = e.Subject
	case authorization.Granted:
		s.customer, s.consent = e.Subject, e.Consent
	case authorization.Denied:
		s.result, s.refused = "access_denied", true
	case authorization.CodeRedeemed:
		s.token, s.refresh, s.consent = e.Token, e.Refresh, e.Consent
	case authorization.CodeReplayed:
		s.result, s.refused = "invalid_grant", true
	}
}

func (s *subjects) agreement(e consent.Event) {
	switch e := e.(type) {
	case consent.Lodged:
		s.client = e.Client
	case consent.PartyAuthorized:
		s.more = append(s.more, link{OfCustomer, e.Subject})
	case consent.Authorized:
		s.client, s.customer, s.authorization = e.Client, e.Subject, e.Authorization
	case consent.Rejected:
		s.result, s.refused = "rejected", true
	case consent.Superseded:
		s.more = append(s.more, link{OfConsent, e.By})
	}
}

// things are those of the links whose later events know what earlier ones did
// not, the best informed first.
func (s *subjects) things() []link {
	return named(link{OfAuthorization, s.authorization}, link{OfConsent, s.consent}, link{OfToken, s.token}, link{OfRefresh, s.refresh})
}

// links are what the event is found by.
func (s *subjects) links(typ string) []link {
	all := append([]link{
		{OfConsent, s.consent}, {OfClient, s.client}, {OfCustomer, s.customer}, {OfToken, s.token},
		{OfRefresh, s.refresh}, {OfAuthorization, s.authorization}, {OfInteraction, s.interaction},
		{OfIssuer, s.issuer}, {OfKey, s.key}, {ofType, typ}, {ofResult, s.result},
	}, s.more...)
	if s.refused {
		all = append(all, link{ofResult, Refused})
	}
	return named(all...)
}

// named drops links to nothing, and repeated ones.
func named(all ...link) []link {
	kept := all[:0]
	seen := make(map[link]bool, len(all))
	for _, l := range all {
		if strings.TrimSpace(l.id) != "" && !seen[l] {
			seen[l] = true
			kept = append(kept, l)
		}
	}
	return kept
}
