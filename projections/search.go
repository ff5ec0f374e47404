package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// Results that a [Query] can ask for beside exact ones such as "403" or
// "invalid_grant".
const (
	OK      = "ok"      // whatever was not refused
	Refused = "refused" // whatever was, for any reason
)

// A Query selects events of the log. Empty fields select all.
type Query struct {
	Client        string
	Customer      string
	Consent       string
	Token         string
	Refresh       string
	Authorization string
	Backchannel   string
	Delivery      string
	Interaction   string
	Issuer        string // events of an issuer itself, its registrations and keys
	Key           string
	Type          string // stored name, such as "consent.revoked"
	Result        string
	From, To      time.Time // recorded at or after From, and before To

	Oldest bool // first, instead of newest first
	// AsOf asks what was known at a position. 0 is the present one; a cursor
	// brings its own, so that pages stay as they were while events arrive.
	AsOf eventstore.Position
	Page
}

// links are what an event must be linked to.
func (q Query) links() []link {
	all := []link{
		{OfConsent, q.Consent}, {OfToken, q.Token}, {OfRefresh, q.Refresh}, {OfAuthorization, q.Authorization},
		{OfBackchannel, q.Backchannel}, {OfDelivery, q.Delivery},
		{OfInteraction, q.Interaction}, {OfKey, q.Key}, {OfIssuer, q.Issuer}, {OfCustomer, q.Customer},
		{OfClient, q.Client}, {ofType, q.Type},
	}
	if q.Result != OK {
		all = append(all, link{ofResult, q.Result})
	}
	return named(all...)
}

func (q Query) hash() uint64 {
	parts := []string{"audit", q.Result, q.From.UTC().String(), q.To.UTC().String(), fmt.Sprint(q.Oldest)}
	for _, l := range q.links() {
		parts = append(parts, string(l.kind), l.id)
	}
	return question(parts...)
}

// Search returns the events that a query selects, each as a sentence.
func (a *Audit) Search(ctx context.Context, q Query) (Listing[Entry], error) {
	hits, l, err := a.hits(ctx, q)
	if err != nil {
		return l, err
	}
	if l.Items, err = a.entries(ctx, hits, a.Names(ctx)); err != nil {
		return l, err
	}
	l.Lag, err = a.from.lag(ctx, l.AsOf)
	return l, err
}

// hits returns one page of the index, and the listing it makes but for its
// items.
func (a *Audit) hits(ctx context.Context, q Query) (hits []hit, l Listing[Entry], err error) {
	asked, limit := q.hash(), q.limit()
	last := cursor{asOf: q.AsOf}
	if q.Cursor != "" {
		if last, err = parseCursor(q.Cursor, asked); err != nil {
			return nil, l, err
		}
	}
	err = a.from.read(ctx, func(tx *Tx, at eventstore.Position) error {
		l.AsOf = last.asOf
		if l.AsOf == 0 {
			l.AsOf = at
		}
		if l.AsOf > at {
			return fmt.Errorf("%w: the index is at %d, asked for %d", ErrBehind, at, l.AsOf)
		}
		span, err := q.span(ctx, tx, l.AsOf, last.last)
		if err != nil {
			return err
		}
		hits, err = tx.find(ctx, q, span, l.AsOf, limit+1)
		return err
	})
	if len(hits) > limit {
		hits = hits[:limit]
		l.Next = cursor{asked, l.AsOf, hits[limit-1].position}.String()
	}
	return hits, l, err
}

// A span is a range of positions, both ends included.
type span struct{ from, to eventstore.Position }

// span returns where the page after a position can lie, given the time range.
func (q Query) span(ctx context.Context, tx *Tx, asOf, last eventstore.Position) (span, error) {
	s := span{1, asOf}
	if !q.From.IsZero() {
		before, err := tx.before(ctx, q.From, asOf)
		if err != nil {
			return s, err
		}
		s.from = before + 1
	}
	if !q.To.IsZero() {
		before, err := tx.before(ctx, q.To, asOf)
		if err != nil {
			return s, err
		}
		s.to = min(s.to, before)
	}
	switch {
	case last == 0:
	case q.Oldest:
		s.from = max(s.from, last+1)
	default:
		s.to = min(s.to, last-1)
	}
	return s, nil
}

// before returns the last position recorded before an instant. Recorded times
// never decrease, so it halves the range.
func (t *Tx) before(ctx context.Context, instant time.Time, asOf eventstore.Position) (eventstore.Position, error) {
	at := nanos(instant)
	return lastWhere(asOf, func(after eventstore.Position) (eventstore.Position, bool, error) {
		type probe struct {
			position eventstore.Position
			recorded int64
		}
		p, found, err := first(ctx, t, func(s scanner) (p probe, err error) {
			err = s.Scan(&p.position, &p.recorded)
			return p, err
		}, "SELECT position, recorded FROM {entries} WHERE position > ? ORDER BY position LIMIT 1", after)
		return p.position, found && p.recorded < at, err
	})
}
