package projections

import (
	"context"
	"fmt"
	"reflect"
	"strings"
)

// How many rows one statement has at most, and how many where each number of
// rows is another statement to parse.
const (
	most   = 4096
	fewest = 128
)

// portions cuts n rows into parts for a statement each. Where each size is
// another statement, they are powers of two: 300 are 128, 128, 32, 8 and 4.
func (d Dialect) portions(n int, each func(from, to int) error) error {
	for size, from := fewest, 0; from < n; {
		if d == PostgreSQL {
			size = min(most, n-from)
		}
		for size > n-from {
			size /= 2
		}
		if err := each(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}

// tuples writes rows as a query, with its arguments.
func (d Dialect) tuples(rows [][]any) (query string, args []any) {
	if d == PostgreSQL {
		return arrays(rows)
	}
	columns := len(rows[0])
	for _, r := range rows {
		args = append(args, r...)
	}
	one := "(?" + strings.Repeat(", ?", columns-1) + ")"
	return "VALUES " + one + strings.Repeat(", "+one, len(rows)-1), args
}

// arrays gives each column as one argument. A column is of text or of numbers.
func arrays(rows [][]any) (query string, args []any) {
	var names []string
	for c, v := range rows[0] {
		if reflect.ValueOf(v).Kind() == reflect.String {
			names = append(names, "?::text[]")
			args = append(args, column(rows, c, func(v reflect.Value) string { return whole(v.String()) }))
			continue
		}
		names = append(names, "?::bigint[]")
		args = append(args, column(rows, c, func(v reflect.Value) int64 {
			if v.CanUint() {
				return int64(v.Uint())
			}
			return v.Int()
		}))
	}
	return fmt.Sprintf("SELECT * FROM unnest(%s)", strings.Join(names, ", ")), args
}

func column[T any](rows [][]any, c int, as func(reflect.Value) T) []T {
	values := make([]T, len(rows))
	for i, r := range rows {
		values[i] = as(reflect.ValueOf(r[c]))
	}
	return values
}

// insert adds rows. The statement begins with start and ends with end; the
// rows come in between.
func (t *Tx) insert(ctx context.Context, start string, rows [][]any, end string) error {
	return t.dialect.portions(len(rows), func(from, to int) error {
		query, args := t.dialect.tuples(rows[from:to])
		_, err := t.Exec(ctx, start+" "+query+end, args...)
		return err
	})
}

// lookup returns the rows that a query finds for keys, each of which may have
// several columns. In the query "%" stands for the one that yields the keys.
func lookup[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, keys [][]any) ([]T, error) {
	var all []T
	err := t.dialect.portions(len(keys), func(from, to int) error {
		those, args := t.dialect.tuples(keys[from:to])
		found, err := collect(ctx, t, scan, strings.Replace(query, "%", those, 1), args...)
		all = append(all, found...)
		return err
	})
	return all, err
}
