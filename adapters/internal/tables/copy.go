package tables

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// rowsAtOnce is how many rows are copied by one statement.
const rowsAtOnce = 100

// fill copies all rows of tables.
func fill(ctx context.Context, from Reader, to Tx, tables []string) error {
	for _, t := range tables {
		if err := fillTable(ctx, from, to, t); err != nil {
			return fmt.Errorf("copy %s: %w", t, err)
		}
	}
	return nil
}

func fillTable(ctx context.Context, from Reader, to Tx, table string) error {
	rows, err := from.Query(ctx, "SELECT * FROM "+table)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	into := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
	var waiting []any
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		_, err := to.Exec(ctx, into+places(len(waiting)/len(columns), len(columns)), waiting...)
		waiting = waiting[:0]
		return err
	}
	for rows.Next() {
		row, err := scan(rows, len(columns))
		if err != nil {
			return err
		}
		if waiting = append(waiting, row...); len(waiting) == rowsAtOnce*len(columns) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return errors.Join(rows.Err(), flush())
}

func scan(rows *Rows, columns int) ([]any, error) {
	row, into := make([]any, columns), make([]any, columns)
	for i := range row {
		into[i] = &row[i]
	}
	return row, rows.Scan(into...)
}

// places returns the placeholders of rows, as in "(?, ?), (?, ?)".
func places(rows, columns int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(row+", ", rows), ", ")
}

func empty(ctx context.Context, tx Tx, table string) error {
	var full bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&full)
	if err == nil && full {
		return fmt.Errorf("%w: %s", ErrNotEmpty, table)
	}
	return err
}

// renumber lets PostgreSQL go on counting after rows that brought their
// numbers with them. SQLite does so by itself.
func renumber(ctx context.Context, tx Tx, tables []string) error {
	if !tx.db.shared {
		return nil
	}
	for _, t := range tables {
		columns, err := Column(tx.Query(ctx, `
			SELECT column_name FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name = ? AND is_identity = 'YES'`, t))
		if err != nil {
			return err
		}
		for _, c := range columns {
			_, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence(?, ?), (SELECT COALESCE(max(`+c+`), 0) + 1 FROM `+t+`), false)`, t, c)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
