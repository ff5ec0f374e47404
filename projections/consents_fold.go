package projections

import (
	"context"
	"strings"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/eventstore"
)

var consentsProjection = Projection{
	Name:    "consents",
	Version: 1,
	Filter:  eventstore.Filter{Categories: []string{"consent", "access"}},
	Tables: []Table{{
		Name: "consents",
		Columns: `id TEXT NOT NULL, issuer TEXT NOT NULL, client TEXT NOT NULL, subject TEXT NOT NULL,
			scope TEXT NOT NULL, permissions TEXT NOT NULL, status TEXT NOT NULL,
			asked INTEGER NOT NULL, since INTEGER NOT NULL, expires INTEGER NOT NULL,
			last_access INTEGER NOT NULL, accesses INTEGER NOT NULL,
			ended INTEGER NOT NULL, ended_by TEXT NOT NULL, successor TEXT NOT NULL, position INTEGER NOT NULL`,
		Key:     "id",
		Indexes: []string{"subject, position", "client, position", "status, expires"},
	}},
	Fold: foldConsents,
}

// expiredStatus is that of a consent whose expiry was noted; no decision
// knows it.
const expiredStatus consent.Status = "expired"

func foldConsents(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
	rows, err := loaded(ctx, tx, events, consentOf, scanConsent, func(c Consent) string { return c.ID }, consentColumns+" WHERE id IN (%)")
	if err != nil {
		return err
	}
	for _, e := range events {
		id := consentOf(e)
		switch e.Body.(type) {
		case consent.Lodged, consent.Authorized: // which may have been lodged before or not
			rows.begin(id, Consent{ID: id, Issuer: e.Metadata.Issuer, Asked: e.Recorded, position: e.Position})
		}
		rows.change(id, func(c *Consent) { c.fold(e) })
	}
	var changed [][]any
	for c := range rows.changed() {
		changed = append(changed, []any{c.ID, c.Issuer, c.Client, c.Subject, c.Scope, strings.Join(c.Permissions, " "), c.Status,
			nanos(c.Asked), nanos(c.Since), nanos(c.Expires), nanos(c.LastAccess), c.Accesses, nanos(c.Ended), c.EndedBy, c.Successor, c.position})
	}
	return tx.insert(ctx, `INSERT INTO {consents} (id, issuer, client, subject, scope, permissions, status,
		asked, since, expires, last_access, accesses, ended, ended_by, successor, position)`, changed,
		` ON CONFLICT (id) DO UPDATE SET client = excluded.client, subject = excluded.subject, scope = excluded.scope,
		permissions = excluded.permissions, status = excluded.status, since = excluded.since, expires = excluded.expires,
		last_access = excluded.last_access, accesses = excluded.accesses, ended = excluded.ended, ended_by = excluded.ended_by,
		successor = excluded.successor`)
}

// consentOf returns the id of the consent whose row an event may change, if
// there is any.
func consentOf(e eventstore.Decoded) string {
	if recorded, ok := e.Body.(access.Recorded); ok {
		return recorded.Consent
	}
	if e.Stream.Category() == "consent" {
		return e.Stream.ID()
	}
	return ""
}

// fold changes a consent as an event says.
func (c *Consent) fold(e eventstore.Decoded) {
	switch body := e.Body.(type) {
	case access.Recorded:
		if body.Result < 400 {
			c.LastAccess = e.Recorded
			c.Accesses++
		}
	case consent.Lodged:
		c.Client, c.Scope, c.Expires, c.Status = body.Client, body.Scope, body.Expires, consent.Awaiting
	case consent.Authorized:
		c.Client, c.Subject, c.Scope, c.Permissions = body.Client, body.Subject, body.Scope, body.Permissions
		c.Status, c.Since, c.Expires = consent.Active, e.Recorded, body.Expires
	case consent.Amended:
		c.Scope, c.Permissions, c.Expires = body.Scope, body.Permissions, body.Expires
	case consent.Suspended:
		c.Status = consent.Stopped
	case consent.Reauthenticated:
		c.Status = consent.Active
	case consent.Rejected:
		c.end(e, consent.Refused, string(body.By))
	case consent.Consumed:
		c.end(e, consent.UsedUp, string(consent.Client))
	case consent.Superseded:
		c.Successor = body.By
		c.end(e, consent.Replaced, string(consent.Customer))
	case consent.Revoked:
		c.end(e, consent.Terminated, string(body.By))
	case consent.Expired:
		c.end(e, expiredStatus, "expiry")
	}
}

func (c *Consent) end(e eventstore.Decoded, status consent.Status, by string) {
	c.Status, c.Ended, c.EndedBy = status, e.Recorded, by
}
