package projections

import (
	"context"

	"github.com/chirograph/chirograph/eventstore"
)

// Audit answers: what happened, to whom, in which order? It keeps only which
// events belong to what; the events themselves are read from the log.
type Audit struct {
	from    *follower
	journal *eventstore.Journal
	clients *Clients
}

// The index. A link has the position of its event, and in since that of the
// event from which on it was known: a request that was pushed before anybody
// had signed in belongs to a consent since that was granted. So the index can
// be asked as of any position it has passed.
var auditProjection = Projection{
	Name:    "audit",
	Version: 1,
	Tables: []Table{
		{
			Name: "entries",
			Columns: `position INTEGER NOT NULL, recorded INTEGER NOT NULL, stream TEXT NOT NULL, revision INTEGER NOT NULL,
				client TEXT NOT NULL, result TEXT NOT NULL,
				customer TEXT NOT NULL, customer_since INTEGER NOT NULL, consent TEXT NOT NULL, consent_since INTEGER NOT NULL`,
			Key: "position",
		},
		{
			Name:    "links",
			Columns: "kind TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, since INTEGER NOT NULL",
			Key:     "kind, id, position",
		},
	},
	Apply: applyAudit,
}

func applyAudit(ctx context.Context, tx *Tx, e eventstore.Decoded) error {
	s := about(e)
	if s.mayLearn(e) {
		if err := s.learn(ctx, tx, e.Position); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO {entries} (position, recorded, stream, revision, client, result,
		customer, customer_since, consent, consent_since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Position, nanos(e.Recorded), e.Stream, e.Revision, s.client, s.result, s.customer, e.Position, s.consent, e.Position)
	if err != nil {
		return err
	}
	for _, l := range s.links(e.Type) {
		if _, err := tx.Exec(ctx, "INSERT INTO {links} (kind, id, position, since) VALUES (?, ?, ?, ?)",
			l.kind, l.id, e.Position, e.Position); err != nil {
			return err
		}
	}
	return nil
}

// mayLearn reports whether earlier events may know what e does not say, or the
// other way round.
func (s *subjects) mayLearn(e eventstore.Decoded) bool {
	complete := s.client != "" && s.customer != "" && s.consent != ""
	switch e.Stream.Category() {
	case "authorization", "token", "refresh":
		return e.Revision > 0 // the first one says all that is known
	case "consent":
		return true
	}
	return !complete
}

// facts are what the latest entry of a thing says. By induction that is all
// that is known of the thing.
type facts struct{ client, customer, consent string }

func latest(ctx context.Context, tx *Tx, l link) (facts, bool, error) {
	return first(ctx, tx, func(s scanner) (k facts, err error) {
		err = s.Scan(&k.client, &k.customer, &k.consent)
		return k, err
	}, `SELECT e.client, e.customer, e.consent FROM {links} l CROSS JOIN {entries} e
		WHERE l.kind = ? AND l.id = ? AND e.position = l.position ORDER BY l.position DESC LIMIT 1`, l.kind, l.id)
}

// learn completes what an event is about from earlier events of the things it
// names, and lets those events join what was not known of them.
func (s *subjects) learn(ctx context.Context, tx *Tx, at eventstore.Position) error {
	for _, thing := range s.things() {
		before, found, err := latest(ctx, tx, thing)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		fill(&s.client, before.client)
		fill(&s.customer, before.customer)
		fill(&s.consent, before.consent)
		if thing.kind != OfAuthorization && thing.kind != OfConsent {
			continue
		}
		if before.customer == "" && s.customer != "" {
			if err := join(ctx, tx, thing, link{OfCustomer, s.customer}, at); err != nil {
				return err
			}
		}
		if before.consent == "" && s.consent != "" {
			if err := join(ctx, tx, thing, link{OfConsent, s.consent}, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// join makes the earlier events of a thing part of the story of a customer or
// a consent.
func join(ctx context.Context, tx *Tx, thing, to link, since eventstore.Position) error {
	column := string(to.kind) // one of two
	_, err := tx.Exec(ctx, "UPDATE {entries} SET "+column+" = ?, "+column+"_since = ? WHERE "+column+
		" = '' AND position IN (SELECT position FROM {links} WHERE kind = ? AND id = ?)", to.id, since, thing.kind, thing.id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO {links} (kind, id, position, since)
		SELECT ?, ?, position, CAST(? AS BIGINT) FROM {links} l WHERE l.kind = ? AND l.id = ?
		AND NOT EXISTS (SELECT 1 FROM {links} m WHERE m.kind = ? AND m.id = ? AND m.position = l.position)`,
		to.kind, to.id, since, thing.kind, thing.id, to.kind, to.id)
	return err
}
