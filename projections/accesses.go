package projections

import (
	"context"
	"strconv"
	"time"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/eventstore"
)

// Accesses answers: how often was what read, on which day?
type Accesses struct {
	from *follower
}

// An Access counts the accesses of one day that had the same result.
type Access struct {
	Consent    string    `json:"consent_id,omitempty"`
	Client     string    `json:"client_id,omitempty"`
	Day        string    `json:"day"` // UTC, YYYY-MM-DD
	Permission string    `json:"permission,omitempty"`
	Result     string    `json:"result"` // HTTP status
	Count      int       `json:"count"`
	First      time.Time `json:"first_at"`
	Last       time.Time `json:"last_at"`
}

// Answered reports whether data left, as far as the record tells.
func (a Access) Answered() bool { return a.Result < "400" }

var accessesProjection = Projection{
	Name:    "accesses",
	Version: 1,
	Filter:  eventstore.Filter{Categories: []string{"access"}},
	Tables: []Table{{
		Name: "accesses",
		Columns: `consent TEXT NOT NULL, client TEXT NOT NULL, day TEXT NOT NULL, permission TEXT NOT NULL,
			result TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL`,
		Key:     "consent, client, day, permission, result",
		Indexes: []string{"client, day"},
	}},
	Fold: foldAccesses,
}

// foldAccesses counts in memory first: of one day and result there are many.
func foldAccesses(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
	type key struct{ consent, client, day, permission, result string }
	at := map[key]int{}
	var rows [][]any
	for _, e := range events {
		body, ok := e.Body.(access.Recorded)
		if !ok {
			continue
		}
		k := key{body.Consent, e.Metadata.Client, e.Recorded.UTC().Format(time.DateOnly), whole(body.Permission), strconv.Itoa(body.Result)}
		when := nanos(e.Recorded)
		i, known := at[k]
		if !known {
			at[k] = len(rows)
			rows = append(rows, []any{k.consent, k.client, k.day, k.permission, k.result, 1, when, when})
			continue
		}
		rows[i][5] = rows[i][5].(int) + 1
		rows[i][7] = when
	}
	return tx.insert(ctx, "INSERT INTO {accesses} (consent, client, day, permission, result, count, first, last)", rows,
		" ON CONFLICT (consent, client, day, permission, result) DO UPDATE SET count = {accesses}.count + excluded.count, last = excluded.last")
}

const accessColumns = "SELECT consent, client, day, permission, result, count, first, last FROM {accesses}"

func scanAccess(s scanner) (a Access, err error) {
	var begin, end int64
	err = s.Scan(&a.Consent, &a.Client, &a.Day, &a.Permission, &a.Result, &a.Count, &begin, &end)
	a.First, a.Last = instant(begin), instant(end)
	return a, err
}

// maxDays bounds the rows of one answer.
const maxDays = 10_000

// Of returns the accesses under a consent, the newest day first.
func (q *Accesses) Of(ctx context.Context, consent string) ([]Access, error) {
	return q.where(ctx, "consent = ?", consent)
}

// OfClient returns the accesses of a client on the days from one to another,
// both included, the newest first.
func (q *Accesses) OfClient(ctx context.Context, client string, from, to time.Time) ([]Access, error) {
	return q.where(ctx, "client = ? AND day >= ? AND day <= ?", client,
		from.UTC().Format(time.DateOnly), to.UTC().Format(time.DateOnly))
}

func (q *Accesses) where(ctx context.Context, condition string, args ...any) (all []Access, err error) {
	err = q.from.read(ctx, func(tx *Tx, _ eventstore.Position) (err error) {
		all, err = collect(ctx, tx, scanAccess, accessColumns+" WHERE "+condition+
			" ORDER BY day DESC, consent, permission, result LIMIT ?", append(args, maxDays)...)
		return err
	})
	return all, err
}
