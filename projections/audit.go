package projections

import (
	"cmp"
	"context"
	"slices"
	"strings"

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
	Version: 2,
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
	Fold: foldAudit,
}

// An indexed event is one that a call of Fold adds to the index.
type indexed struct {
	facts
	event                       eventstore.Event
	result                      string
	customerSince, consentSince eventstore.Position
	links                       []linked
}

type linked struct {
	link
	since eventstore.Position
}

func (x *indexed) has(l link) bool {
	return slices.ContainsFunc(x.links, func(have linked) bool { return have.link == l })
}

func foldAudit(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
	all := make([]subjects, len(events))
	var asked []link
	for i, e := range events {
		if all[i] = about(e); all[i].mayLearn(e) {
			asked = append(asked, all[i].things()...)
		}
	}
	l := newLearning(tx)
	if err := l.recall(ctx, asked); err != nil {
		return err
	}
	added := make([]indexed, len(events))
	for i, e := range events {
		s := &all[i]
		if s.mayLearn(e) {
			if err := l.learn(ctx, s, e.Position); err != nil {
				return err
			}
		}
		added[i] = indexed{
			facts: facts{e.Position, s.client, s.customer, s.consent}, event: e.Event, result: s.result,
			customerSince: e.Position, consentSince: e.Position,
		}
		for _, to := range s.links(e.Type) {
			added[i].links = append(added[i].links, linked{to, e.Position})
		}
		l.add(&added[i])
	}
	return index(ctx, tx, added)
}

// index writes what was added.
func index(ctx context.Context, tx *Tx, added []indexed) error {
	var entries, links [][]any
	for _, x := range added {
		entries = append(entries, []any{x.position, nanos(x.event.Recorded), x.event.Stream, x.event.Revision, x.client, x.result,
			x.customer, x.customerSince, x.consent, x.consentSince})
		for _, l := range x.links {
			links = append(links, []any{string(l.kind), l.id, x.position, l.since})
		}
	}
	slices.SortFunc(links, func(a, b []any) int { // neighbours are written together
		return cmp.Or(strings.Compare(a[0].(string), b[0].(string)), strings.Compare(a[1].(string), b[1].(string)))
	})
	if err := tx.insert(ctx, "INSERT INTO {entries} (position, recorded, stream, revision, client, result, customer, customer_since, consent, consent_since)", entries, ""); err != nil {
		return err
	}
	return tx.insert(ctx, "INSERT INTO {links} (kind, id, position, since)", links, "")
}

// mayLearn reports whether earlier events may know what e does not say, or the
// other way round.
func (s *subjects) mayLearn(e eventstore.Decoded) bool {
	complete := s.client != "" && s.customer != "" && s.consent != ""
	switch e.Stream.Category() {
	case "authorization", "backchannel", "token", "refresh":
		return e.Revision > 0 // the first one says all that is known
	case "consent":
		return true
	}
	return !complete
}
