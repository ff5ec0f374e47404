package login

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// A Delay slows guessing down. After Free failures there is a pause of First,
// which doubles with each further one up to Most; each Decay forgives one.
type Delay struct {
	Free  int
	First time.Duration
	Most  time.Duration
	Decay time.Duration
}

// maxFailures bounds how many names and addresses are counted. The oldest
// give way.
const maxFailures = 100_000

// A limit is a delay that applies to one name or address.
type limit struct {
	key []byte
	Delay
}

// failures is what is known of a name or an address. The zero value is
// nothing.
type failures struct {
	count       int
	last, until time.Time
}

// at returns the failures as they count at a time.
func (d Delay) at(f failures, now time.Time) failures {
	if d.Decay > 0 && now.After(f.last) {
		f.count = max(0, f.count-int(min(now.Sub(f.last)/d.Decay, 1<<20)))
	}
	if most := now.Add(d.Most); f.until.After(most) {
		f.until = most // the clock was set back
	}
	return f
}

// next returns the failures after one more.
func (d Delay) next(f failures, now time.Time) failures {
	f.last = now
	f.count++
	pause := d.First
	for range f.count - d.Free {
		if pause *= 2; pause >= d.Most {
			pause, f.count = d.Most, f.count-1 // more would only take longer to forgive
			break
		}
	}
	if f.count >= d.Free {
		f.until = now.Add(pause)
	}
	return f
}

// allowed returns a [*DelayError] if one of the limits demands a pause.
func (s *Store) allowed(ctx context.Context, limits []limit, now time.Time) error {
	var until time.Time
	for _, l := range limits {
		f, _, err := l.scan(s.db.QueryRow(ctx, stored, l.key), now)
		if err != nil {
			return err
		}
		if f.until.After(until) {
			until = f.until
		}
	}
	if until.After(now) {
		return &DelayError{until}
	}
	return nil
}

// count records one more failure under each limit, unless one of them demands
// a pause. Nodes count one after the other: each reads what the one before it
// wrote.
func (s *Store) count(ctx context.Context, limits []limit, now time.Time) error {
	return s.db.Update(ctx, func(tx tables.Tx) error {
		for _, l := range limits {
			if err := l.count(ctx, tx, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l limit) count(ctx context.Context, tx tables.Tx, now time.Time) error {
	f, known, err := l.scan(tx.Lock(ctx, stored, l.key), now)
	switch {
	case err != nil:
		return err
	case f.until.After(now):
		return &DelayError{f.until}
	}
	f = l.next(f, now)
	if known {
		_, err := tx.Exec(ctx, `UPDATE failures SET count = ?, last = ?, until = ? WHERE key = ?`,
			f.count, f.last.UnixNano(), unixNano(f.until), l.key)
		return err
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO failures (key, count, last, until) VALUES (?, ?, ?, ?) RETURNING id`,
		l.key, f.count, f.last.UnixNano(), unixNano(f.until)).Scan(&id)
	if err != nil {
		return err
	}
	return tx.Sweep(ctx, "failures", "id", "id <= ?", id-maxFailures)
}

// forgive takes the last failure back, because the password was right: the
// name starts afresh, the address only loses this one, so that a customer of
// its own does not help who guesses.
func (s *Store) forgive(ctx context.Context, limits []limit) error {
	name, address := limits[0], limits[1]
	return s.db.Update(ctx, func(tx tables.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM failures WHERE key = ?`, name.key); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE failures SET count = CASE WHEN count > 0 THEN count - 1 ELSE 0 END, until = 0 WHERE key = ?`, address.key)
		return err
	})
}

const stored = `SELECT count, last, until FROM failures WHERE key = ?`

// scan returns the failures of a row as they count at a time, and whether
// there is a row.
func (l limit) scan(row tables.Row, now time.Time) (_ failures, known bool, err error) {
	var count int
	var last, until int64
	err = row.Scan(&count, &last, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return failures{}, false, nil
	}
	return l.at(failures{count, instant(last), instant(until)}, now), true, err
}

// unixNano is t.UnixNano, and zero for the zero time.
func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
