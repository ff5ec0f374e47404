package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// forgotten is after how long a node that lets nothing more through under a
// key is forgotten.
const forgotten = 10 * time.Minute

// margin is how much later than its time a row may become visible.
const margin = statementTimeout

// A hearing is what a node knows of the others.
type hearing struct {
	mu     sync.Mutex
	since  time.Time // of the last exchange, by the database's clock
	totals map[spender]total
}

type (
	spender struct{ node, key string }
	total   struct {
		born, amount int64
		at           time.Time
	}
)

// Exchange tells the other nodes how much this one has let through under some
// keys since its last call, and returns what they have told since then. The
// first call of a node hears nothing. What is lost in a crash of the server
// is forgotten by all.
func (n *Nodes) Exchange(ctx context.Context, node string, mine map[string]int) (map[string]int, error) {
	h := n.hearingOf(node)
	h.mu.Lock()
	defer h.mu.Unlock()
	var now time.Time
	var rows map[spender]total
	err := n.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		rows = map[spender]total{}
		b := told(node, mine)
		b.Queue("SELECT clock_timestamp()").QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
		b.Queue("SELECT node, key, born, total, at FROM spent WHERE node <> $1 AND at >= $2", node, h.from()).Query(func(found pgx.Rows) error {
			var s spender
			var t total
			_, err := pgx.ForEachRow(found, []any{&s.node, &s.key, &t.born, &t.amount, &t.at}, func() error {
				rows[s] = t
				return nil
			})
			return err
		})
		return c.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return nil, err
	}
	return h.news(now, rows), nil
}

// from is since when a row may have changed that is not known yet.
func (h *hearing) from() time.Time {
	if h.since.IsZero() {
		return time.Unix(0, 0)
	}
	return h.since.Add(-margin)
}

func (n *Nodes) hearingOf(node string) *hearing {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.heard[node] == nil {
		n.heard[node] = &hearing{totals: map[spender]total{}}
	}
	return n.heard[node]
}

// told adds what a node has let through, and forgets what is old.
func told(node string, mine map[string]int) *pgx.Batch {
	b := &pgx.Batch{}
	keys, amounts := make([]string, 0, len(mine)), make([]int64, 0, len(mine))
	for key, amount := range mine {
		if amount > 0 {
			keys, amounts = append(keys, key), append(amounts, int64(amount))
		}
	}
	if len(keys) > 0 {
		b.Queue(`INSERT INTO spent(node, key, total) SELECT $1, * FROM unnest($2::text[], $3::bigint[])
			ON CONFLICT (node, key) DO UPDATE SET total = spent.total + excluded.total, at = clock_timestamp()`, node, keys, amounts)
	}
	b.Queue(`DELETE FROM spent WHERE (node, key) IN (SELECT node, key FROM spent
		WHERE at < clock_timestamp() - $1 * interval '1 second' LIMIT 1000 FOR UPDATE SKIP LOCKED)`, int64(forgotten/time.Second))
	return b
}

// news is by how much the totals of others have grown.
func (h *hearing) news(now time.Time, rows map[spender]total) map[string]int {
	first := h.since.IsZero()
	others := map[string]int{}
	for s, t := range rows {
		grown := t.amount
		if before := h.totals[s]; before.born == t.born && before.amount <= t.amount { // not begun anew
			grown -= before.amount
		}
		if grown > 0 && !first {
			others[s.key] += int(grown)
		}
		h.totals[s] = t
	}
	for s, t := range h.totals {
		if now.Sub(t.at) > forgotten+margin {
			delete(h.totals, s)
		}
	}
	h.since = now
	return others
}
