package projections

import (
	"context"
	"fmt"
	"iter"
)

// Timeline yields everything that belongs to one thing, the oldest first, as
// of the position that the index has reached. The timeline of a consent begins
// with the request that asked for it and goes on after its end, with what was
// refused then.
func (a *Audit) Timeline(ctx context.Context, kind Kind, id string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		q, err := queryFor(kind, id)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		n := a.Names(ctx)
		for {
			hits, l, err := a.hits(ctx, q)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			entries, err := a.entries(ctx, hits, n)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
			if q.Cursor = l.Next; q.Cursor == "" {
				return
			}
		}
	}
}

// queryFor selects the whole story of one thing, the oldest event first.
func queryFor(kind Kind, id string) (Query, error) {
	q := Query{Oldest: true, Page: Page{Limit: MaxLimit}}
	field := map[Kind]*string{
		OfConsent: &q.Consent, OfClient: &q.Client, OfCustomer: &q.Customer, OfToken: &q.Token, OfRefresh: &q.Refresh,
		OfAuthorization: &q.Authorization, OfBackchannel: &q.Backchannel, OfDelivery: &q.Delivery,
		OfInteraction: &q.Interaction, OfIssuer: &q.Issuer, OfKey: &q.Key,
	}[kind]
	if field == nil {
		return q, fmt.Errorf("%w kind of timeline %.40q", ErrUnknown, kind)
	}
	if id == "" {
		return q, fmt.Errorf("%w: a timeline needs an id", ErrUnknown)
	}
	*field = id
	return q, nil
}
