// Package sqlite is the embedded event log: one file, no server. One goroutine
// writes; what is queued at that moment shares a commit and its fsync. The
// tree over the events grows in the same transaction.
//
// Nothing is acknowledged before it is on disk. After a commit that failed the
// log is halted until it is opened anew, because what the disk holds is then
// unknown. The folder belongs to one writer, by a lock file; any number of
// read-only openings may stand beside it.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/latest"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/google/uuid"
)

// FileName is the name of the database in its folder.
const FileName = "log.db"

const lockName = "lock"

// Lock takes a folder for this process, as opening a log in it for writing
// does: for who keeps other files there that one process may have at a time.
// [ErrLocked] if another has it.
func Lock(dir string) (io.Closer, error) {
	held, err := lock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err // a nil file is no nil closer
	}
	return held, nil
}

var (
	ErrLocked   = errors.New("sqlite: the folder is in use by another process")
	ErrReadOnly = errors.New("sqlite: the log was opened for reading only")
)

// Options of [Open].
type Options struct {
	Dir      string    // made if missing, unless ReadOnly
	ID       uuid.UUID // to make the log with; random if zero. A log that is there must have it
	ReadOnly bool      // beside a server: no lock, no writes, no start-up checks
	Now      func() time.Time
}

// A Log is an event log in one SQLite file. Every call of Append is all or
// nothing.
type Log struct {
	id       uuid.UUID
	want     uuid.UUID // id that the log must have, if not zero
	path     string
	readOnly bool
	now      func() time.Time

	lock    *os.File
	readers *pool
	writer  *writer // nil if read-only

	head      atomic.Uint64 // position of the last acknowledged event
	halted    atomic.Pointer[error]
	observers observers
	grown     broadcast
	latest    *latest.Leaves // the last events, for all subscriptions

	closing sync.Once
	closed  chan struct{}
}

var (
	_ eventstore.Log        = (*Log)(nil)
	_ eventstore.Observable = (*Log)(nil)
	_ ledger.Vault          = (*Log)(nil)
)

// Open opens the log of a folder, and makes one if there is none. It takes
// the same time however long the log is. The last 1,000 leaves are hashed
// again; [ledger.AlteredError] if they differ from what was written. Whether
// the log is as new as its newest checkpoint is for [ledger.Open] to say.
func Open(o Options) (*Log, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Log{
		want:     o.ID,
		path:     filepath.Join(o.Dir, FileName),
		readOnly: o.ReadOnly,
		now:      o.Now,
		closed:   make(chan struct{}),
		latest:   latest.New(),
	}
	l.grown.reset()
	open := l.openForWriting
	if o.ReadOnly {
		open = l.openForReading
	}
	if err := open(); err != nil {
		l.release()
		return nil, fmt.Errorf("open log in %s: %w", o.Dir, told(err))
	}
	return l, nil
}

func (l *Log) openForReading() error {
	if _, err := os.Stat(l.path); err != nil {
		return err
	}
	return l.openReaders()
}

func (l *Log) openReaders() (err error) {
	if l.readers, err = newPool(l.path); err != nil {
		return err
	}
	c, err := l.readers.get(context.Background())
	if err != nil {
		return err
	}
	defer l.readers.put(c)
	have, err := dataFormat(c)
	if err != nil {
		return err
	}
	if have < len(migrations) {
		return fmt.Errorf("data format %d is older than %d: start the server once", have, len(migrations))
	}
	l.id, err = logID(c)
	if err == nil && l.want != uuid.Nil && l.want != l.id {
		err = fmt.Errorf("the log there is %s, not %s", l.id, l.want)
	}
	return err
}

func (l *Log) openForWriting() (err error) {
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if l.lock, err = lock(filepath.Join(dir, lockName)); err != nil {
		return err
	}
	conn, err := openWriter(l.path)
	if err != nil {
		return err
	}
	l.writer = newWriter(l, conn)
	if err := migrate(conn, l.want); err != nil {
		return err
	}
	if err := l.openReaders(); err != nil {
		return err
	}
	if err := l.writer.recover(); err != nil {
		return err
	}
	go l.writer.run()
	return nil
}

// release gives back what an opening that failed has taken.
func (l *Log) release() {
	if l.readers != nil {
		l.readers.close()
	}
	if l.writer != nil {
		l.writer.conn.Close()
	}
	if l.lock != nil {
		l.lock.Close()
	}
}

// ID is chosen when the log is made and kept by copies of the file.
func (l *Log) ID() uuid.UUID { return l.id }

// Halted is why nothing is written any more until the log is opened anew,
// nil while it is.
func (l *Log) Halted() error {
	if why := l.halted.Load(); why != nil {
		return *why
	}
	return nil
}

// Close ends every subscription with [eventstore.ErrClosed] and waits for the
// commit under way. What is still queued is refused.
func (l *Log) Close() (err error) {
	l.closing.Do(func() {
		close(l.closed)
		if l.writer != nil {
			<-l.writer.done
		}
		l.readers.close()
		if l.writer != nil {
			err = l.writer.conn.Close()
		}
		if l.lock != nil {
			err = errors.Join(err, l.lock.Close())
		}
	})
	return err
}
