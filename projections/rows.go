package projections

import (
	"context"
	"iter"

	"github.com/chirograph/chirograph/eventstore"
)

// rows are the rows of a table that a call of Fold may change, by their keys:
// read together, changed in memory and written together.
type rows[T any] struct {
	byKey   map[string]*T
	touched map[string]bool
	order   []string // in which they were touched
}

// loaded reads the rows that events are about. An empty key is none.
func loaded[T any](ctx context.Context, tx *Tx, events []eventstore.Decoded, about func(eventstore.Decoded) string,
	scan func(scanner) (T, error), key func(T) string, query string,
) (*rows[T], error) {
	r := &rows[T]{byKey: map[string]*T{}, touched: map[string]bool{}}
	var keys [][]any
	asked := map[string]bool{"": true}
	for _, e := range events {
		if k := about(e); !asked[k] {
			asked[k] = true
			keys = append(keys, []any{k})
		}
	}
	found, err := lookup(ctx, tx, scan, query, keys)
	for i := range found {
		r.byKey[key(found[i])] = &found[i]
	}
	return r, err
}

// begin adds a row unless there is one.
func (r *rows[T]) begin(key string, row T) {
	if r.byKey[key] == nil {
		r.byKey[key] = &row
	}
}

// change changes a row, if there is one.
func (r *rows[T]) change(key string, by func(*T)) {
	row := r.byKey[key]
	if row == nil {
		return
	}
	if by(row); !r.touched[key] {
		r.touched[key] = true
		r.order = append(r.order, key)
	}
}

// changed yields the rows to write.
func (r *rows[T]) changed() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, key := range r.order {
			if !yield(r.byKey[key]) {
				return
			}
		}
	}
}
