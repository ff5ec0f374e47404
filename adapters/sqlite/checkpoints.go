package sqlite

import (
	"context"
	"iter"

	"zombiezen.com/go/sqlite"
)

// KeepCheckpoint keeps a signed note, durably.
func (l *Log) KeepCheckpoint(ctx context.Context, epoch, size int64, note []byte) error {
	return l.exclusive(ctx, func(c *sqlite.Conn) error {
		return run(c, "INSERT OR REPLACE INTO checkpoint(epoch, size, note) VALUES (?, ?, ?)", func(q *sqlite.Stmt) {
			q.BindInt64(1, epoch)
			q.BindInt64(2, size)
			q.BindBytes(3, note)
		})
	})
}

const (
	nextNote = "SELECT epoch, size, note FROM checkpoint WHERE (epoch, size) > (?, ?) ORDER BY epoch, size LIMIT 1"
	lastNote = "SELECT epoch, size, note FROM checkpoint WHERE (epoch, size) > (?, ?) ORDER BY epoch DESC, size DESC LIMIT 1"
)

// Checkpoints yields the notes that were kept, oldest first.
func (l *Log) Checkpoints(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		epoch, size := int64(-1), int64(-1)
		for {
			note, err := l.checkpoint(ctx, nextNote, &epoch, &size)
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
func (l *Log) NewestCheckpoint(ctx context.Context) ([]byte, error) {
	epoch, size := int64(-1), int64(-1)
	return l.checkpoint(ctx, lastNote, &epoch, &size)
}

// checkpoint returns a note beyond epoch and size, and moves them to it.
func (l *Log) checkpoint(ctx context.Context, sql string, epoch, size *int64) (note []byte, err error) {
	c, err := l.readers.get(ctx)
	if err != nil {
		return nil, err
	}
	defer l.readers.put(c)
	q, err := c.Prepare(sql)
	if err != nil {
		return nil, told(err)
	}
	q.BindInt64(1, *epoch)
	q.BindInt64(2, *size)
	there, err := q.Step()
	if err != nil || !there {
		return nil, told(err)
	}
	*epoch, *size = q.ColumnInt64(0), q.ColumnInt64(1)
	note = make([]byte, q.ColumnLen(2))
	q.ColumnBytes(2, note)
	return note, q.Reset()
}
