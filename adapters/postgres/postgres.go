// Package postgres keeps what many nodes share in PostgreSQL: the event log
// ([Open]), the numbering of a log whose engine has no numbers ([OpenTable]),
// who leads ([Lease]), and what they let through ([Spending]). For other data
// there is a database/sql handle ([OpenSQL]).
//
// # The log
//
// Each node has one goroutine that writes; what is queued at that moment
// shares a transaction. A transaction begins with an advisory lock, so of all
// nodes one writes at a time: positions are dense and their order is that of
// the commits. The tree over the events grows in the same transaction.
//
// Nothing is acknowledged before the server says that it is durable. What the
// server refuses before the commit is a [RefusedError]: nothing was written,
// and the next append may succeed. A connection that breaks during the commit
// leaves [eventstore.ErrUnknownOutcome]. The log is never halted for good.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/latest"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/google/uuid"
)

// DefaultSchema is where the log is unless [Options] say otherwise.
const DefaultSchema = "chirograph_log"

// ErrReadOnly means that the log was opened for reading only.
var ErrReadOnly = errors.New("postgres: the log was opened for reading only")

// Options of [Open].
type Options struct {
	URL      string
	Schema   string    // made if missing, unless ReadOnly
	ID       uuid.UUID // to make the log with; random if zero. A log that is there must have it
	ReadOnly bool      // no writes, no start-up checks
	Now      func() time.Time
}

// A Log is one node's access to an event log in PostgreSQL. Every call of
// Append is all or nothing.
type Log struct {
	database
	records

	id      uuid.UUID
	lock    int64
	channel string // of notifications
	now     func() time.Time

	writer  *writer        // nil if read-only
	seen    seen           // the head as far as this node has heard
	latest  *latest.Leaves // the last events, for all subscriptions
	closing sync.Once
	running sync.WaitGroup
}

var (
	_ eventstore.Log      = (*Log)(nil)
	_ eventstore.Importer = (*Log)(nil)
	_ ledger.Vault        = (*Log)(nil)
	_ ledger.Claimer      = (*Log)(nil)
	_ ledger.Intact       = (*Log)(nil)
)

// Open opens the log of a schema, and makes one if there is none. It takes the
// same time however long the log is. The last 1,000 leaves are hashed again;
// [ledger.AlteredError] if they differ from what was written. A log of a
// newer data format is refused with a [FormatError].
func Open(ctx context.Context, o Options) (*Log, error) {
	if o.Schema == "" {
		o.Schema = DefaultSchema
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	config, err := configure(o.URL, o.Schema)
	if err != nil {
		return nil, err
	}
	bounded(config)
	l := &Log{
		lock:    lockKey(o.Schema),
		channel: fmt.Sprintf("chirograph_%016x", uint64(lockKey(o.Schema))),
		now:     o.Now,
		latest:  latest.New(),
	}
	l.seen.reset()
	if err := l.open(ctx, config, o); err != nil {
		l.release()
		return nil, fmt.Errorf("open log in schema %s: %w", o.Schema, err)
	}
	return l, nil
}
