package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/admission"

	"github.com/jackc/pgx/v5/pgconn"
)

// phaseTimeout bounds each of the two round trips of a transaction. It is
// longer than the server's own limits, so that these speak first.
const phaseTimeout = lockTimeout + 5*time.Second

// commit writes a batch in one transaction. A request that is refused does
// not touch its neighbours. If the connection breaks before the commit,
// nothing is written, and the batch is tried once more on another one.
func (w *writer) commit(batch []*request) {
	t, batch, err := w.attempt(batch)
	switch {
	case err == nil:
		if n := len(t.events); n > 0 {
			w.log.seen.reached(t.events[n-1].Position)
		}
		for _, r := range batch {
			r.Answer()
		}
	case lost(err) && !errors.Is(err, eventstore.ErrUnknownOutcome):
		w.hangUp()
		w.putBack(batch, refused(err))
	default:
		for _, r := range batch {
			r.Refuse(refused(err))
		}
	}
}

// attempt is one transaction: a round trip that takes the lock and looks up
// all that the decisions need, and one that writes and commits. It returns the
// batch with what has joined it.
func (w *writer) attempt(batch []*request) (*transaction, []*request, error) {
	ctx, done := context.WithTimeout(context.Background(), phaseTimeout)
	defer done()
	s, batch, err := w.look(ctx, batch)
	w.log.health.note(unreached(err))
	if err != nil {
		w.rollback(ctx)
		return nil, batch, err
	}
	t := &transaction{writer: w, sight: s, now: w.time(s), clock: s.clock}
	for _, r := range batch {
		r.Receipts, r.Err = nil, nil
		if err := t.decide(r); err != nil {
			w.rollback(ctx)
			return nil, batch, err
		}
	}
	if len(t.events) == 0 && len(t.keys) == 0 && !t.repeats {
		w.rollback(ctx)
		return t, batch, nil
	}
	return t, batch, w.finish(t)
}

// decide adds to t what a request may write, or refuses the request.
func (t *transaction) decide(r *request) error {
	if r.history != nil {
		return t.adopt(r.history)
	}
	steps, err := admission.Decide(t.sight, r.appends)
	switch {
	case errors.Is(err, eventstore.ErrConflict), errors.Is(err, eventstore.ErrReplay):
		r.Err = err
	case err != nil:
		return err
	default:
		r.Receipts = t.write(r.appends, steps)
	}
	return nil
}

// time is never earlier than that of the last event.
func (w *writer) time(s *sight) time.Time {
	last := time.Unix(0, s.recorded).UTC()
	if now := time.Unix(0, w.log.now().UnixNano()).UTC(); now.After(last) || s.size == 0 {
		return now
	}
	return last
}

// rollback ends a transaction. What cannot be rolled back is hung up on.
func (w *writer) rollback(ctx context.Context) {
	if w.conn.PgConn().TxStatus() == 'I' {
		return
	}
	if _, err := w.conn.Exec(ctx, "ROLLBACK"); err != nil {
		w.hangUp()
	}
}

var errNoStandby = errors.New("the server was told not to wait for its standby")

// notice hears a COMMIT that succeeded with a warning: somebody cancelled it
// while it waited for a synchronous standby.
func (w *writer) notice(_ *pgconn.PgConn, n *pgconn.Notice) {
	const warning = "01000"
	w.warned = w.warned || n.Code == warning
}

// finish sends everything that t writes together with the COMMIT. Once that
// is sent, only the server can say that nothing was written.
func (w *writer) finish(t *transaction) error {
	ctx, done := context.WithTimeout(context.Background(), phaseTimeout)
	defer done()
	b := t.statements()
	b.Queue("COMMIT")
	results := w.conn.SendBatch(ctx, b)
	var err error
	var tag pgconn.CommandTag
	for range b.Len() {
		w.warned = false
		if tag, err = results.Exec(); err != nil {
			break
		}
	}
	_ = results.Close() // if it was acknowledged, it was
	if err == nil && tag.String() == "COMMIT" {
		if w.warned {
			return fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, errNoStandby)
		}
		return nil
	}
	if err == nil {
		return fmt.Errorf("the server answered COMMIT with %s", tag)
	}
	var said *pgconn.PgError
	if errors.As(err, &said) && (said.SeverityUnlocalized == "ERROR" || said.Code == idleTooLong) {
		w.rollback(ctx)
		return err
	}
	w.log.health.note(unreached(err))
	w.hangUp()
	return fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, err)
}
