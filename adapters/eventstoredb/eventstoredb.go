// Package eventstoredb is an event log in EventStoreDB, which many nodes write
// and read at once.
//
// The server orders events but does not number them. Numbers, and the tree over
// the events, are in a [ledger.Table] that all nodes share: one elected node
// extends it with [Log.Follow]. They are a pure function of the server's order,
// so every node numbers what lies beyond the table for itself, from one
// subscription to all events. An append does not wait for that: its receipts,
// and events read a moment later, may be [eventstore.Unnumbered].
//
// The server appends to one stream at a time. A call with several appends is
// written in order and stops at the first that is refused. Replay keys are
// written before the events and given back if these are refused.
//
// All of it was tested against a stand-in (package standin) and never yet
// against a real server. The server must be of version 22.6 or later: those
// before it do not say where in the order an event of a stream is.
package eventstoredb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/google/uuid"
)

// Options of [Open].
type Options struct {
	URL    string // connection string, esdb://…
	Prefix string // of all stream names, [DefaultPrefix] if empty
	Table  ledger.Table
	ID     uuid.UUID // that the log must have, and gets if it is made; that of the table if zero

	Now     func() time.Time // time.Now if nil
	Log     *slog.Logger
	Metrics Metrics

	// Patience bounds how long an append may take while the server does not
	// answer, 10 s if zero, and a read half of that; Watch is how often it is asked
	// whether the subscription has fallen behind, 3 s if zero.
	Patience, Watch time.Duration
}

// A Log is an event log in EventStoreDB. Several may be open on the same one,
// in one process or in many.
type Log struct {
	names
	id       uuid.UUID
	origin   uint64 // place of the event that names the log: all others are after it
	now      func() time.Time
	log      *slog.Logger
	metrics  Metrics
	patience time.Duration
	watch    time.Duration
	near     eventstore.Position // how far from the head events are read whatever their category

	clients *clients
	table   ledger.Table
	index   *index
	keys    *keys
	lanes   [64]chan struct{} // of appends that take any revision
	stamped atomic.Int64      // time of the last event written here

	ctx     context.Context // ends when the log is closed
	cancel  context.CancelFunc
	running sync.WaitGroup
	halting sync.Once
	halted  chan struct{} // closed when why is set
	why     error
}

var (
	_ eventstore.Log      = (*Log)(nil)
	_ eventstore.Importer = (*Log)(nil)
	_ ledger.Vault        = (*Log)(nil)
	_ ledger.Claimer      = (*Log)(nil)
)

// Open opens a log, and makes one if the server has none. It returns when this
// node has numbered all that the server has. [ledger.RollbackError] if the
// server has fewer events than the table has leaves, [ledger.AlteredError] if
// it has others: nothing is numbered anew then.
func Open(ctx context.Context, o Options) (*Log, error) {
	l, err := newLog(o)
	if err != nil {
		return nil, fmt.Errorf("open log in EventStoreDB: %w", err)
	}
	id, err := wanted(o)
	if err == nil {
		err = l.open(ctx, id)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("open log in EventStoreDB: %w", err)
	}
	return l, nil
}

func newLog(o Options) (*Log, error) {
	config, err := configuration(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Table == nil {
		return nil, errors.New("no table of leaves")
	}
	if strings.HasPrefix(o.Prefix, "$") {
		return nil, fmt.Errorf("prefix %.40q begins like a stream of the server", o.Prefix)
	}
	l := &Log{
		names: names{cmp.Or(o.Prefix, DefaultPrefix)}, now: o.Now, log: o.Log, metrics: o.Metrics, table: o.Table,
		patience: o.Patience, watch: o.Watch, halted: make(chan struct{}),
	}
	l.defaults()
	l.clients = newClients(*config, l.log, l.metrics)
	l.keys = newKeys(l)
	for i := range l.lanes {
		l.lanes[i] = make(chan struct{}, 1)
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

func (l *Log) defaults() {
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.metrics == nil {
		l.metrics = uncounted{}
	}
	if l.patience == 0 {
		l.patience = 10 * time.Second
	}
	if l.watch == 0 {
		l.watch = 3 * time.Second
	}
	l.near = 2000
}

func (l *Log) open(ctx context.Context, id uuid.UUID) error {
	tail, found, err := l.table.Tail(ctx)
	if err != nil {
		return err
	}
	if err := l.identify(ctx, id, tail, found); err != nil {
		return err
	}
	if err := l.checkTail(ctx); err != nil {
		return err
	}
	l.index = newIndex(tail, found)
	l.running.Go(l.feed)
	_, err = l.numberedHead(ctx)
	return err
}

// ID is chosen when the log is made and kept by copies of it.
func (l *Log) ID() uuid.UUID { return l.id }

// Halted is why nothing is written any more until the log is opened anew: the
// server no longer has what it had, or not in the form it was written.
func (l *Log) Halted() error {
	select {
	case <-l.halted:
		return fmt.Errorf("%w: %w", eventstore.ErrHalted, l.why)
	default:
		return nil
	}
}

// halt stops the log for good. It returns why as [Log.Halted] does.
func (l *Log) halt(why error) error {
	l.halting.Do(func() {
		l.why = why
		close(l.halted)
		l.log.Error("the log in EventStoreDB is halted", "err", why)
	})
	return l.Halted()
}

// usable returns why the log cannot be used, if so.
func (l *Log) usable(ctx context.Context) error {
	if l.ctx.Err() != nil {
		return eventstore.ErrClosed
	}
	return ctx.Err()
}

// Close ends every subscription with [eventstore.ErrClosed]. An append under
// way may still be written.
func (l *Log) Close() error {
	l.cancel()
	l.running.Wait()
	l.clients.close()
	return nil
}
