package login

import (
	"context"
	"database/sql"

	_ "github.com/jackc/pgx/v5/stdlib"
)

func openSQL(ctx context.Context, url, schema string) (*sql.DB, error) {
	a, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	if _, err := a.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema); err != nil {
		return nil, err
	}
	sep := "?"
	for _, c := range url {
		if c == '?' {
			sep = "&"
		}
	}
	return sql.Open("pgx", url+sep+"search_path="+schema)
}
