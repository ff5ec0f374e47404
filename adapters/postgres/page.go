package postgres

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"
)

// Bounds of one page of a read, which is held in memory.
const (
	firstRows  = 64
	pageRows   = 1024
	pageBytes  = 2 << 20
	pageWindow = 8192 // positions looked at, of which a filter may select few
)

const columnList = "s.name, e.revision, e.id, e.type, e.version, e.recorded, e.position, e.leaf, e.meta, e.data"

// A page is a part of a read.
type page struct {
	leaves []ledger.Leaf
	full   bool // there may be more in what was asked for
}

// pages reads page after page. Their rows grow as long as events are small.
type pages struct {
	*Log
	rows int
}

func (l *Log) pages() *pages { return &pages{l, firstRows} }

// read runs a query, whose last parameter is how many rows it may return.
func (p *pages) read(ctx context.Context, sql string, args ...any) (got page, err error) {
	err = p.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		got = page{leaves: make([]ledger.Leaf, 0, p.rows)}
		rows, err := c.Query(ctx, sql, append(args, p.rows)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		bytes := 0
		for bytes < pageBytes && rows.Next() {
			leaf := scanned(rows.RawValues())
			bytes += len(leaf.Data) + len(leaf.Meta)
			got.leaves = append(got.leaves, leaf)
		}
		rows.Close()
		got.full = bytes >= pageBytes || len(got.leaves) == p.rows
		return rows.Err()
	})
	if err != nil {
		return page{}, err
	}
	if len(got.leaves) == p.rows {
		p.rows = min(4*p.rows, pageRows)
	} else if got.full {
		p.rows = max(1, len(got.leaves))
	}
	return got, nil
}

// scanned reads a row of columnList in the binary format.
func scanned(v [][]byte) (l ledger.Leaf) {
	l.Stream, l.Type = eventstore.Stream(v[0]), string(v[3])
	l.Revision = eventstore.Revision(integer(v[1]))
	copy(l.ID[:], v[2])
	l.Version = int(binary.BigEndian.Uint32(v[4]))
	l.Recorded = time.Unix(0, integer(v[5])).UTC()
	l.Leaf = integer(v[6]) - 1
	l.Position = eventstore.Position(l.Leaf + 1)
	l.Hash = hashOf(v[7])
	meta := len(v[8])
	both := make([]byte, meta+len(v[9]))
	copy(both, v[8])
	copy(both[meta:], v[9])
	l.Meta, l.Data = both[:meta:meta], both[meta:]
	return l
}

func integer(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

// hashOf is the zero hash if b is none, which no event has.
func hashOf(b []byte) (h tlog.Hash) {
	if len(b) == len(h) {
		copy(h[:], b)
	}
	return h
}
