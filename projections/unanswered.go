package projections

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/eventstore"
)

// Unanswered answers: which pushed authorization requests has nobody decided?
// Its table holds those alone, so it stays small.
type Unanswered struct {
	from *follower
}

var unansweredProjection = Projection{
	Name:    "unanswered",
	Version: 1,
	Filter:  eventstore.Filter{Categories: []string{"authorization"}},
	Tables: []Table{{
		Name:    "unanswered",
		Columns: "id TEXT NOT NULL, issuer TEXT NOT NULL, expires INTEGER NOT NULL",
		Key:     "id",
		Indexes: []string{"issuer, expires"},
	}},
	Fold: foldUnanswered,
}

func foldUnanswered(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
	begun := map[string][]any{}
	var order []string
	var decided [][]any
	for _, e := range events {
		id := e.Stream.ID()
		switch body := e.Body.(type) {
		case authorization.Pushed:
			begun[id] = []any{id, e.Metadata.Issuer, nanos(body.Expires)}
			order = append(order, id)
		case authorization.Granted, authorization.Denied, authorization.Expired:
			if begun[id] == nil {
				decided = append(decided, []any{id})
			}
			delete(begun, id)
		}
	}
	var open [][]any
	for _, id := range order {
		if row := begun[id]; row != nil {
			open = append(open, row)
		}
	}
	if err := tx.insert(ctx, "INSERT INTO {unanswered} (id, issuer, expires)", open, ""); err != nil {
		return err
	}
	_, err := lookup(ctx, tx, value[string], "DELETE FROM {unanswered} WHERE id IN (%) RETURNING id", decided)
	return err
}

// Overdue returns the requests to an issuer whose request_uri ended by an
// instant, the oldest first: at most [MaxLimit] of them.
func (q *Unanswered) Overdue(ctx context.Context, issuer string, by time.Time) (ids []string, err error) {
	err = q.from.read(ctx, func(tx *Tx, _ eventstore.Position) (err error) {
		ids, err = collect(ctx, tx, value[string],
			"SELECT id FROM {unanswered} WHERE issuer = ? AND expires <= ? ORDER BY expires LIMIT ?", issuer, nanos(by), MaxLimit)
		return err
	})
	return ids, err
}
