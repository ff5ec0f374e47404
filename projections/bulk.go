package projections

import (
	"context"
	"strings"
)

// most is how many rows or keys one statement has at most.
const most = 128

// portions cuts n into powers of two, so that there are few statements to
// parse: 300 are 128, 128, 32, 8 and 4.
func portions(n int, each func(from, to int) error) error {
	for size, from := most, 0; from < n; {
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

// tuples are n tuples of placeholders.
func tuples(n, columns int) string {
	one := "(?" + strings.Repeat(", ?", columns-1) + ")"
	return one + strings.Repeat(", "+one, n-1)
}

// insert adds rows. The statement begins with start and ends with end; rows
// come in between.
func (t *Tx) insert(ctx context.Context, start string, rows [][]any, end string) error {
	return portions(len(rows), func(from, to int) error {
		columns := len(rows[from])
		args := make([]any, 0, columns*(to-from))
		for _, r := range rows[from:to] {
			args = append(args, r...)
		}
		_, err := t.Exec(ctx, start+" VALUES "+tuples(to-from, columns)+end, args...)
		return err
	})
}

// lookup returns the rows that a query finds for keys, each of which may have
// several columns. In the query the keys are "%".
func lookup[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, keys [][]any) ([]T, error) {
	var all []T
	err := portions(len(keys), func(from, to int) error {
		columns := len(keys[from])
		args := make([]any, 0, columns*(to-from))
		for _, k := range keys[from:to] {
			args = append(args, k...)
		}
		found, err := collect(ctx, t, scan, strings.Replace(query, "%", tuples(to-from, columns), 1), args...)
		all = append(all, found...)
		return err
	})
	return all, err
}
