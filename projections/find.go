package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/eventstore"
)

// A hit is an entry of the index.
type hit struct {
	position eventstore.Position
	stream   eventstore.Stream
	revision eventstore.Revision
	client   string
	result   string
	customer string
	consent  string
}

// find returns the entries in a span that are linked to all that a query asks
// for, as they were known at a position.
func (t *Tx) find(ctx context.Context, q Query, s span, asOf eventstore.Position, limit int) ([]hit, error) {
	links, err := t.rarestFirst(ctx, q.links())
	if err != nil {
		return nil, err
	}
	query, args := statement(q, links, s, asOf, limit)
	return collect(ctx, t, func(row scanner) (h hit, err error) {
		var customerSince, consentSince eventstore.Position
		err = row.Scan(&h.position, &h.stream, &h.revision, &h.client, &h.result, &h.customer, &customerSince, &h.consent, &consentSince)
		if customerSince > asOf {
			h.customer = ""
		}
		if consentSince > asOf {
			h.consent = ""
		}
		return h, err
	}, query, args...)
}

// statement walks the first link in order of position and looks the others up
// for each of its events; CROSS JOIN keeps SQLite to that.
func statement(q Query, links []link, s span, asOf eventstore.Position, limit int) (string, []any) {
	const columns = "SELECT e.position, e.stream, e.revision, e.client, e.result, e.customer, e.customer_since, e.consent, e.consent_since FROM "
	driver := "e"
	var tables, conditions []string
	var args []any
	for i, l := range links {
		name := fmt.Sprintf("l%d", i)
		tables = append(tables, "{links} "+name)
		conditions = append(conditions, fmt.Sprintf("%s.kind = ? AND %s.id = ? AND %s.since <= ?", name, name, name))
		args = append(args, l.kind, l.id, asOf)
		if i == 0 {
			driver = name
			continue
		}
		conditions = append(conditions, name+".position = l0.position")
	}
	tables = append(tables, "{entries} e")
	if len(links) > 0 {
		conditions = append(conditions, "e.position = l0.position")
	}
	conditions = append(conditions, driver+".position >= ?", driver+".position <= ?")
	args = append(args, s.from, s.to)
	if q.Result == OK {
		conditions = append(conditions, "NOT EXISTS (SELECT 1 FROM {links} r WHERE r.kind = ? AND r.id = ? AND r.position = e.position)")
		args = append(args, ofResult, Refused)
	}
	order := " DESC"
	if q.Oldest {
		order = ""
	}
	return columns + strings.Join(tables, " CROSS JOIN ") + " WHERE " + strings.Join(conditions, " AND ") +
		" ORDER BY " + driver + ".position" + order + " LIMIT ?", append(args, limit)
}

// enough is where counting the events of a link stops.
const enough = 10_000

// rarestFirst orders links by how many events they have, so that the shortest
// list is walked.
func (t *Tx) rarestFirst(ctx context.Context, links []link) ([]link, error) {
	if len(links) < 2 {
		return links, nil
	}
	counts := map[link]int{}
	for _, l := range links {
		n, _, err := first(ctx, t, value[int], `SELECT COUNT(*) FROM (SELECT 1 FROM {links} WHERE kind = ? AND id = ? LIMIT ?) AS few`, l.kind, l.id, enough)
		if err != nil {
			return nil, err
		}
		counts[l] = n
	}
	slices.SortStableFunc(links, func(a, b link) int { return cmp.Compare(counts[a], counts[b]) })
	return links, nil
}
