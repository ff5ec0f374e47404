package projections

import (
	"context"
	"strings"
	"time"

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
	Apply: applyConsent,
}

// expiredStatus is that of a consent whose expiry was noted; no decision
// knows it.
const expiredStatus consent.Status = "expired"

func applyConsent(ctx context.Context, tx *Tx, e eventstore.Decoded) error {
	if recorded, ok := e.Body.(access.Recorded); ok {
		return noteAccess(ctx, tx, recorded, e.Recorded)
	}
	id := e.Stream.ID()
	switch body := e.Body.(type) {
	case consent.Lodged:
		return openConsent(ctx, tx, e, Consent{Client: body.Client, Scope: body.Scope, Expires: body.Expires, Status: consent.Awaiting})
	case consent.Authorized:
		return authorizeConsent(ctx, tx, e, body)
	case consent.Amended:
		_, err := tx.Exec(ctx, "UPDATE {consents} SET scope = ?, permissions = ?, expires = ? WHERE id = ?",
			body.Scope, strings.Join(body.Permissions, " "), nanos(body.Expires), id)
		return err
	case consent.Suspended:
		return consentStatus(ctx, tx, id, consent.Stopped)
	case consent.Reauthenticated:
		return consentStatus(ctx, tx, id, consent.Active)
	case consent.Rejected:
		return endConsent(ctx, tx, e, consent.Refused, string(body.By), "")
	case consent.Consumed:
		return endConsent(ctx, tx, e, consent.UsedUp, string(consent.Client), "")
	case consent.Superseded:
		return endConsent(ctx, tx, e, consent.Replaced, string(consent.Customer), body.By)
	case consent.Revoked:
		return endConsent(ctx, tx, e, consent.Terminated, string(body.By), "")
	case consent.Expired:
		return endConsent(ctx, tx, e, expiredStatus, "expiry", "")
	}
	return nil
}

func openConsent(ctx context.Context, tx *Tx, e eventstore.Decoded, c Consent) error {
	_, err := tx.Exec(ctx, `INSERT INTO {consents} (id, issuer, client, subject, scope, permissions, status, asked, since, expires,
		last_access, accesses, ended, ended_by, successor, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', '', ?)`,
		e.Stream.ID(), e.Metadata.Issuer, c.Client, c.Subject, c.Scope, strings.Join(c.Permissions, " "), c.Status,
		nanos(e.Recorded), nanos(c.Since), nanos(c.Expires), e.Position)
	return err
}

// authorizeConsent records a yes, to a consent that was lodged before or not.
func authorizeConsent(ctx context.Context, tx *Tx, e eventstore.Decoded, body consent.Authorized) error {
	changed, err := tx.Exec(ctx, `UPDATE {consents} SET client = ?, subject = ?, scope = ?, permissions = ?, status = ?, since = ?, expires = ?
		WHERE id = ?`, body.Client, body.Subject, body.Scope, strings.Join(body.Permissions, " "), consent.Active,
		nanos(e.Recorded), nanos(body.Expires), e.Stream.ID())
	if err != nil || changed > 0 {
		return err
	}
	return openConsent(ctx, tx, e, Consent{
		Client: body.Client, Subject: body.Subject, Scope: body.Scope, Permissions: body.Permissions,
		Status: consent.Active, Since: e.Recorded, Expires: body.Expires,
	})
}

func consentStatus(ctx context.Context, tx *Tx, id string, status consent.Status) error {
	_, err := tx.Exec(ctx, "UPDATE {consents} SET status = ? WHERE id = ?", status, id)
	return err
}

func endConsent(ctx context.Context, tx *Tx, e eventstore.Decoded, status consent.Status, by, successor string) error {
	_, err := tx.Exec(ctx, "UPDATE {consents} SET status = ?, ended = ?, ended_by = ?, successor = ? WHERE id = ?",
		status, nanos(e.Recorded), by, successor, e.Stream.ID())
	return err
}

// noteAccess counts an access that was answered.
func noteAccess(ctx context.Context, tx *Tx, body access.Recorded, at time.Time) error {
	if body.Consent == "" || body.Result >= 400 {
		return nil
	}
	_, err := tx.Exec(ctx, "UPDATE {consents} SET last_access = ?, accesses = accesses + 1 WHERE id = ?", nanos(at), body.Consent)
	return err
}
