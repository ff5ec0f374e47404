package projections

import (
	"strings"

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
	OfBackchannel   Kind = "backchannel"
	OfDelivery      Kind = "delivery"
	OfInteraction   Kind = "interaction" // x-fapi-interaction-id
	OfIssuer        Kind = "issuer"
	OfKey           Kind = "signingkey"
)

// Kinds lists what a timeline can be of.
var Kinds = []Kind{
	OfConsent, OfClient, OfCustomer, OfToken, OfRefresh, OfAuthorization, OfBackchannel, OfDelivery, OfInteraction, OfIssuer, OfKey,
}

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
	backchannel, delivery         string
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
	switch began := eventstore.Stream(m.Correlation); began.Category() {
	case "authorization":
		fill(&s.authorization, began.ID())
	case "backchannel":
		fill(&s.backchannel, began.ID())
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
	case "backchannel":
		s.backchannel = id
	case "delivery":
		s.delivery = id
	case "issuer":
		s.issuer = id
	case "signingkey":
		s.key = id
	}
}

// things are those of the links whose later events know what earlier ones did
// not, the best informed first.
func (s *subjects) things() []link {
	return named(link{OfAuthorization, s.authorization}, link{OfBackchannel, s.backchannel}, link{OfConsent, s.consent},
		link{OfToken, s.token}, link{OfRefresh, s.refresh}, link{OfDelivery, s.delivery})
}

// links are what the event is found by.
func (s *subjects) links(typ string) []link {
	all := append([]link{
		{OfConsent, s.consent}, {OfClient, s.client}, {OfCustomer, s.customer}, {OfToken, s.token},
		{OfRefresh, s.refresh}, {OfAuthorization, s.authorization}, {OfBackchannel, s.backchannel}, {OfDelivery, s.delivery},
		{OfInteraction, s.interaction},
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
