package postgres

import (
	"fmt"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"
)

func (s *sight) scanHead(row pgx.Row) error {
	var edge []byte
	if err := row.Scan(&s.size, &s.recorded, &edge); err != nil {
		return err
	}
	if len(edge)%tlog.HashSize != 0 {
		return fmt.Errorf("postgres: right edge of the tree of %d bytes", len(edge))
	}
	for ; len(edge) > 0; edge = edge[tlog.HashSize:] {
		s.edge = append(s.edge, tlog.Hash(edge))
	}
	return nil
}

func (s *sight) scanStreams(rows pgx.Rows) error {
	var name string
	var sid, last int64
	_, err := pgx.ForEachRow(rows, []any{&name, &sid, &last}, func() error {
		s.streams[eventstore.Stream(name)] = stream{sid, eventstore.Revision(last)}
		return nil
	})
	return err
}

// eachFound calls f for the rows of an event's place and id.
func eachFound(rows pgx.Rows, f func(eventstore.Stream, uuid.UUID, eventstore.Receipt)) error {
	var name string
	var revision, position int64
	var id [16]byte
	_, err := pgx.ForEachRow(rows, []any{&name, &revision, &id, &position}, func() error {
		f(eventstore.Stream(name), id, eventstore.Receipt{
			Revision: eventstore.Revision(revision), Position: eventstore.Position(position), Leaf: position - 1,
		})
		return nil
	})
	return err
}

func (s *sight) scanWritten(rows pgx.Rows) error {
	return eachFound(rows, func(name eventstore.Stream, id uuid.UUID, r eventstore.Receipt) {
		s.written[place{name, r.Revision}] = known{id, r}
	})
}

func (s *sight) scanRecent(rows pgx.Rows) error {
	return eachFound(rows, func(name eventstore.Stream, id uuid.UUID, r eventstore.Receipt) {
		s.recent[mark{name, id}] = r
	})
}

func (s *sight) scanKeys(rows pgx.Rows) error {
	var key []byte
	var expires int64
	_, err := pgx.ForEachRow(rows, []any{&key, &expires}, func() error {
		if len(key) != 32 {
			return fmt.Errorf("postgres: replay key of %d bytes", len(key))
		}
		s.used[[32]byte(key)] = expires
		return nil
	})
	return err
}
