package sqlite

import (
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Bounds of one commit, so that it stays quick.
const (
	maxBatchEvents = 512
	maxBatchBytes  = 1 << 20
	queueLength    = 1024
)

// A writer owns the write connection.
type writer struct {
	log   *Log
	conn  *sqlite.Conn
	queue chan *request
	done  chan struct{} // closed when run has ended

	tree   *ledger.Frontier
	last   time.Time // recorded time of the last event
	recent recent
	record []byte // buffer for the record that is hashed
	halted error
	held   *request // taken, but too large for the batch before it
}

func newWriter(l *Log, c *sqlite.Conn) *writer {
	return &writer{log: l, conn: c, queue: make(chan *request, queueLength), done: make(chan struct{})}
}

// run commits what is queued until the log is closed.
func (w *writer) run() {
	defer close(w.done)
	var batch []*request
	for {
		first := w.next()
		if first == nil {
			return
		}
		batch = append(batch[:0], first)
		if !first.alone() {
			batch = w.fill(batch)
		}
		switch {
		case w.halted != nil:
			refuse(batch, w.halted)
		case first.task != nil:
			w.perform(first)
		default:
			w.commit(batch)
		}
	}
}

// next waits for a request; nil when the log is closed.
func (w *writer) next() *request {
	if r := w.held; r != nil {
		w.held = nil
		return r
	}
	for {
		select {
		case <-w.log.closed:
			return nil
		default:
		}
		select {
		case r := <-w.queue:
			if r.Take() {
				return r
			}
		case <-w.log.closed:
			return nil
		}
	}
}

// fill adds what else is queued to a batch, up to its bounds.
func (w *writer) fill(batch []*request) []*request {
	events, bytes := batch[0].events, batch[0].bytes
	for {
		select {
		case r := <-w.queue:
			if !r.Take() {
				continue
			}
			events, bytes = events+r.events, bytes+r.bytes
			if r.alone() || events > maxBatchEvents || bytes > maxBatchBytes {
				w.held = r
				return batch
			}
			batch = append(batch, r)
		default:
			return batch
		}
	}
}

func refuse(batch []*request, err error) {
	for _, r := range batch {
		r.Refuse(err)
	}
}

// perform runs a task in a transaction of its own.
func (w *writer) perform(r *request) {
	err := w.atomically(func() error { return r.task(w.conn) })
	r.Refuse(err)
}

// atomically halts the writer if the commit fails.
func (w *writer) atomically(f func() error) error {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := f(); err != nil {
		w.rollback()
		return err
	}
	if err := w.exec("COMMIT"); err != nil {
		w.halt(err)
		return fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, err)
	}
	return nil
}

func (w *writer) exec(sql string) error { return sqlitex.Execute(w.conn, sql, nil) }

// rollback leaves no trace of the transaction; if it cannot, nothing more is
// written.
func (w *writer) rollback() {
	if w.conn.AutocommitEnabled() {
		return // SQLite has done so itself
	}
	if err := w.exec("ROLLBACK"); err != nil {
		w.halt(err)
	}
}

// halt ends writing until the log is opened anew. After a sync that failed
// nobody knows what the disk holds, and a second sync may claim success.
func (w *writer) halt(err error) {
	w.halted = fmt.Errorf("%w: %w", eventstore.ErrHalted, err)
	if !w.conn.AutocommitEnabled() {
		w.halted = errors.Join(w.halted, w.exec("ROLLBACK"))
	}
	why := w.halted
	w.log.halted.Store(&why)
}
