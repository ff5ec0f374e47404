package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"
)

// DefaultTableSchema is where the table is unless [TableOptions] say
// otherwise.
const DefaultTableSchema = "chirograph_leaves"

// tableMigrations lead to the data format of the table that this binary
// writes.
var tableMigrations = []migration{`
CREATE TABLE leaf(
	leaf     bigint PRIMARY KEY,
	place    bigint NOT NULL UNIQUE,
	recorded bigint NOT NULL,
	hash     bytea  NOT NULL
);
` + treeTables}

// TableOptions of [OpenTable].
type TableOptions struct {
	URL      string
	Schema   string    // made if missing, unless ReadOnly
	ID       uuid.UUID // of the log, to make the table with; random if zero. A table that is there must have it
	ReadOnly bool
}

// A Table numbers the leaves of a log whose engine has no numbers of its own.
type Table struct {
	database
	records

	id      uuid.UUID
	lock    int64
	closing sync.Once
}

var _ ledger.Table = (*Table)(nil)

// OpenTable opens the table of a schema, and makes one if there is none;
// [ErrNoLog] if there is none and it may not.
func OpenTable(ctx context.Context, o TableOptions) (*Table, error) {
	if o.Schema == "" {
		o.Schema = DefaultTableSchema
	}
	config, err := configure(o.URL, o.Schema)
	if err != nil {
		return nil, err
	}
	bounded(config)
	t := &Table{lock: lockKey(o.Schema)}
	t.records = records{&t.database}
	if err := t.open(ctx, config, o); err != nil {
		t.Close()
		return nil, fmt.Errorf("open table in schema %s: %w", o.Schema, err)
	}
	return t, nil
}

func (t *Table) open(ctx context.Context, config *pgx.ConnConfig, o TableOptions) (err error) {
	if o.ReadOnly {
		onlyReading(config)
	} else if err := prepared(ctx, config, o.Schema, tableMigrations, o.ID); err != nil {
		return err
	}
	if err := t.use(config); err != nil {
		return err
	}
	t.id, err = identified(ctx, &t.database, len(tableMigrations), o.ID)
	return err
}

// ID is that of the log.
func (t *Table) ID() uuid.UUID { return t.id }

// Close waits for what is under way.
func (t *Table) Close() error {
	t.closing.Do(t.release)
	return nil
}

const leafColumns = "SELECT leaf, place, recorded, hash FROM leaf "

func (t *Table) rows(ctx context.Context, sql string, args ...any) (rows []ledger.Row, err error) {
	err = t.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		found, err := c.Query(ctx, leafColumns+sql, args...)
		if err != nil {
			return err
		}
		rows, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (ledger.Row, error) {
			v := row.RawValues()
			return ledger.Row{Leaf: integer(v[0]), Place: uint64(integer(v[1])), Recorded: time.Unix(0, integer(v[2])).UTC(), Hash: hashOf(v[3])}, nil
		})
		return err
	})
	return rows, err
}

// Tail is the row of the last leaf.
func (t *Table) Tail(ctx context.Context) (row ledger.Row, found bool, err error) {
	rows, err := t.rows(ctx, "ORDER BY leaf DESC LIMIT 1")
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

// Rows returns the rows of some leaves, in order.
func (t *Table) Rows(ctx context.Context, from, to int64) ([]ledger.Row, error) {
	return t.rows(ctx, "WHERE leaf >= $1 AND leaf < $2 ORDER BY leaf", from, to)
}

// Placed returns the rows of some places.
func (t *Table) Placed(ctx context.Context, places []uint64) ([]ledger.Row, error) {
	signed := make([]int64, len(places))
	for i, place := range places {
		signed[i] = int64(place)
	}
	return t.rows(ctx, "WHERE place = ANY($1)", signed)
}

const leafHashes = "SELECT hash FROM leaf WHERE leaf >= $1 AND leaf < $2 AND $3 = 0 ORDER BY leaf"

// Hashes returns nodes of the tree.
func (t *Table) Hashes(ctx context.Context, indexes []int64) (hashes []tlog.Hash, err error) {
	err = t.reach(ctx, func(ctx context.Context, c *pgx.Conn) (err error) {
		hashes, err = treeHashes(ctx, c, leafHashes, indexes)
		return err
	})
	return hashes, err
}

const addLeaves = "INSERT INTO leaf(leaf, place, recorded, hash) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])"

// Extend adds rows and nodes, all or nothing and durably.
func (t *Table) Extend(ctx context.Context, rows []ledger.Row, nodes []ledger.Node) error {
	if len(rows) == 0 {
		return nil
	}
	if err := errors.Join(t.isOpen(), ctx.Err()); err != nil {
		return err
	}
	ctx, done := context.WithTimeout(ctx, phaseTimeout)
	defer done()
	return t.once(ctx, func(ctx context.Context, c *pgx.Conn) error {
		return transact(ctx, c, func(tx pgx.Tx) error {
			last, err := t.last(ctx, tx)
			if err != nil {
				return err
			}
			if rows[0].Leaf != last.Leaf+1 {
				return ledger.ErrDeposed
			}
			var b pgx.Batch
			if err := queueRows(&b, last, rows); err != nil {
				return err
			}
			if len(nodes) > 0 {
				queueNodes(&b, nodes)
			}
			return tx.SendBatch(ctx, &b).Close()
		})
	})
}

// last takes the lock and is the row that the next must follow.
func (t *Table) last(ctx context.Context, tx pgx.Tx) (ledger.Row, error) {
	var leaf, place, recorded int64
	var b pgx.Batch
	b.Queue(takeLock, t.lock)
	b.Queue("SELECT leaf, place, recorded FROM leaf ORDER BY leaf DESC LIMIT 1").QueryRow(func(row pgx.Row) error {
		err := row.Scan(&leaf, &place, &recorded)
		if errors.Is(err, pgx.ErrNoRows) {
			leaf, err = -1, nil
		}
		return err
	})
	err := tx.SendBatch(ctx, &b).Close()
	return ledger.Row{Leaf: leaf, Place: uint64(place), Recorded: time.Unix(0, recorded)}, err
}

func queueRows(b *pgx.Batch, last ledger.Row, rows []ledger.Row) error {
	leaves, places, recorded, hashes := make([]int64, len(rows)), make([]int64, len(rows)), make([]int64, len(rows)), make([][]byte, len(rows))
	for i, r := range rows {
		if r.Leaf != last.Leaf+1 || r.Leaf > 0 && (r.Place <= last.Place || r.Recorded.Before(last.Recorded)) {
			return fmt.Errorf("postgres: leaf %d at place %d does not follow leaf %d at %d", r.Leaf, r.Place, last.Leaf, last.Place)
		}
		leaves[i], places[i], recorded[i], hashes[i] = r.Leaf, int64(r.Place), r.Recorded.UnixNano(), rows[i].Hash[:]
		last = r
	}
	b.Queue(addLeaves, leaves, places, recorded, hashes)
	return nil
}
