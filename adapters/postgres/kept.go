package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/jackc/pgx/v5"
)

// records are the part of a schema that keeps what was signed; log and table
// have it alike.
type records struct{ kept *database }

// KeepCheckpoint keeps a signed note, durably.
func (r records) KeepCheckpoint(ctx context.Context, epoch, size int64, note []byte) error {
	const keep = "INSERT INTO checkpoint(epoch, size, note) VALUES ($1, $2, $3) ON CONFLICT (epoch, size) DO UPDATE SET note = excluded.note"
	return r.kept.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, keep, epoch, size, present(note))
		return err
	})
}

const (
	nextNote = "SELECT epoch, size, note FROM checkpoint WHERE (epoch, size) > ($1, $2) ORDER BY epoch, size LIMIT 1"
	lastNote = "SELECT epoch, size, note FROM checkpoint WHERE (epoch, size) > ($1, $2) ORDER BY epoch DESC, size DESC LIMIT 1"
)

// Checkpoints yields the notes that were kept, oldest first.
func (r records) Checkpoints(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		epoch, size := int64(-1), int64(-1)
		for {
			note, err := r.checkpoint(ctx, nextNote, &epoch, &size)
			if err != nil {
				yield(nil, err)
				return
			}
			if note == nil || !yield(note, nil) {
				return
			}
		}
	}
}

// NewestCheckpoint returns the note of the highest epoch and size, nil if
// none was kept.
func (r records) NewestCheckpoint(ctx context.Context) ([]byte, error) {
	epoch, size := int64(-1), int64(-1)
	return r.checkpoint(ctx, lastNote, &epoch, &size)
}

// checkpoint returns a note beyond epoch and size, and moves them to it.
func (r records) checkpoint(ctx context.Context, sql string, epoch, size *int64) (note []byte, err error) {
	err = r.kept.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, sql, *epoch, *size).Scan(epoch, size, &note)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return note, err
}

// Claimed returns the last claim.
func (r records) Claimed(ctx context.Context) (claim ledger.Claim, err error) {
	var root []byte
	err = r.kept.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT epoch, size, root FROM claim").Scan(&claim.Epoch, &claim.Size, &root)
	})
	claim.Root = hashOf(root)
	return claim, err
}

// Claim replaces the claim from by to. If the answer was lost, and the claim
// turns out to be to, that is the same.
func (r records) Claim(ctx context.Context, from, to ledger.Claim) error {
	const replace = "UPDATE claim SET epoch = $1, size = $2, root = $3 WHERE epoch = $4 AND size = $5 AND root = $6"
	var replaced bool
	err := r.kept.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		tag, err := c.Exec(ctx, replace, to.Epoch, to.Size, to.Root[:], from.Epoch, from.Size, from.Root[:])
		replaced = tag.RowsAffected() == 1
		return err
	})
	if err != nil || replaced {
		return err
	}
	if last, err := r.Claimed(ctx); err != nil || last == to {
		return err
	}
	return ledger.ErrDeposed
}
