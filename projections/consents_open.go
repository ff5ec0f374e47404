package projections

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/eventstore"
)

// OpenOf returns the consents of a customer that could still be ended, the
// newest first: at most [MaxLimit].
func (q *Consents) OpenOf(ctx context.Context, subject string) ([]Consent, error) {
	all, _, err := q.where(ctx, "subject = ? AND status IN (?, ?)", subject, consent.Active, consent.Stopped)
	return all, err
}

// Overdue returns consents that ran out by an instant without that having been
// noted: at most [MaxLimit] of them.
func (q *Consents) Overdue(ctx context.Context, now time.Time) ([]string, error) {
	var ids []string
	err := q.from.read(ctx, func(tx *Tx, _ eventstore.Position) (err error) {
		ids, err = collect(ctx, tx, value[string], "SELECT id FROM {consents} WHERE status IN (?, ?, ?) AND expires <= ? LIMIT ?",
			consent.Awaiting, consent.Active, consent.Stopped, nanos(now), MaxLimit)
		return err
	})
	return ids, err
}
