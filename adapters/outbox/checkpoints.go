package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/adapters/internal/tables"
	"github.com/chirograph/chirograph/eventstore"
)

// Begin returns how far a subscriber of the log has got. If nothing is known of
// it, or it is further than the log whose head is given, because an older state
// of the log was put back, it begins at the head, and that is durable.
func (s *Store) Begin(ctx context.Context, subscriber string, head eventstore.Position) (at eventstore.Position, anew bool, err error) {
	err = s.db.Update(ctx, func(tx tables.Tx) error {
		var known int64
		err := tx.Lock(ctx, `SELECT position FROM checkpoints WHERE subscriber = ?`, subscriber).Scan(&known)
		if err == nil && eventstore.Position(known) <= head {
			at, anew = eventstore.Position(known), false
			return nil
		}
		at, anew = head, true
		if errors.Is(err, sql.ErrNoRows) {
			_, err = tx.Exec(ctx, `INSERT INTO checkpoints (subscriber, position) VALUES (?, ?)`, subscriber, int64(head))
			return err
		}
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE checkpoints SET position = ? WHERE subscriber = ?`, int64(head), subscriber)
		}
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("outbox: the checkpoint of %s: %w", subscriber, err)
	}
	return at, anew, nil
}

// Save records how far a subscriber has got, durably. A checkpoint never goes
// back: who led before and is late changes nothing.
func (s *Store) Save(ctx context.Context, subscriber string, at eventstore.Position) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO checkpoints (subscriber, position) VALUES (?, ?)
		ON CONFLICT (subscriber) DO UPDATE SET position = excluded.position
		WHERE excluded.position > checkpoints.position`, subscriber, int64(at))
	if err != nil {
		return fmt.Errorf("outbox: save the checkpoint of %s: %w", subscriber, err)
	}
	return nil
}
