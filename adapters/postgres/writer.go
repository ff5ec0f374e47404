package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bounds of one commit, so that it stays quick.
const (
	maxBatchEvents = 512
	maxBatchBytes  = 1 << 20
	queueLength    = 1024
)

// connectPatience is how long appends wait for a database that is away.
const connectPatience = 5 * time.Second

// A writer owns the connection that writes.
type writer struct {
	log   *Log
	conn  *pgx.Conn // nil or closed while there is none
	queue chan *request
	done  chan struct{} // closed when run has ended
	held  []*request    // received, to be taken before what is queued

	crowded bool      // another node had the lock the last time
	told    time.Time // when others were told last that the head moves
	warned  bool      // by the server, about the last statement

	record []byte // buffer for the record that is hashed
}

func newWriter(l *Log) *writer {
	return &writer{log: l, queue: make(chan *request, queueLength), done: make(chan struct{})}
}

// run commits what is queued until the log is closed.
func (w *writer) run() {
	defer close(w.done)
	defer w.hangUp()
	var batch []*request
	for {
		first := w.next()
		if first == nil {
			return
		}
		if err := w.connect(); err != nil { // until then callers may withdraw
			w.refuseWaiting(first, refused(err))
			continue
		}
		if !first.Take() {
			continue
		}
		batch = append(batch[:0], first)
		if first.history == nil {
			batch = w.fill(batch)
		}
		w.commit(batch)
	}
}

// next waits for a request; nil when the log is closed.
func (w *writer) next() *request {
	if w.log.isOpen() != nil {
		return nil
	}
	if r := w.waiting(); r != nil {
		return r
	}
	select {
	case r := <-w.queue:
		return r
	case <-w.log.ended.Done():
		return nil
	}
}

// waiting is the next request if there is one.
func (w *writer) waiting() *request {
	if len(w.held) > 0 {
		r := w.held[0]
		w.held = w.held[1:]
		return r
	}
	select {
	case r := <-w.queue:
		return r
	default:
		return nil
	}
}

// fill adds what else is waiting to a batch, up to its bounds.
func (w *writer) fill(batch []*request) []*request {
	events, bytes := 0, 0
	for _, r := range batch {
		events, bytes = events+r.events, bytes+r.bytes
	}
	for r := w.waiting(); r != nil; r = w.waiting() {
		events, bytes = events+r.events, bytes+r.bytes
		if r.history != nil || events > maxBatchEvents || bytes > maxBatchBytes {
			w.held = append([]*request{r}, w.held...)
			return batch
		}
		if r.Take() {
			batch = append(batch, r)
		}
	}
	return batch
}

// refuseWaiting answers everybody who waits now.
func (w *writer) refuseWaiting(first *request, err error) {
	for r := first; r != nil; r = w.waiting() {
		if r.Take() {
			r.Refuse(err)
		}
	}
}

// putBack lets a batch wait again of which nothing was written; but each
// request only once, then it is refused.
func (w *writer) putBack(batch []*request, err error) {
	var again []*request
	for _, r := range batch {
		if r.tried {
			r.Refuse(err)
			continue
		}
		r.tried = true
		again = append(again, r)
		r.PutBack()
	}
	w.held = append(again, w.held...)
}

// connect returns with a connection on which a transaction can be begun, or
// with why there is none in time.
func (w *writer) connect() (err error) {
	if w.conn != nil && !w.conn.IsClosed() {
		return nil
	}
	ctx, done := context.WithTimeout(w.log.ended, connectPatience)
	defer done()
	for wait := 25 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		config := w.log.config.Copy()
		config.OnNotice = w.notice
		_ = neverCancelling(ctx, config)
		if w.conn, err = pgx.ConnectConfig(ctx, config); err == nil {
			err = w.ready(ctx)
		}
		w.log.health.note(err)
		if err == nil {
			return nil
		}
		w.hangUp()
		if !pause(ctx, wait) {
			return errors.Join(w.log.isOpen(), err)
		}
	}
}

// ready prepares all statements, so that nothing but a batch itself is sent
// for a batch.
func (w *writer) ready(ctx context.Context) error {
	err := durable(ctx, w.conn)
	for _, sql := range writerStatements {
		if err == nil {
			_, err = w.conn.Prepare(ctx, sql, sql)
		}
	}
	return err
}

// hangUp gives up the connection, and with it whatever is not committed.
func (w *writer) hangUp() {
	if w.conn == nil {
		return
	}
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	_ = w.conn.Close(ctx) // the server ends the transaction either way
	w.conn = nil
}

// pause waits, and reports false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
