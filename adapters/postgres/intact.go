package postgres

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/jackc/pgx/v5"
)

// Intact checks that every event is found by the name of its stream and its
// revision, as reads and decisions look for it: a stream that is not found
// any more would look like one that never was. It reads the whole log.
func (l *Log) Intact(ctx context.Context) error {
	size, err := l.Size(ctx)
	if err != nil {
		return err
	}
	pages := l.pages()
	for after, head := eventstore.Position(0), eventstore.Position(size); after < head; {
		p, next, err := pages.between(ctx, after, head, eventstore.Filter{})
		if err != nil {
			return err
		}
		if int64(len(p.leaves)) != int64(next-after) {
			return &ledger.AlteredError{Position: after + 1, What: fmt.Sprintf("%d events where %d must be", len(p.leaves), next-after)}
		}
		if err := l.findable(ctx, p.leaves); err != nil {
			return err
		}
		after = next
	}
	return nil
}

// findable does not join by position, or the index of positions would answer.
const findable = `SELECT count(*) FILTER (WHERE e.position = w.position)
	FROM unnest($1::text[], $2::bigint[], $3::bigint[]) w(name, revision, position)
	JOIN stream s ON s.name = w.name JOIN event e ON e.sid = s.sid AND e.revision = w.revision`

func (l *Log) findable(ctx context.Context, leaves []ledger.Leaf) error {
	names, revisions, positions := make([]string, len(leaves)), make([]int64, len(leaves)), make([]int64, len(leaves))
	for i := range leaves {
		names[i], revisions[i], positions[i] = string(leaves[i].Stream), int64(leaves[i].Revision), int64(leaves[i].Position)
	}
	var found int
	err := l.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, findable, names, revisions, positions).Scan(&found)
	})
	if err == nil && found != len(leaves) {
		first, last := leaves[0].Position, leaves[len(leaves)-1].Position
		err = &ledger.AlteredError{Position: first, What: fmt.Sprintf("of the events up to %d, %d are not found by their streams", last, len(leaves)-found)}
	}
	return err
}
