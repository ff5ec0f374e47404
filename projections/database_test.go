package projections

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestPostgreSQLNumbersItsPlaceholders(t *testing.T) {
	const query = "SELECT a FROM t WHERE b = ? AND c > ? LIMIT ?"
	if got := SQLite.rebind(query); got != query {
		t.Errorf("SQLite gets %q", got)
	}
	if got, want := PostgreSQL.rebind(query), "SELECT a FROM t WHERE b = $1 AND c > $2 LIMIT $3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPostgreSQLGetsItsOwnTypes(t *testing.T) {
	for _, p := range All {
		for _, statement := range (build{p, 1}).schema() {
			got := PostgreSQL.ddl(statement)
			if strings.Contains(got, "ROWID") || strings.Contains(got, "INTEGER") || strings.Contains(got, " TEXT NOT") {
				t.Errorf("%s", got)
			}
		}
	}
}

func TestEveryBuildHasTablesOfItsOwn(t *testing.T) {
	p := Projection{Name: "p", Version: 3, Tables: []Table{{Name: "rows"}}}
	if got := (build{p, 2}).sql("SELECT {rows}.x FROM {rows}"); got != "SELECT rows_v3_g2.x FROM rows_v3_g2" {
		t.Errorf("got %q", got)
	}
}

func TestInstantsKeepTheirOrder(t *testing.T) {
	for _, at := range []time.Time{{}, begin, begin.Add(1), time.Unix(0, math.MaxInt64).UTC()} {
		if got := instant(nanos(at)); !got.Equal(at) {
			t.Errorf("%v comes back as %v", at, got)
		}
	}
	if far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC); nanos(far) != math.MaxInt64 {
		t.Error("a far instant is not kept as the last one")
	}
}
