package projections

import (
	"context"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// Consents answers: what has this customer shared, with whom, until when?
type Consents struct {
	from    *follower
	journal *eventstore.Journal
}

// A Consent is a consent as the latest event about it left it. Details, which
// name accounts, are read from the log: they are empty once the customer was
// erased.
type Consent struct {
	ID          string         `json:"consent_id"`
	Issuer      string         `json:"issuer,omitempty"`
	Client      string         `json:"client_id"`
	Subject     string         `json:"sub,omitempty"`
	Scope       string         `json:"scope,omitempty"`
	Permissions []string       `json:"permissions,omitempty"`
	Details     []oauth.Detail `json:"authorization_details,omitempty"`
	Status      consent.Status `json:"status"`
	Asked       time.Time      `json:"asked_at"`
	Since       time.Time      `json:"authorized_at,omitzero"`
	Expires     time.Time      `json:"expires_at"`
	LastAccess  time.Time      `json:"last_access_at,omitzero"`
	Accesses    int            `json:"accesses"` // answered ones
	Ended       time.Time      `json:"ended_at,omitzero"`
	EndedBy     string         `json:"ended_by,omitempty"`
	Successor   string         `json:"superseded_by,omitempty"`

	position eventstore.Position // of the first event
}

// Active reports whether the consent permits anything at an instant.
func (c Consent) Active(now time.Time) bool {
	return c.Status == consent.Active && now.Before(c.Expires)
}

// Accounts returns the accounts that the consent covers, each once.
func (c Consent) Accounts() []string {
	var all []string
	seen := map[string]bool{}
	for _, d := range c.Details {
		for _, a := range d.Accounts {
			if !seen[a] {
				seen[a] = true
				all = append(all, a)
			}
		}
	}
	return all
}

const consentColumns = `SELECT id, issuer, client, subject, scope, permissions, status, asked, since, expires,
	last_access, accesses, ended, ended_by, successor, position FROM {consents}`

func scanConsent(s scanner) (c Consent, err error) {
	var permissions string
	var asked, since, expires, last, ended int64
	err = s.Scan(&c.ID, &c.Issuer, &c.Client, &c.Subject, &c.Scope, &permissions, &c.Status, &asked, &since, &expires,
		&last, &c.Accesses, &ended, &c.EndedBy, &c.Successor, &c.position)
	c.Permissions = strings.Fields(permissions)
	c.Asked, c.Since, c.Expires = instant(asked), instant(since), instant(expires)
	c.LastAccess, c.Ended = instant(last), instant(ended)
	return c, err
}

// Get returns one consent.
func (q *Consents) Get(ctx context.Context, id string) (c Consent, found bool, err error) {
	all, _, err := q.where(ctx, "id = ?", id)
	if err != nil || len(all) == 0 {
		return c, false, err
	}
	return all[0], true, nil
}

// Of returns the consents of a customer, the newest first, ended ones too: at
// most [MaxLimit].
func (q *Consents) Of(ctx context.Context, subject string) ([]Consent, error) {
	all, _, err := q.where(ctx, "subject = ?", subject)
	return all, err
}

// ActiveOf returns the consents of a customer that permit something at an
// instant.
func (q *Consents) ActiveOf(ctx context.Context, subject string, now time.Time) ([]Consent, error) {
	all, _, err := q.where(ctx, "subject = ? AND status = ? AND expires > ?", subject, consent.Active, nanos(now))
	return all, err
}

// OfClient returns the consents that a client was given or asks for, the
// newest first.
func (q *Consents) OfClient(ctx context.Context, client string, page Page) (Listing[Consent], error) {
	l, err := list(ctx, q.from, page, question("consents", client), func(tx *Tx, before eventstore.Position, n int) ([]Consent, error) {
		return collect(ctx, tx, scanConsent, consentColumns+
			" WHERE client = ? AND position < ? ORDER BY position DESC LIMIT ?", client, before, n)
	}, func(c Consent) eventstore.Position { return c.position })
	if err != nil {
		return l, err
	}
	return l, q.complete(ctx, l.Items, l.AsOf)
}

func (q *Consents) where(ctx context.Context, condition string, args ...any) (all []Consent, asOf eventstore.Position, err error) {
	err = q.from.read(ctx, func(tx *Tx, at eventstore.Position) (err error) {
		asOf = at
		all, err = collect(ctx, tx, scanConsent, consentColumns+" WHERE "+condition+" ORDER BY position DESC LIMIT ?", append(args, MaxLimit)...)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return all, asOf, q.complete(ctx, all, asOf)
}

// complete reads from the log what no table holds.
func (q *Consents) complete(ctx context.Context, all []Consent, asOf eventstore.Position) error {
	for i := range all {
		state, _, err := foldUntil[consent.State, consent.Event](ctx, q.journal, eventstore.Stream("consent-"+all[i].ID), asOf)
		if err != nil {
			return err
		}
		all[i].Details = state.Details()
	}
	return nil
}
