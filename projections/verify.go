package projections

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/eventstore"
)

// A Difference is a row that is not what the log makes of it. One side is
// empty where only the other has the row.
type Difference struct {
	Projection string              `json:"projection"`
	Table      string              `json:"table"`
	Position   eventstore.Position `json:"position"` // at which both were compared
	Live       string              `json:"live,omitempty"`
	Rebuilt    string              `json:"rebuilt,omitempty"`
}

func (d Difference) String() string {
	return fmt.Sprintf("%s at position %d: %s has %s where the log makes %s",
		d.Projection, d.Position, d.Table, orNothing(d.Live), orNothing(d.Rebuilt))
}

func orNothing(row string) string {
	if row == "" {
		return "no row"
	}
	return row
}

// maxDifferences bounds what is reported of one projection.
const maxDifferences = 100

// Verify folds each projection from the log again, up to the position that its
// tables have reached, and compares row by row.
func (s *Set) Verify(ctx context.Context) ([]Difference, error) {
	var all []Difference
	for _, f := range s.followers {
		found, err := s.verify(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("verify %s: %w", f.Name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// verify holds one state of the live tables in view over the comparison, while
// they are written on.
func (s *Set) verify(ctx context.Context, f *follower) (found []Difference, err error) {
	f.rebuilding.Lock() // it would drop what is compared
	defer f.rebuilding.Unlock()
	err = f.read(ctx, func(live *Tx, at eventstore.Position) error {
		found = nil
		into, err := s.openScratch(ctx)
		if err != nil {
			return err
		}
		defer into.Close()
		if _, err := into.fold(ctx, s.journal, []Projection{f.Projection}, at); err != nil {
			return err
		}
		return into.read(ctx, build{f.Projection, 1}, func(rebuilt *Tx) error {
			for _, t := range f.Tables {
				d := Difference{Projection: f.Name, Table: t.Name, Position: at}
				if err := compare(ctx, t, live, rebuilt, d, &found); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return found, err
}

// compare walks both tables in the order of their keys.
func compare(ctx context.Context, t Table, live, rebuilt *Tx, d Difference, found *[]Difference) error {
	nextLive, stopLive := iter.Pull2(live.rows(ctx, t))
	defer stopLive()
	nextRebuilt, stopRebuilt := iter.Pull2(rebuilt.rows(ctx, t))
	defer stopRebuilt()
	a, errA, moreA := nextLive()
	b, errB, moreB := nextRebuilt()
	for (moreA || moreB) && len(*found) < maxDifferences {
		if errA != nil {
			return errA
		}
		if errB != nil {
			return errB
		}
		d.Live, d.Rebuilt = "", ""
		order := a.before(b, moreA, moreB)
		if order <= 0 {
			d.Live = a.text()
			a, errA, moreA = nextLive()
		}
		if order >= 0 {
			d.Rebuilt = b.text()
			b, errB, moreB = nextRebuilt()
		}
		if d.Live != d.Rebuilt {
			*found = append(*found, d)
		}
	}
	return nil
}

// row is a row of any table; its first keys columns are its key.
type row struct {
	values []any
	keys   int
}

// before compares the keys of two rows, of which one may not be there.
func (r row) before(other row, there, otherThere bool) int {
	switch {
	case !there:
		return 1
	case !otherThere:
		return -1
	}
	return slices.CompareFunc(r.values[:r.keys], other.values[:other.keys], func(a, b any) int {
		if x, ok := a.(int64); ok {
			y, _ := b.(int64)
			return cmp.Compare(x, y)
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
}

func (r row) text() string {
	text, err := json.Marshal(r.values)
	if err != nil {
		return fmt.Sprint(r.values)
	}
	return string(text)
}

// rows yields a table in the order of its key, the key's columns first.
func (t *Tx) rows(ctx context.Context, table Table) iter.Seq2[row, error] {
	keys := len(strings.Split(table.Key, ","))
	query := fmt.Sprintf("SELECT %s, {%s}.* FROM {%s} ORDER BY %s", table.Key, table.Name, table.Name, table.Key)
	return func(yield func(row, error) bool) {
		rows, err := t.query(ctx, query)
		if err != nil {
			yield(row{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scanned(rows)
			r.keys = keys
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(row{}, err)
		}
	}
}

func scanned(rows *sql.Rows) (row, error) {
	columns, err := rows.Columns()
	if err != nil {
		return row{}, err
	}
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	err = rows.Scan(pointers...)
	return row{values: values}, err
}
