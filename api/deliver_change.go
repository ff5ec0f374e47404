package api

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/eventstore"
)

// A change is what became of a consent, as its client is told. Free text of
// whoever did it is personal and stays in the log.
type change struct {
	name string // past participle
	by   consent.Party
	next string // consent that takes its place
}

// changed returns what an event changed about a consent, if clients are told.
func changed(body any) (c change, told bool) {
	switch e := body.(type) {
	case consent.Authorized:
		return change{name: "authorized", by: consent.Customer}, true
	case consent.Amended:
		return change{name: "amended", by: consent.Customer}, true
	case consent.Reauthenticated:
		return change{name: "reauthenticated", by: consent.Customer}, true
	case consent.Suspended:
		return change{name: "suspended", by: e.By}, true
	case consent.Rejected:
		return change{name: "rejected", by: e.By}, true
	case consent.Revoked:
		return change{name: "revoked", by: e.By}, true
	case consent.Superseded:
		return change{name: "superseded", next: e.By}, true
	case consent.Consumed:
		return change{name: "consumed"}, true
	case consent.Expired:
		return change{name: "expired"}, true
	}
	return change{}, false
}

// status is where the consent stands after the change.
func (c change) status() string {
	if c.name == "amended" || c.name == "reauthenticated" {
		return string(consent.Active)
	}
	return c.name
}

// webhookLife is how long a client that does not answer is told of a change.
const webhookLife = 72 * time.Hour

// tellChange tells the client of a consent what became of it, if it registered
// where to (event_delivery_endpoint). What the client did itself it is told as
// well: its other systems may not know.
func (s *Server) tellChange(ctx context.Context, e eventstore.Decoded, what change) ([]string, error) {
	given, _, err := s.Consents.Load(ctx, e.Stream.ID())
	if err != nil {
		return nil, err
	}
	c, _, err := s.Clients.Get(ctx, given.Client())
	to := c.Metadata().EventEndpoint
	if err != nil || !c.Active() || to == "" {
		return nil, err
	}
	return s.schedule(ctx, e, notice{
		meta: s.causedBy(e, c.Issuer(), given.Client(), given.Subject()), body: s.securityEvent(e, c.Issuer(), what),
		Scheduled: delivery.Scheduled{
			Kind: delivery.Webhook, Client: given.Client(), Consent: e.Stream.ID(), Receiver: to,
			Media: "application/secevent+jwt", Says: what.words(), Until: s.Now().UTC().Add(webhookLife),
		},
	})
}

func (c change) words() string {
	if c.name == "expired" {
		return "the consent ran out"
	}
	return "the consent was " + c.name
}

// securityEvent signs a security event token (RFC 8417, Section 2.2). It has
// neither sub nor exp, so it passes for no other token.
func (s *Server) securityEvent(e eventstore.Decoded, issuer string, what change) func(context.Context, string, *delivery.Scheduled) ([]byte, error) {
	return func(ctx context.Context, id string, told *delivery.Scheduled) ([]byte, error) {
		return s.signed(ctx, issuer, "secevent+jwt", told, func(iss string) any {
			return eventClaims{
				Issuer: iss, Audience: told.Client, Issued: e.Recorded.Unix(), ID: id,
				Subject: opaqueSubject{"opaque", told.Consent}, Happened: e.Recorded.Unix(), Transaction: e.Metadata.Correlation,
				Events: map[string]consentEvent{"urn:chirograph:event:consent-" + what.name: {
					told.Consent, what.status(), string(what.by), what.next}},
			}
		})
	}
}

// eventClaims is the payload of a security event token.
type eventClaims struct {
	Issuer      string                  `json:"iss"`
	Audience    string                  `json:"aud"`
	Issued      int64                   `json:"iat"`
	ID          string                  `json:"jti"` // of the delivery, the same in each attempt
	Subject     opaqueSubject           `json:"sub_id"`
	Happened    int64                   `json:"toe"`
	Transaction string                  `json:"txn,omitempty"`
	Events      map[string]consentEvent `json:"events"`
}

// opaqueSubject is RFC 9493, Section 3.2.7.
type opaqueSubject struct {
	Format string `json:"format"`
	ID     string `json:"id"`
}

type consentEvent struct {
	Consent      string `json:"consent_id"`
	Status       string `json:"status"`
	By           string `json:"by,omitempty"`
	SupersededBy string `json:"superseded_by,omitempty"`
}
