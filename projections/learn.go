package projections

import (
	"context"

	"github.com/chirograph/chirograph/eventstore"
)

// facts are what an entry says. By induction the latest entry of a thing says
// all that is known of the thing.
type facts struct {
	position                  eventstore.Position
	client, customer, consent string
}

// A learning completes events from earlier ones: those of the tables, of which
// it remembers the latest entries, and those of the same call of Fold, which
// are in no table yet.
type learning struct {
	tx     *Tx
	asked  map[link]bool // what events of this call may learn from
	latest map[link]*facts
	stored map[link]bool                  // whether the tables have entries of a thing
	loaded map[eventstore.Position]*facts // entries of the tables
	added  map[link][]*indexed            // entries that are in no table yet
}

func newLearning(tx *Tx) *learning {
	return &learning{tx, map[link]bool{}, map[link]*facts{}, map[link]bool{}, map[eventstore.Position]*facts{}, map[link][]*indexed{}}
}

// recall reads the latest entries of things from the tables.
func (l *learning) recall(ctx context.Context, things []link) error {
	type entry struct {
		of link
		facts
	}
	var keys [][]any
	for _, thing := range named(things...) {
		l.asked[thing] = true
		keys = append(keys, []any{thing.kind, thing.id})
	}
	found, err := lookup(ctx, l.tx, func(s scanner) (e entry, err error) {
		err = s.Scan(&e.of.kind, &e.of.id, &e.position, &e.client, &e.customer, &e.consent)
		return e, err
	}, `WITH asked(kind, id) AS (%) SELECT a.kind, a.id, e.position, e.client, e.customer, e.consent
		FROM asked a CROSS JOIN {entries} e
		WHERE e.position = (SELECT MAX(l.position) FROM {links} l WHERE l.kind = a.kind AND l.id = a.id)`, keys)
	for _, e := range found {
		f, known := l.loaded[e.position]
		if !known {
			f = &facts{e.position, e.client, e.customer, e.consent}
			l.loaded[e.position] = f
		}
		l.stored[e.of] = true
		l.later(e.of, f)
	}
	return err
}

// later makes an entry the latest of a thing, unless it is not.
func (l *learning) later(thing link, f *facts) {
	if now := l.latest[thing]; now == nil || now.position < f.position {
		l.latest[thing] = f
	}
}

// add makes an event known to those after it.
func (l *learning) add(x *indexed) {
	for _, to := range x.links {
		switch to.kind {
		case OfAuthorization, OfBackchannel, OfConsent, OfToken, OfRefresh, OfDelivery:
			l.added[to.link] = append(l.added[to.link], x)
			l.later(to.link, &x.facts)
		}
	}
}

// learn completes what an event is about from earlier events of the things it
// names, and lets those events join what was not known of them.
func (l *learning) learn(ctx context.Context, s *subjects, at eventstore.Position) error {
	for _, thing := range s.things() {
		before := l.latest[thing]
		if before == nil {
			continue
		}
		known := *before
		fill(&s.client, known.client)
		fill(&s.customer, known.customer)
		fill(&s.consent, known.consent)
		if thing.kind != OfAuthorization && thing.kind != OfBackchannel && thing.kind != OfConsent {
			continue
		}
		if known.customer == "" && s.customer != "" {
			if err := l.join(ctx, thing, link{OfCustomer, s.customer}, at); err != nil {
				return err
			}
		}
		if known.consent == "" && s.consent != "" {
			if err := l.join(ctx, thing, link{OfConsent, s.consent}, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// join makes the earlier events of a thing part of the story of a customer or
// a consent.
func (l *learning) join(ctx context.Context, thing, to link, since eventstore.Position) error {
	for _, x := range l.added[thing] {
		x.join(to, since)
		if !x.has(to) {
			x.links = append(x.links, linked{to, since})
			if to.kind == OfConsent {
				l.added[to] = append(l.added[to], x)
				l.later(to, &x.facts)
			}
		}
	}
	if !l.stored[thing] {
		return nil
	}
	if err := l.joinStored(ctx, thing, to, since); err != nil || !l.asked[to] {
		return err
	}
	return l.recall(ctx, []link{to})
}

func (x *indexed) join(to link, since eventstore.Position) {
	switch {
	case to.kind == OfCustomer && x.customer == "":
		x.customer, x.customerSince = to.id, since
	case to.kind == OfConsent && x.consent == "":
		x.consent, x.consentSince = to.id, since
	}
}

// joinStored is join for the events that are in the tables.
func (l *learning) joinStored(ctx context.Context, thing, to link, since eventstore.Position) error {
	column := string(to.kind) // one of two
	changed, err := collect(ctx, l.tx, value[eventstore.Position], "UPDATE {entries} SET "+column+" = ?, "+column+"_since = ? WHERE "+column+
		" = '' AND position IN (SELECT position FROM {links} WHERE kind = ? AND id = ?) RETURNING position", to.id, since, thing.kind, thing.id)
	if err != nil {
		return err
	}
	for _, p := range changed {
		if f := l.loaded[p]; f != nil && to.kind == OfCustomer {
			f.customer = to.id
		} else if f != nil {
			f.consent = to.id
		}
	}
	_, err = l.tx.Exec(ctx, `INSERT INTO {links} (kind, id, position, since)
		SELECT ?, ?, position, CAST(? AS BIGINT) FROM {links} l WHERE l.kind = ? AND l.id = ?
		AND NOT EXISTS (SELECT 1 FROM {links} m WHERE m.kind = ? AND m.id = ? AND m.position = l.position)`,
		to.kind, to.id, since, thing.kind, thing.id, to.kind, to.id)
	return err
}
